package rolecall_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// placeOf returns where a statement is placed, the zero Scope where it is at no place.
func placeOf(one rolecall.Statement) rolecall.Scope {
	switch one := one.(type) {
	case rolecall.Grant:
		return one.Scope
	case rolecall.Override:
		return one.Scope
	case rolecall.PrivateScope:
		return one.Scope
	}
	return rolecall.Scope{}
}

// TestPlaced compares what is said around and below a scope with all statements, one by one.
func TestPlaced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		s := w.snapshot(t)
		at := pick(t, lookups, "at")
		for name, c := range map[string]struct {
			got  []rolecall.Statement
			want func(rolecall.Scope) bool
		}{
			"Around": {s.Around(at), func(p rolecall.Scope) bool { return p.Contains(at) }},
			"Below":  {s.Below(at), at.Contains},
		} {
			want := slices.DeleteFunc(w.statements(), func(one rolecall.Statement) bool { return placeOf(one).IsZero() || !c.want(placeOf(one)) })
			if diff := cmp.Diff(sortedTexts(want), sortedTexts(c.got)); diff != "" {
				t.Fatalf("%s(%s): -want +got:\n%s\npolicy:\n%s", name, at, diff, w)
			}
		}
	})
	if got := (world{}).add(private(project)).snapshot(t).Around(rolecall.Scope{}); len(got) != 0 {
		t.Errorf("Around(the zero scope) = %v, want nothing", got)
	}
}

func sortedTexts(list []rolecall.Statement) []string {
	var texts []string
	for _, one := range list {
		texts = append(texts, rolecall.Canonical(one).String())
	}
	slices.Sort(texts)
	return texts
}
