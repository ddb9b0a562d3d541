package rolecall

import (
	"iter"
	"slices"
)

// In returns what the set holds directly inside a parent: the projects of Global(), the shots of one project. It is the
// form in which a person reads a set, and the answer to "list my projects". An error says that the parent is invalid or
// not declared.
func (s *ScopeSet) In(parent Scope) (*ScopeList, error) {
	var way path
	if err := s.view.walk(&parent, &way); err != nil {
		return nil, err
	}
	z, depth := s.zoneOn(&way)
	l := &ScopeList{set: s, closes: s.closes(z), open: s.rule(z.open, z.at, false), private: s.rule(z.closed, z.at, true)}
	if way.private > depth {
		l.closes, l.open = false, l.private
	}
	if way.n <= int(parent.depth) {
		return l, nil
	}
	l.parent = way.places[way.n-1]
	for i := range s.zones {
		if z := &s.zones[i]; z.at.parent == l.parent.number && z.at.number != globalNumber && z.at.scope.isKind(s.kind) {
			l.named = append(l.named, z)
		}
	}
	slices.SortFunc(l.named, func(a, b *zone) int { return a.at.scope.Compare(b.at.scope) })
	return l, nil
}

// A ScopeList is a ScopeSet seen from one parent: the scopes of its kind directly inside it. What the policy does not
// single out follows Default; Included, Excluded and Conditional name every exception. It is immutable and safe for
// concurrent use.
type ScopeList struct {
	set     *ScopeSet
	parent  *place // nil where the policy does not name it
	closes  bool   // Default does not hold for private scopes
	open    ScopeRule
	private ScopeRule
	named   []*zone // sorted by scope
}

// Default returns what holds for a scope that is no exception. Where it is Always the list reads "all but Excluded",
// where it is Never "only Included".
func (l *ScopeList) Default() ScopeRule { return l.open }

// Private returns what holds for a private scope of which nothing more is said to the subject.
func (l *ScopeList) Private() ScopeRule { return l.private }

// OnlyOpen says whether Default does not hold for private scopes: the list then reads "everything open", and names the
// private scopes among its exceptions.
func (l *ScopeList) OnlyOpen() bool { return l.closes }

// Included yields the exceptions that are in the set whatever the facts, after a scope, the zero Scope for all of
// them, in the order of Scope.Compare.
func (l *ScopeList) Included(after Scope) iter.Seq[Scope] {
	return l.exceptions(after, ScopeRule.Always)
}

// Excluded yields the exceptions that are not in the set whatever the facts, like Included.
func (l *ScopeList) Excluded(after Scope) iter.Seq[Scope] {
	return l.exceptions(after, ScopeRule.Never)
}

func (l *ScopeList) exceptions(after Scope, which func(ScopeRule) bool) iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		for t, rule := range l.Exceptions(after) {
			if which(rule) && !yield(t) {
				return
			}
		}
	}
}

// Conditional yields the exceptions that depend on facts, each with its rule, like Included.
func (l *ScopeList) Conditional(after Scope) iter.Seq2[Scope, ScopeRule] {
	return func(yield func(Scope, ScopeRule) bool) {
		for t, rule := range l.Exceptions(after) {
			if !rule.Always() && !rule.Never() && !yield(t, rule) {
				return
			}
		}
	}
}

// Exceptions yields every exception, each with its rule, like Included.
func (l *ScopeList) Exceptions(after Scope) iter.Seq2[Scope, ScopeRule] {
	return func(yield func(Scope, ScopeRule) bool) {
		privates := l.privates() // two sorted lists, merged
		for _, z := range l.named {
			for len(privates) > 0 && privates[0].Compare(z.at.scope) < 0 {
				if privates[0].Compare(after) > 0 && !yield(privates[0], l.private) {
					return
				}
				privates = privates[1:]
			}
			rule := l.set.rule(z.open, z.at, false)
			if z.at.scope.Compare(after) > 0 && !rule.Equal(l.open) && !yield(z.at.scope, rule) {
				return
			}
		}
		for _, t := range privates {
			if t.Compare(after) > 0 && !yield(t, l.private) {
				return
			}
		}
	}
}

// privates returns the private scopes of the list that Default does not cover and no statement singles out.
func (l *ScopeList) privates() []Scope {
	if l.parent == nil || !l.closes {
		return nil
	}
	var list []Scope
	for number := range l.parent.children.all() {
		at := l.set.view.policy.places.at(number)
		if at.private && at.scope.isKind(l.set.kind) && l.set.zoneAt(at) == nil {
			list = append(list, at.scope)
		}
	}
	slices.SortFunc(list, Scope.Compare)
	return list
}
