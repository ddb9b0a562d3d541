package rolecall

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Denials that no longer stand for a group. Tokens can vouch anyone into any groups, so a denial that stood for a group
// counts as giving what it denied once it is gone, whether or not a present subject shows it.

// A groupPoint is a group and a scope with statements of it.
type groupPoint struct {
	group Subject
	scope Scope
}

func (p groupPoint) compare(other groupPoint) int {
	return cmp.Or(p.group.Compare(other.group), p.scope.Compare(other.scope))
}

// liftedDenials treats a denial that stood for a group and no longer does as giving what it denied, everywhere it did.
func (t *trial) liftedDenials(deltas []Delta) {
	points := map[groupPoint]bool{}
	add := func(who Subject, at Scope) {
		if who.IsGroup() {
			points[groupPoint{who, at}] = true
		}
	}
	for _, d := range deltas {
		switch s := either(d.Before, d.After).(type) {
		case Grant:
			add(s.Subject, s.Scope)
		case Override:
			add(s.Subject, s.Scope)
		case Role:
			t.rolePoints(s.Name, add)
		case Membership:
			if s.Member.IsGroup() {
				t.parted(s)
			}
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(points), groupPoint.compare) {
		t.liftedAt(p, p.group, func(f Facts, m matter, at time.Time) Effect { return t.after.denies(p, m, at, f) })
	}
}

// rolePoints adds where groups hold a role that changes, or one that inherits from it, and that may deny something.
func (t *trial) rolePoints(name RoleName, add func(Subject, Scope)) {
	changed := t.before.roles.find(name)
	if changed == nil {
		return
	}
	for _, heir := range t.before.roles.roles {
		if heir == nil || !heir.is(changed.number) || heir.can.denies.empty() {
			continue
		}
		for h := range t.before.holders(t.before.uses.at(heir.number).groups, nil) {
			for _, g := range h.grants {
				if g.role == heir.number {
					add(h.subject, t.before.places.at(g.scope).scope)
				}
			}
		}
	}
}

// parted looks at a group that leaves another one, or is in it for a shorter time: what the groups above it denied no
// longer stands for it.
func (t *trial) parted(m Membership) {
	for _, h := range t.before.above(m.Group) {
		scopes := map[Scope]bool{}
		t.before.scopesOf(h, scopes)
		for _, scope := range slices.SortedFunc(maps.Keys(scopes), Scope.Compare) {
			p := groupPoint{h.subject, scope}
			t.liftedAt(p, m.Member, func(f Facts, lifted matter, at time.Time) Effect {
				if !t.before.stillAbove(m.Member, h.subject, at) {
					return Forbid
				}
				if !t.after.stillAbove(m.Member, h.subject, at) {
					return 0
				}
				return t.after.denies(p, lifted, at, f)
			})
		}
	}
}

// stillAbove says whether a group is reachable from another at an instant.
func (p *policy) stillAbove(below, above Subject, at time.Time) bool {
	b, a := p.holder(below), p.holder(above)
	return b != nil && a != nil && p.reaches(b, a, &instant{at: at})
}

// liftedAt compares what a point denied before with what is left of it for a group, and wants the actor to have it
// everywhere inside.
func (t *trial) liftedAt(p groupPoint, group Subject, left func(Facts, matter, time.Time) Effect) {
	lacking := t.actor.lacks(extent{p.scope, true}, t.before.deniable(p))
	if lacking == nil {
		return
	}
	r, timed := region{p.scope: lacking}, t.timed(group)
	cells := t.cells(p.group, r)
	try := func(m matter) {
		lifted := func(f Facts, at time.Time) bool {
			stood := t.before.denies(p, m, at, f)
			return stood != 0 && left(f, m, at) < stood
		}
		for _, cell := range cells {
			inside := m
			inside.scope = cell
			for _, at := range t.instants(timed, cell) {
				if t.forSomeFacts(func(f Facts) bool { return lifted(f, at) && !t.actorMay(inside, at, f) }) {
					t.lack(inside)
					break
				}
			}
		}
	}
	for number := range t.after.catalog.permissions {
		if lacking.permissions.has(number) {
			try(matter{number: number, scope: p.scope})
		}
	}
	for _, word := range t.words(p.group, r.stars()) {
		try(matter{number: -1, word: word, scope: p.scope})
	}
}

// deniable returns what the statements of a group at a scope deny under some facts.
func (p *policy) deniable(at groupPoint) *claim {
	c := newClaim(p.catalog)
	h, place := p.holder(at.group), p.place(at.scope)
	if h == nil || place == nil {
		return c
	}
	for _, x := range h.grantsAt(place) {
		if x.marks&markEligible == 0 {
			c.add(&p.roles.get(x.role).can.denies)
		}
	}
	for _, o := range h.overridesAt(place) {
		if o.effect != Allow {
			c.add(o.match.claim(o.effect))
		}
	}
	return c
}

// denies returns the strictest denial among the statements of a group at a scope, 0 where there is none.
func (p *policy) denies(at groupPoint, m matter, now time.Time, f Facts) Effect {
	h, place := p.holder(at.group), p.place(at.scope)
	if h == nil || place == nil {
		return 0
	}
	q := p.questionOf(at.group, m, now, f)
	strictest := Effect(0)
	grants := h.grantsAt(place)
	for i := range grants {
		x := &grants[i]
		if x.marks&markEligible != 0 || !h.open(x.terms, &q.now) {
			continue
		}
		if says := q.says(x.role); says > Except && q.stands(says, h.when(x.terms)) {
			strictest = max(strictest, says)
		}
	}
	overrides := h.overridesAt(place)
	for i := range overrides {
		o := &overrides[i]
		if o.effect > Except && q.overrideCovers(o) && h.open(o.terms, &q.now) && q.stands(o.effect, h.when(o.terms)) {
			strictest = max(strictest, o.effect)
		}
	}
	return strictest
}
