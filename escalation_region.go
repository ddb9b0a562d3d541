package rolecall

import (
	"maps"
	"slices"
)

// A region is what may be gained that the actor may lack, by place.
type region map[Scope]*claim

// regions maps each subject that a change reaches to what it may gain.
func (t *trial) regions(claims *touched) map[Subject]region {
	regions := map[Subject]region{}
	for holder, touch := range claims.by {
		r := region{}
		for at, c := range touch {
			if lacking := t.actor.lacks(at, c); lacking != nil {
				r.add(at.scope, lacking)
			}
		}
		if len(r) == 0 {
			continue
		}
		for who := range t.below(holder) {
			regions[who] = regions[who].with(r)
		}
	}
	return regions
}

func (r region) add(at Scope, c *claim) {
	if other := r[at]; other != nil {
		c = other.and(c)
	}
	r[at] = c
}

// with returns a region that has both; regions that subjects share are not changed.
func (r region) with(other region) region {
	if r == nil {
		return other
	}
	both := maps.Clone(r)
	for at, c := range other {
		both.add(at, c)
	}
	return both
}

// at returns what may be gained at a place inside.
func (r region) at(t Scope, c *Catalog) *claim {
	all := newClaim(c)
	for at := range t.Ancestors() {
		if one := r[at]; one != nil {
			all.add(one)
		}
	}
	return all
}

// below lists a subject and everybody who is in it, before or after. Everyone has every subject; one that no statement
// names fares as Everyone does.
func (g *guard) below(who Subject) map[Subject]bool {
	all := map[Subject]bool{who: true}
	add := func(h *holder) bool { all[h.subject] = true; return true }
	for _, p := range []*policy{g.before, g.after} {
		if who.isEveryone() {
			p.subjects.all(add)
		} else if h := p.holder(who); h != nil {
			p.descend(map[*holder]bool{}, h, add)
		}
	}
	return all
}

func (r region) stars() []Pattern {
	var all []Pattern
	for _, c := range r {
		for _, star := range c.stars {
			all = appendMissing(all, star)
		}
	}
	slices.Sort(all)
	return all
}

func (c *claim) speaksOf(word Permission) bool {
	return slices.ContainsFunc(c.stars, func(star Pattern) bool { return star.Matches(word) })
}
