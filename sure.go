package rolecall

import "slices"

// What somebody may do at a place and inside whatever the time and the facts, for the guard to pass over. It is found
// without weighing anything: where all that is in reach about a permission allows, and one of the allows is
// unconditional, always valid and not stopped by privacy, the answer is yes (decide.go says why). Everything else is
// left to the law.

// A footing is what somebody surely may, up to where more is said to them: not all of it, but what is easily seen.
type footing struct {
	claim
	escalates bool // an actor may give there what it lacks
}

// holds says whether all of a claim is sure, as far as a narrowing leaves it.
func (f *footing) holds(c *claim, left *Narrowing) bool {
	for i, w := range c.permissions {
		if w&^f.permissions[i] != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(c.stars, func(star Pattern) bool { return !f.covers(star) || !left.coversAll(star) })
}

func (f *footing) covers(p Pattern) bool {
	return slices.ContainsFunc(f.stars, func(wide Pattern) bool { return wide.includes(p) })
}

// includes says whether a pattern matches everything that another one does. It may say no although it is so.
func (p Pattern) includes(other Pattern) bool { return matchSegments(string(p), string(other)) }

// A stance is somebody in a policy, made ready to be asked what they surely may.
type stance struct {
	policy  *policy
	bearers []*holder
	firm    map[*holder]bool // in reach always and not through a suspended group
	off     bool             // suspended
	left    narrowed         // what a narrowing leaves
}

func (p *policy) stanceOf(who Subject, left narrowed) *stance {
	h := p.holder(who)
	return &stance{p, p.bearersOf(who), p.firmlyAbove(h), h.off(), left}
}

func (s *stance) speaksAt(at *place) bool {
	return slices.ContainsFunc(s.bearers, func(b *holder) bool { return b.speaksAt(at) })
}

// at returns what is sure at a scope, or in a private scope inside it where nothing more is said.
func (s *stance) at(t Scope, closed bool) *footing {
	w := sureness{stance: s, footing: footing{claim: *newClaim(s.policy.catalog)}, doubtful: newPermset(len(s.policy.catalog.permissions))}
	if s.off {
		return &w.footing
	}
	s.policy.walk(&t, &w.way)
	if closed {
		w.way.private = w.way.n
	}
	for _, b := range s.bearers {
		for depth := range w.way.n {
			if !w.hear(b, depth) {
				return &footing{claim: *newClaim(s.policy.catalog)}
			}
		}
	}
	w.permissions.drop(w.doubtful)
	if w.shaken {
		w.stars = nil
	}
	for i, permission := range s.policy.catalog.permissions {
		if s.left.byPattern && w.permissions.has(i) && !s.left.covers(permission) {
			w.permissions.remove(i)
		}
	}
	return &w.footing
}

// A sureness is the finding of one footing.
type sureness struct {
	*stance
	footing
	way      path
	doubtful permset
	shaken   bool // something strict speaks of what is declared later
}

// hear adds what a holder says at a depth. It reports false where a Replace is in it.
func (w *sureness) hear(b *holder, depth int) bool {
	at := w.way.places[depth]
	for _, g := range b.grantsAt(at) {
		switch {
		case g.marks&markEligible != 0:
			continue
		case g.marks&markReplace != 0:
			return false
		}
		r := w.policy.roles.get(g.role)
		w.doubtful.or(r.can.denies.permissions)
		w.shaken = w.shaken || r.can.strict
		if w.firm[b] && g.terms == 0 {
			w.allow(r, depth >= w.way.private || g.marks&markPierce != 0)
		}
	}
	for _, o := range b.overridesAt(at) {
		switch {
		case o.effect != Allow:
			w.doubtful.or(o.match.any)
			w.shaken = w.shaken || o.match.pattern.HasStar()
		case w.firm[b] && o.terms == 0 && !w.left.byRole:
			w.hold(o.match.claim(Allow), depth >= w.way.private)
		}
	}
	return true
}

// allow adds what a role allows whatever the facts; narrowed to roles, what comes through one of them.
func (w *sureness) allow(r *role, open bool) {
	if !w.left.byRole || slices.Contains(w.left.active, r.number) {
		w.hold(&r.can.allows, open)
		return
	}
	for _, number := range w.left.active {
		if r.above.has(number) {
			through := slices.Clone(r.can.allows.permissions)
			through.and(w.policy.roles.get(number).can.allows.permissions)
			w.hold(&claim{permissions: through}, open)
		}
	}
}

// hold adds what is allowed; past a private scope only what privacy does not stop.
func (w *sureness) hold(c *claim, open bool) {
	if open {
		w.add(c)
		return
	}
	for i := w.policy.catalog.builtins[0]; i < w.policy.catalog.builtins[1]; i++ {
		if c.permissions.has(i) {
			w.permissions.add(i)
		}
	}
}
