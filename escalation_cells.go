package rolecall

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// cells lists one scope of each kind of place inside a region: where the subject or the actor has a statement, and every
// private one.
func (t *trial) cells(who Subject, r region) []Scope {
	roots := make(map[Scope]bool, len(r))
	for at := range r {
		roots[at] = true
	}
	cells, own := maps.Clone(roots), map[Scope]bool{}
	for _, p := range []*policy{t.before, t.after} {
		for _, h := range p.above(who) {
			p.scopesOf(h, own)
		}
	}
	outer := outermost(inTree(roots))
	for _, all := range [][]Scope{t.commonPlaces(), inTree(own)} {
		for _, root := range outer {
			for _, at := range within(all, root) {
				cells[at] = true
			}
		}
	}
	return inTree(cells)
}

// commonPlaces lists the private scopes and those where something is said to Everyone or to the actor, in order of the tree.
func (t *trial) commonPlaces() []Scope {
	if t.common != nil {
		return t.common
	}
	found := map[Scope]bool{Global(): true}
	for _, p := range []*policy{t.before, t.after} {
		p.scopesOf(p.everyone(), found)
		for number := range p.privates.all() {
			found[p.places.at(number).scope] = true
		}
	}
	for _, at := range t.actor.places() {
		found[at] = true
	}
	t.common = inTree(found)
	return t.common
}

// A side is a policy with those in reach of the subject, or of the actor, of whom something has a window or condition.
type side struct {
	policy *policy
	timed  []*holder
}

// timed returns the sides from which a verdict on a subject may change with time.
func (t *trial) timed(who Subject) []side {
	var sides []side
	add := func(p *policy, who Subject) {
		timed := slices.DeleteFunc(p.bearersOf(who), func(h *holder) bool { return len(h.terms()) == 0 })
		if len(timed) > 0 {
			sides = append(sides, side{p, timed})
		}
	}
	add(t.before, who)
	add(t.after, who)
	add(t.actor.policy, t.actor.subject)
	return sides
}

// instants lists now and every later instant at which a window opens or closes: of a membership, or of what is said at a
// scope or above it.
func (t *trial) instants(sides []side, at Scope) []time.Time {
	set := map[time.Time]bool{t.now: true}
	for _, s := range sides {
		var way path
		s.policy.walk(&at, &way)
		for _, h := range s.timed {
			for _, number := range h.termsOn(&way) {
				w := h.window(number)
				for _, turn := range []time.Time{w.NotBefore, w.NotAfter} {
					if turn.After(t.now) {
						set[turn] = true
					}
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(set), time.Time.Compare)
}

// termsOn lists the numbers of the terms of a holder's memberships, and of its statements on a path.
func (h *holder) termsOn(way *path) []uint32 {
	var list []uint32
	for i := range h.groups {
		list = append(list, h.groups[i].terms)
	}
	for _, at := range way.places[:way.n] {
		for _, g := range h.grantsAt(at) {
			list = append(list, g.terms)
		}
		for _, o := range h.overridesAt(at) {
			list = append(list, o.terms)
		}
	}
	return list
}

// mostBranches bounds how many ways to answer conditions are tried for one verdict.
const mostBranches = 1 << 14

// forSomeFacts says whether test holds for some answers to the conditions it asks for. Where one question had too many
// ways the change is refused, and no other is asked.
func (t *trial) forSomeFacts(test func(Facts) bool) bool {
	if t.undecided {
		return false
	}
	open := []map[Condition]truth{{}}
	for tries := 0; len(open) > 0; tries++ {
		if tries == mostBranches {
			t.undecided = true
			return false
		}
		f := factBranch{given: open[len(open)-1]}
		open = open[:len(open)-1]
		if test(&f) {
			return true
		}
		for i, c := range f.asked {
			for _, other := range []truth{fails, unknown} {
				next := maps.Clone(f.given)
				for _, earlier := range f.asked[:i] {
					next[earlier] = holds
				}
				next[c] = other
				open = append(open, next)
			}
		}
	}
	return false
}

// A factBranch answers some conditions as given, and says of every other one that it holds, noting that it was asked.
type factBranch struct {
	given map[Condition]truth
	asked []Condition
}

func (f *factBranch) Holds(c Condition) (bool, error) {
	answer, ok := f.given[c]
	if !ok && !slices.Contains(f.asked, c) {
		f.asked = append(f.asked, c)
	}
	switch {
	case answer == unknown:
		return false, errors.New("cannot say")
	case answer == fails:
		return false, nil
	}
	return true, nil
}
