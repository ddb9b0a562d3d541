package rolecall

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
)

// A ScopeSet is the answer to: at which scopes of a kind may a subject do a permission? It holds all of them, those the
// policy names and those it has never heard of, as a few regions with a rule each, so that it costs what the subject's
// own statements cost, however many scopes there are. For every scope of the kind, at any path, and for any facts,
// Contains says what View.Check says.
//
// Take it apart in one of three ways:
//
//	Contains, Among   test scopes, one or many
//	In                lists what is directly inside one parent: everything but these, only these, as conditions decide
//	Regions           the whole of it; the package sqlfilter turns it into a WHERE fragment
//
// Named lists those that the policy itself names, where nothing else knows of scopes.
//
// A ScopeSet is immutable and safe for concurrent use. It holds for one revision and one instant.
type ScopeSet struct {
	view       *View
	kind       ScopeKind
	permission int
	zones      []zone // by number of the place; the first is Global's
}

// Scopes returns the set of the scopes of a kind, GlobalKind for the whole instance itself, at which the subject may do
// p. An error says that the kind or the permission is invalid or not declared.
func (v *View) Scopes(kind ScopeKind, p Permission) (*ScopeSet, error) {
	c := v.policy.catalog
	if fault := c.checkScopeKind(kind); fault != nil {
		return nil, fault
	}
	number, err := c.permission(p)
	if err != nil {
		return nil, err
	}
	return &ScopeSet{view: v.shared(), kind: kind, permission: number, zones: v.survey(number)}, nil
}

func (c *Catalog) checkScopeKind(kind ScopeKind) *Problem {
	if kind == GlobalKind || c.scopeKinds[kind] {
		return nil
	}
	if p := checkName("scope kind", string(kind)); p != nil {
		return placed(p, "request")
	}
	return problem(ErrUnknown, "request", string(kind), "no such scope kind is declared%s", didYouMean(string(kind), stringsOf(maps.Keys(c.scopeKinds))))
}

// shared returns a copy of the view that many goroutines may judge with: it remembers nothing.
func (v *View) shared() *View {
	c := *v
	c.sights = sightTable{}
	return &c
}

// Kind returns the kind of the scopes.
func (s *ScopeSet) Kind() ScopeKind { return s.kind }

// Permission returns what the subject may do at the scopes of the set.
func (s *ScopeSet) Permission() Permission { return s.view.policy.catalog.permissions[s.permission] }

// Subject returns whose set it is.
func (s *ScopeSet) Subject() Subject { return s.view.subject }

// Catalog returns the vocabulary of the policy that was asked.
func (s *ScopeSet) Catalog() *Catalog { return s.view.policy.catalog }

// Revision returns the revision of the policy that was asked.
func (s *ScopeSet) Revision() Revision { return s.view.policy.revision }

// Empty says whether no scope can be in the set, whatever the facts.
func (s *ScopeSet) Empty() bool {
	return !slices.ContainsFunc(s.zones, func(z zone) bool { return z.open != ruleNever }) // privacy never opens
}

// Contains says whether t is in the set, given these facts about it. It is false for a scope of another kind, and where
// t or a given condition is invalid or not declared.
func (s *ScopeSet) Contains(t Scope, facts ...Facts) bool {
	var given Facts
	if len(facts) > 0 {
		given = joinFacts(facts)
	}
	return s.contains(&t, given)
}

func (s *ScopeSet) contains(t *Scope, facts Facts) bool {
	var way path
	if !t.isKind(s.kind) || s.view.walk(t, &way) != nil {
		return false
	}
	if facts != nil && s.view.policy.catalog.checkFacts(facts) != nil {
		return false
	}
	switch node := s.nodeAt(&way); {
	case node == ruleAlways, node == ruleNever:
		return node == ruleAlways
	case node == ruleAsk:
		return s.view.grants(s.permission, &way, facts)
	default:
		return node.leafFor(s.view.policy.catalog, facts) == leafAlways
	}
}

// isKind compares the kind of the last segment without taking it apart.
func (s *Scope) isKind(kind ScopeKind) bool {
	if !s.valid() {
		return false
	}
	if s.depth == 0 {
		return kind == GlobalKind
	}
	segment := s.path[strings.LastIndexByte(s.path, '/')+1:]
	return len(segment) > len(kind) && segment[len(kind)] == ':' && segment[:len(kind)] == string(kind)
}

