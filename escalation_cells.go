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

// instants lists now and every later instant at which a window of the subject or the actor opens or closes.
func (t *trial) instants(who Subject) []time.Time {
	set := map[time.Time]bool{t.now: true}
	add := func(p *policy, who Subject) {
		for _, h := range p.bearersOf(who) {
			for _, some := range h.terms() {
				for _, at := range []time.Time{some.NotBefore, some.NotAfter} {
					if at.After(t.now) {
						set[at] = true
					}
				}
			}
		}
	}
	add(t.before, who)
	add(t.after, who)
	add(t.actor.policy, t.actor.subject)
	return slices.SortedFunc(maps.Keys(set), time.Time.Compare)
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
