package rolecall

// An actor is somebody by whose rights a change is made: who makes it, or on whose behalf. It is judged on the policy before
// the change; who makes it has no more rights than Change.Narrow leaves.
type actor struct {
	*Snapshot
	subject Subject
	now     instant // of the change
	narrowed

	scopes []Scope // where something is said to it, in order of the tree, once listed
	stance *stance
	known  map[ground]*footing
}

// actorsOf returns those by whose rights a change is made, none where the host makes it itself.
func (s *Snapshot) actorsOf(c Change) ([]*actor, error) {
	if err := s.checkMeta(c.Meta); err != nil {
		return nil, err
	}
	if c.Actor.IsZero() {
		if !c.Narrow.IsZero() {
			return nil, problem(ErrInvalid, "change", "", "a change from which something is taken away has an actor")
		}
		return nil, nil
	}
	list := []*actor{{Snapshot: s, subject: c.Actor, now: instant{at: c.Time}}}
	if !c.OnBehalf.IsZero() && c.OnBehalf != c.Actor {
		list = append(list, &actor{Snapshot: s, subject: c.OnBehalf, now: instant{at: c.Time}})
	}
	return list, list[0].narrowTo(c.Narrow)
}

func (a *actor) narrowTo(n Narrowing) error {
	q := question{policy: a.policy, permission: -1, self: a.policy.holder(a.subject)}
	if _, err := q.readyRare(a.subject, &ViewOptions{Narrow: n}); err != nil {
		return err
	}
	a.narrowed = narrowed{Narrowing: n}
	if q.extra != nil {
		a.active = q.extra.active
	}
	return nil
}

// holds says whether the actor has a permission at a scope, with no condition holding.
func (a *actor) holds(p Permission, t Scope) bool {
	if a.Narrowing.IsZero() {
		return a.check(&a.now, &a.subject, &p, &t, nil) == nil
	}
	q := question{now: a.now}
	return q.ready(a.policy, &a.subject, &p, &t) == nil && a.covers(p) && a.answers(&q)
}

func (a *actor) answers(q *question) bool {
	if a.byRole {
		q.extra = &extras{narrow: true, active: a.active}
	}
	return !q.self.off() && q.judge() == Granted
}

// takesUp says whether the actor may take up an eligible grant of that subject because it is its own. A session with
// active roles has no say in that, a key only where it may activate.
func (a *actor) takesUp(who Subject) bool {
	return a.subject == who && !a.policy.holder(who).off() && !a.byRole && a.covers(GrantActivate)
}

// places lists where something is said to the actor, in order of the tree.
func (a *actor) places() []Scope {
	if a.scopes == nil {
		found := map[Scope]bool{Global(): true}
		for _, b := range a.policy.bearersOf(a.subject) {
			a.policy.scopesOf(b, found)
		}
		a.scopes = inTree(found)
	}
	return a.scopes
}

// may says whether the actor may do it.
func (a *actor) may(q *question) bool {
	permission := q.word
	if !permission.ok() {
		permission = a.policy.catalog.permissions[q.permission]
	}
	return a.covers(permission) && a.answers(q)
}

// lacks returns what of a claim the actor does not surely have at an extent and everywhere inside, and may not give either
// by escalating, nil where it is nothing: then nobody can gain by the claim what the actor lacks.
func (a *actor) lacks(at extent, c *claim) *claim {
	var missing *claim
	for _, closed := range []bool{false, true} {
		if closed && (!at.pierces || !a.policy.privateInside(at.scope)) {
			break
		}
		missing = a.lacksAt(a.footing(at.scope, closed), c, missing)
		for _, t := range within(a.places(), at.scope) {
			missing = a.lacksAt(a.footing(t, closed), c, missing)
		}
	}
	return missing
}

// lacksAt adds to what is missing, nil where nothing is yet.
func (a *actor) lacksAt(f *footing, c, missing *claim) *claim {
	if f.escalates || f.holds(c, &a.Narrowing) {
		return missing
	}
	if missing == nil {
		missing = newClaim(a.policy.catalog)
	}
	for i, w := range c.permissions {
		missing.permissions[i] |= w &^ f.permissions[i]
	}
	for _, star := range c.stars {
		if !f.covers(star) || !a.coversAll(star) {
			missing.stars = appendMissing(missing.stars, star)
		}
	}
	return missing
}

// A ground is where an actor has the same footing: the innermost place where something is said to it, and whether a
// private scope lies further in.
type ground struct {
	place  uint32
	closed bool
}

// footing returns what the actor surely has at a scope, or in a private scope inside it.
func (a *actor) footing(t Scope, closed bool) *footing {
	if a.known == nil {
		a.known, a.stance = map[ground]*footing{}, a.policy.stanceOf(a.subject, a.narrowed)
	}
	var way path
	a.policy.walk(&t, &way)
	depth := way.n - 1
	for depth > 0 && !a.stance.speaksAt(way.places[depth]) {
		depth--
	}
	at := way.places[depth]
	g := ground{at.number, closed || way.private > depth}
	if a.known[g] == nil {
		f := a.stance.at(at.scope, g.closed)
		f.escalates = a.holds(Escalate, at.scope)
		a.known[g] = f
	}
	return a.known[g]
}
