package sqlfilter

import (
	"slices"

	"github.com/rolecall-go/rolecall"
)

// What a set singles out, in the shape of the table.

// A spot is a scope below the parent that the set singles out, or one on the way to such a scope.
type spot struct {
	id      string
	region  bool // it has rules of its own
	open    rolecall.ScopeRule
	private rolecall.ScopeRule
	closes  bool // it is a private scope, known from the policy
	inside  []*spot
	byID    map[string]*spot
}

// tree arranges what the set singles out in the shape of the table. Its root is the parent.
func (w *writer) tree(set *rolecall.ScopeSet) (*spot, error) {
	parent := w.table.Parent
	if parent.IsZero() {
		parent = rolecall.Global()
	}
	l, err := set.In(parent)
	if err != nil {
		return nil, err
	}
	root := &spot{open: l.Default(), private: l.Private()}
	listed := false
	for r := range set.Regions(rolecall.Scope{}) {
		listed = listed || !r.Open.Equal(r.Private)
		if at := w.place(root, parent, r.Scope); at != nil {
			at.region, at.open, at.private = true, r.Open, r.Private
		}
	}
	if !listed || !slices.ContainsFunc(w.table.Path, func(l Level) bool { return l.Private == "" }) {
		return root, nil
	}
	for p := range set.PrivateScopes(rolecall.Scope{}) {
		depth := p.Depth() - parent.Depth()
		if depth < 1 || depth > len(w.table.Path) || w.table.Path[depth-1].Private != "" {
			continue
		}
		if at := w.place(root, parent, p); at != nil {
			at.closes = true
		}
	}
	return root, nil
}

// place returns the spot of a scope that rows can be at or in, nil for any other.
func (w *writer) place(root *spot, parent, t rolecall.Scope) *spot {
	depth := t.Depth() - parent.Depth()
	if depth < 1 || depth > len(w.table.Path) || !parent.Contains(t) {
		return nil
	}
	var ids []string
	n := 0
	for kind, id := range t.Segments() {
		if n++; n <= parent.Depth() {
			continue
		}
		if kind != w.table.Path[len(ids)].Kind {
			return nil
		}
		ids = append(ids, id)
	}
	at := root
	for _, id := range ids {
		at = at.child(id)
	}
	return at
}

func (s *spot) child(id string) *spot {
	if found := s.byID[id]; found != nil {
		return found
	}
	if s.byID == nil {
		s.byID = map[string]*spot{}
	}
	c := &spot{id: id}
	s.byID[id] = c
	s.inside = append(s.inside, c)
	return c
}

// A state is what holds on the way down: the rules of the region, and the columns that tell whether a private scope
// has been passed since.
type state struct {
	open, private rolecall.ScopeRule
	closers       []string
}

// enter goes down into a scope of a level; at is nil for all that the set does not single out.
func (s state) enter(l Level, at *spot) state {
	switch {
	case at != nil && at.region:
		return state{open: at.open, private: at.private}
	case at != nil && at.closes:
		return state{open: s.private, private: s.private}
	case l.Private != "" && !s.open.Equal(s.private):
		s.closers = append(slices.Clip(s.closers), l.Private)
	}
	return s
}
