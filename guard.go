package rolecall

// The rules of administration (docs/administration.md): who may make which edit where, that nobody climbs by it
// (escalation.go), and that somebody stays in charge (lastadmin.go). A change made by the host itself, without an actor,
// is not judged by them.

// A need is a permission that an edit takes, and where. Whoever lacks it and insteadOf too is told of that one only, so
// that it does not show whether there is something to change.
type need struct {
	permission Permission
	scope      Scope
	insteadOf  Permission
}

// mayEdit reports, once an actor, the first thing that an edit takes and the actor lacks: what else it takes depends on
// what stands, which is not for whoever is not permitted. The subject self, whose own eligible grant is taken up, needs
// nothing.
func mayEdit(actors []*actor, needs []need, self Subject) Problems {
	var ps Problems
	for _, a := range actors {
		if a.takesUp(self) {
			continue
		}
		for _, n := range needs {
			if a.holds(n.permission, n.scope) {
				continue
			}
			if !n.insteadOf.IsZero() && !a.holds(n.insteadOf, n.scope) {
				n.permission = n.insteadOf
			}
			ps = append(ps, problem(ErrNotPermitted, "change", a.subject.String(), "takes %s at %s, which the actor does not have", n.permission, n.scope))
			break
		}
	}
	return ps
}

// needs returns what an edit takes, judged against what stands in the draft when its turn comes. An edit whose scope is
// malformed or undeclared takes nothing: there is no place to hold a permission at, and it is refused anyway.
func (d *draft) needs(e Edit) []need {
	switch e.Op {
	case OpPut, OpRemove:
		if e.Statement == nil {
			return nil
		}
		return d.statementNeeds(e.Statement, e.Op == OpRemove)
	case OpForgetSubject:
		return d.needsAt(Global(), SubjectForget)
	case OpForgetScope:
		return d.needsAt(e.Scope, ScopeForget)
	case OpActivate:
		return d.needsAt(e.Activation.Scope, GrantActivate)
	}
	return nil
}

func (d *draft) needsAt(t Scope, permissions ...Permission) []need {
	if d.catalog.checkScope("", t) != nil {
		return nil
	}
	var needs []need
	for _, p := range permissions {
		needs = append(needs, need{permission: p, scope: t})
	}
	return needs
}

func (d *draft) statementNeeds(s Statement, remove bool) []need {
	standing := d.standing(s)
	switch s := s.(type) {
	case Role:
		return roleNeeds(remove, standing != nil)
	case Membership:
		return d.needsAt(Global(), makeOrBreak(s, standing, remove, MemberAdd, MemberRemove)...)
	case Grant:
		return d.needsAt(s.Scope, makeOrBreak(s, standing, remove, GrantCreate, GrantDelete)...)
	case Override:
		return d.needsAt(s.Scope, makeOrBreak(s, standing, remove, OverrideCreate, OverrideDelete)...)
	case Suspension:
		return d.needsAt(Global(), SubjectSuspend)
	case PrivateScope:
		return d.needsAt(s.Scope, ScopePrivate)
	}
	return d.needsAt(Global(), ConstraintUpdate)
}

// standing returns the statement with that key; a malformed key has none.
func (d *draft) standing(s Statement) Statement { return d.lookup(KeyOf(s)) }

func roleNeeds(remove, there bool) []need {
	switch {
	case remove:
		return []need{{permission: RoleDelete, scope: Global()}}
	case there:
		return []need{{permission: RoleUpdate, scope: Global(), insteadOf: RoleCreate}}
	}
	return []need{{permission: RoleCreate, scope: Global()}}
}

// makeOrBreak returns what adding, removing or changing in place takes; a change takes both.
func makeOrBreak(s, standing Statement, remove bool, create, del Permission) []Permission {
	switch {
	case remove:
		return []Permission{del}
	case standing != nil && !Equal(standing, s):
		return []Permission{create, del}
	}
	return []Permission{create}
}
