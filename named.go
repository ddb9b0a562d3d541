package rolecall

import (
	"iter"
	"slices"
)

// NamedScopes yields every scope of a kind that the policy names: where a grant, an override or a private scope is
// placed, and what lies above such a place, without Global. They come in the order of Scope.Compare, those after a scope,
// the zero Scope for all of them. Each page costs a look at the places that the policy names, not at its statements.
func (s *Snapshot) NamedScopes(kind ScopeKind, after Scope) iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		var named []Scope
		s.policy.scopes.all(func(at *place) bool {
			if at.scope.isKind(kind) && at.scope.Compare(after) > 0 {
				named = append(named, at.scope)
			}
			return true
		})
		slices.SortFunc(named, Scope.Compare)
		for _, t := range named {
			if !yield(t) {
				return
			}
		}
	}
}

// Named yields the scopes of the set that the policy names, in the order of NamedScopes: those after a scope, the zero
// Scope for all of them. facts answers conditions for a scope; nil facts say that none holds. It costs what the subject's
// statements cost and a look at the named places in the regions where they allow something, not at all places; facts are
// asked for those scopes only that a page comes to.
func (s *ScopeSet) Named(after Scope, facts func(Scope) Facts) iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		var named []namedScope
		for i := range s.zones {
			z := &s.zones[i]
			s.namedIn(z, z.at, z.open, func(t Scope, rule *verdictNode) {
				if t.Compare(after) > 0 {
					named = append(named, namedScope{t, rule})
				}
			})
		}
		slices.SortFunc(named, func(a, b namedScope) int { return a.scope.Compare(b.scope) })
		for _, one := range named {
			if (one.rule == ruleAlways || s.containsGiven(one.scope, facts)) && !yield(one.scope) {
				return
			}
		}
	}
}

// A namedScope is one that may be in the set.
type namedScope struct {
	scope Scope
	rule  *verdictNode
}

// namedIn finds the named scopes of the set's kind at a place and inside it, without looking into other zones. The rule
// is that of the place.
func (s *ScopeSet) namedIn(z *zone, at *place, rule *verdictNode, found func(Scope, *verdictNode)) {
	if rule == ruleNever && z.closed == ruleNever {
		return
	}
	if rule != ruleNever && at.number != globalNumber && at.scope.isKind(s.kind) {
		found(at.scope, rule)
	}
	for number := range at.children.all() {
		child := s.view.policy.places.at(number)
		if s.zoneAt(child) != nil {
			continue
		}
		inside := rule
		if child.private {
			inside = z.closed
		}
		s.namedIn(z, child, inside, found)
	}
}

func (s *ScopeSet) containsGiven(t Scope, facts func(Scope) Facts) bool {
	if facts == nil {
		return s.contains(&t, nil)
	}
	return s.contains(&t, facts(t))
}
