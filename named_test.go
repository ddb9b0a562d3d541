package rolecall_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// scopesNamed lists, by reading every statement, the scopes of a kind that a policy names, and those above them.
func scopesNamed(s *rolecall.Snapshot, kind rolecall.ScopeKind) []rolecall.Scope {
	var named []rolecall.Scope
	for one := range s.Statements() {
		var at rolecall.Scope
		switch one := one.(type) {
		case rolecall.Grant:
			at = one.Scope
		case rolecall.Override:
			at = one.Scope
		case rolecall.PrivateScope:
			at = one.Scope
		default:
			continue
		}
		for above := range at.Ancestors() {
			if above.Kind() == kind && kind != rolecall.GlobalKind {
				named = append(named, above)
			}
		}
	}
	slices.SortFunc(named, rolecall.Scope.Compare)
	return slices.Compact(named)
}

// kindsOf lists the scope kinds of a catalog, and one that it does not declare.
func kindsOf(c *rolecall.Catalog) []rolecall.ScopeKind {
	kinds := []rolecall.ScopeKind{rolecall.GlobalKind, "undeclared"}
	for _, d := range c.Declarations().ScopeKinds {
		kinds = append(kinds, d.Kind)
	}
	return kinds
}

func mustNameSame(t rapid.TB, s *rolecall.Snapshot) {
	for _, kind := range kindsOf(s.Catalog()) {
		want, got := textsOf(scopesNamed(s, kind)), textsOf(slices.Collect(s.NamedScopes(kind)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("NamedScopes(%q): -want +got:\n%s", kind, diff)
		}
	}
}

// TestNamedScopes compares NamedScopes with a reading of every statement on random worlds.
func TestNamedScopes(t *testing.T) {
	many(t, func(t *rapid.T) { mustNameSame(t, newBench(t, drawWorld(t)).snapshot) })
}

// TestScopesNamed compares ScopeSet.Named with the check of every scope that the policy names, on random worlds.
func TestScopesNamed(t *testing.T) {
	many(t, func(t *rapid.T) {
		b := newBench(t, drawWorld(t))
		v := b.view(drawAsker(t))
		if v.err != nil {
			t.Skip("the asker's session is refused")
		}
		p, facts := pick(t, permissions, "permission"), drawFacts(t)
		for _, kind := range kindsOf(b.snapshot.Catalog()) {
			set, err := v.Scopes(kind, p)
			if err != nil {
				continue
			}
			var want []rolecall.Scope
			for _, at := range scopesNamed(b.snapshot, kind) {
				if v.Check(p, at, facts) == nil {
					want = append(want, at)
				}
			}
			got := slices.Collect(set.Named(func(rolecall.Scope) rolecall.Facts { return facts }))
			if diff := cmp.Diff(textsOf(want), textsOf(got)); diff != "" {
				t.Fatalf("Scopes(%q, %s).Named: -want +got:\n%s\npolicy:\n%s", kind, p, diff, b.world)
			}
		}
	})
}
