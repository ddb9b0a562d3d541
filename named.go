package rolecall

import (
	"iter"
	"slices"
)

// NamedScopes yields every scope of a kind that the policy names, in the order of Scope.Compare: where a grant, an
// override or a private scope is placed, and what lies above such a place, without Global. Its cost follows the places
// that the policy names, not its statements.
func (s *Snapshot) NamedScopes(kind ScopeKind) iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		var named []Scope
		s.policy.scopes.all(func(at *place) bool {
			if at.scope.isKind(kind) {
				named = append(named, at.scope)
			}
			return true
		})
		yieldSorted(named, yield)
	}
}

// Named yields the scopes of the set that the policy names (see Snapshot.NamedScopes), in the order of Scope.Compare.
// facts answers conditions for a scope; nil facts say that none holds. Its cost follows the subject's statements and the
// named places in the regions where they allow something, not all places.
func (s *ScopeSet) Named(facts func(Scope) Facts) iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		var named []Scope
		for i := range s.zones {
			z := &s.zones[i]
			s.namedIn(z, z.at, z.open, func(t Scope, rule *verdictNode) {
				if rule == ruleAlways || s.containsGiven(t, facts) {
					named = append(named, t)
				}
			})
		}
		yieldSorted(named, yield)
	}
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

func yieldSorted(list []Scope, yield func(Scope) bool) {
	slices.SortFunc(list, Scope.Compare)
	for _, t := range list {
		if !yield(t) {
			return
		}
	}
}