// nodeAt returns what holds at the end of a path.
func (s *ScopeSet) nodeAt(way *path) *verdictNode {
	z, depth := s.zoneOn(way)
	if way.private > depth {
		return z.closed
	}
	return z.open
}

// zoneOn returns the innermost zone on a path, and its depth.
func (s *ScopeSet) zoneOn(way *path) (*zone, int) {
	for depth := way.n - 1; depth > 0 && len(s.zones) > 1; depth-- {
		if z := s.zoneAt(way.places[depth]); z != nil {
			return z, depth
		}
	}
	return &s.zones[0], 0
}

func (s *ScopeSet) zoneAt(at *place) *zone {
	i, found := slices.BinarySearchFunc(s.zones, at.number, func(z zone, number uint32) int { return cmp.Compare(z.at.number, number) })
	if !found {
		return nil
	}
	return &s.zones[i]
}

// Among yields those of the candidates that are in the set, in their order. facts answers conditions for a candidate;
// nil facts say that none holds.
func (s *ScopeSet) Among(candidates iter.Seq[Scope], facts func(Scope) Facts) iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		for t := range candidates {
			var given Facts
			if facts != nil {
				given = facts(t)
			}
			if s.contains(&t, given) && !yield(t) {
				return
			}
		}
	}
}

// A ScopeRegion is a scope with everything inside it, apart from the regions further in, and what holds there.
type ScopeRegion struct {
	Scope Scope
	// Open holds at the scope, and at what is inside it with no private scope in between.
	Open ScopeRule
	// Private holds at each private scope inside it and at everything in there.
	Private ScopeRule
}

// Regions yields the regions of the set after a scope, the zero Scope for all of them, in the order of Scope.Compare.
// The first of all is Global's: what holds wherever no other region says more.
func (s *ScopeSet) Regions(after Scope) iter.Seq[ScopeRegion] {
	return func(yield func(ScopeRegion) bool) {
		for _, z := range s.sorted(after) {
			if !yield(ScopeRegion{z.at.scope, s.rule(z.open, z.at, false), s.rule(z.closed, z.at, true)}) {
				return
			}
		}
	}
}

// sorted returns the zones after a scope in order of their scopes.
func (s *ScopeSet) sorted(after Scope) []zone {
	list := slices.DeleteFunc(slices.Clone(s.zones), func(z zone) bool { return z.at.scope.Compare(after) <= 0 })
	slices.SortFunc(list, func(a, b zone) int { return a.at.scope.Compare(b.at.scope) })
	return list
}

// rule makes a rule of what holds at a place, or below a private scope inside it.
func (s *ScopeSet) rule(n *verdictNode, at *place, closed bool) ScopeRule {
	r := ScopeRule{catalog: s.view.policy.catalog, node: n}
	if n == ruleAsk {
		r.ask = func(facts Facts) bool { return s.view.grantsIn(at.scope, s.permission, closed, facts) }
	}
	return r
}

// PrivateScopes yields the private scopes at which a region's Private rule takes the place of a different Open rule,
// in the order of Scope.Compare, after a scope, the zero Scope for all of them. A private scope inside another one of
// the same region changes nothing and is left out. It costs a look at every scope that the policy names in such regions.
func (s *ScopeSet) PrivateScopes(after Scope) iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		var list []Scope
		for i := range s.zones {
			if z := &s.zones[i]; s.closes(z) {
				s.closings(z.at, func(at *place) { list = append(list, at.scope) })
			}
		}
		slices.SortFunc(list, Scope.Compare)
		for _, t := range list {
			if t.Compare(after) > 0 && !yield(t) {
				return
			}
		}
	}
}

// closes says whether privacy may make a difference in a zone.
func (s *ScopeSet) closes(z *zone) bool {
	return z.open != z.closed || z.open == ruleAsk && !s.view.policy.builtin(s.permission)
}

// closings finds the outermost private places strictly inside at, without looking into other zones.
func (s *ScopeSet) closings(at *place, found func(*place)) {
	for number := range at.children.all() {
		child := s.view.policy.places.at(number)
		switch {
		case s.zoneAt(child) != nil:
		case child.private:
			found(child)
		default:
			s.closings(child, found)
		}
	}
}
