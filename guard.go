package rolecall

import (
	"slices"
	"strings"
)

// The rules of administration (docs/administration.md): who may make which edit where, that nobody climbs by it
// (escalation.go), and that somebody stays in charge. A change made by the host itself, without an actor, is not judged
// by them.

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
		return d.at(Global(), SubjectForget)
	case OpForgetScope:
		return d.at(e.Scope, ScopeForget)
	case OpActivate:
		return d.at(e.Activation.Scope, GrantActivate)
	}
	return nil
}

func (d *draft) at(t Scope, permissions ...Permission) []need {
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
		return d.at(Global(), makeOrBreak(s, standing, remove, MemberAdd, MemberRemove)...)
	case Grant:
		return d.at(s.Scope, makeOrBreak(s, standing, remove, GrantCreate, GrantDelete)...)
	case Override:
		return d.at(s.Scope, makeOrBreak(s, standing, remove, OverrideCreate, OverrideDelete)...)
	case Suspension:
		return d.at(Global(), SubjectSuspend)
	case PrivateScope:
		return d.at(s.Scope, ScopePrivate)
	}
	return d.at(Global(), ConstraintUpdate)
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

// keepsSomebody refuses a change after which no subject but a group may create grants on the whole instance, with no
// condition holding, while one could before.
func (p *Proposal) keepsSomebody(actors []*actor) Problems {
	now := actors[0].now
	for _, a := range actors {
		if p.next.policy.inCharge(a.subject, now) {
			return nil
		}
	}
	if p.next.policy.somebodyInCharge(now) || !p.base.policy.somebodyInCharge(now) {
		return nil
	}
	return Problems{problem(ErrLastAdmin, "change", "", "nobody could %s at / any more", GrantCreate)}
}

func (p *policy) inCharge(who Subject, now instant) bool {
	global := Global()
	s := Snapshot{policy: p}
	return !who.IsGroup() && s.check(&now, &who, &GrantCreate, &global, nil) == nil
}

func (p *policy) somebodyInCharge(now instant) bool {
	q := question{now: now}
	global, anybody := Global(), Guest("-")
	if q.ready(p, &anybody, &GrantCreate, &global) != nil {
		return false
	}
	inCharge := func(h *holder) bool {
		q.self, q.missed = h, NothingSaid
		return q.verdict() == Granted
	}
	if inCharge(nil) {
		return true
	}
	for number := range p.global().users.all() {
		if h := p.users.at(number); p.givesAtTop(h, q.permission) && inCharge(h) {
			return true
		}
	}
	seen := map[*holder]bool{}
	for number := range p.global().groups.all() {
		h := p.groups.at(number)
		if p.givesAtTop(h, q.permission) && !p.descend(seen, h, func(h *holder) bool { return h.isGroup() || !inCharge(h) }) {
			return true
		}
	}
	return false
}

// givesAtTop says whether a holder may give a permission on the whole instance, to itself or to who is in it.
func (p *policy) givesAtTop(h *holder, permission int) bool {
	return slices.ContainsFunc(h.grantsAt(p.global()), func(g grantAt) bool {
		return p.roles.get(g.role).can.gives.permissions.has(permission)
	}) || slices.ContainsFunc(h.overridesAt(p.global()), func(o overrideAt) bool {
		return o.effect == Allow && o.match.allow.has(permission)
	})
}

// compactMissing drops repetitions and what lies inside a place where the same permission is missing already.
func compactMissing(list []Missing) []Missing {
	var out []Missing
	known := map[Missing]bool{}
	for _, m := range list {
		if !coveredBy(known, m) {
			known[m] = true
			out = append(out, m)
		}
	}
	return out
}

func coveredBy(known map[Missing]bool, m Missing) bool {
	for at := range m.Scope.Ancestors() {
		if known[Missing{m.Permission, at}] {
			return true
		}
	}
	return false
}

func missingText(list []Missing) string {
	const most = 8
	texts := make([]string, 0, most+1)
	for i, m := range list {
		if i == most {
			texts = append(texts, "and more")
			break
		}
		texts = append(texts, m.String())
	}
	return strings.Join(texts, ", ")
}
