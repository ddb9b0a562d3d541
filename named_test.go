package rolecall_test

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
	"pgregory.net/rapid"
)

// scopesNamed lists, by reading every statement, the scopes of a kind that a policy names, and those above them.
func scopesNamed(s *rolecall.Snapshot, kind rolecall.ScopeKind) []rolecall.Scope {
	var named []rolecall.Scope
	for one := range s.Statements() {
		for above := range statements.Scope(one).Ancestors() {
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

// mustResume compares a list with what is wanted, whole and after every scope that the worlds know, whether or not it is
// in the list.
func mustResume(t rapid.TB, called string, want []rolecall.Scope, list func(after rolecall.Scope) iter.Seq[rolecall.Scope]) {
	for _, after := range append(scopes, rolecall.Scope{}) {
		rest := slices.DeleteFunc(slices.Clone(want), func(t rolecall.Scope) bool { return t.Compare(after) <= 0 })
		if diff := cmp.Diff(textsOf(rest), textsOf(slices.Collect(list(after)))); diff != "" {
			t.Fatalf("%s after %s: -want +got:\n%s", called, after, diff)
		}
	}
}

func mustNameSame(t rapid.TB, s *rolecall.Snapshot) {
	for _, kind := range kindsOf(s.Catalog()) {
		mustResume(t, fmt.Sprintf("NamedScopes(%q)", kind), scopesNamed(s, kind), func(after rolecall.Scope) iter.Seq[rolecall.Scope] {
			return s.NamedScopes(kind, after)
		})
	}
}

// TestNamedScopes compares NamedScopes with a reading of every statement on random worlds.
func TestNamedScopes(t *testing.T) {
	many(t, func(t *rapid.T) { mustNameSame(t, newBench(t, drawWorld(t)).snapshot) })
}

// TestScopesNamed compares ScopeSet.Named with the check of every scope that the policy names, on random worlds.
func TestScopesNamed(t *testing.T) {
	many(t, func(t *rapid.T) {
		b, v := drawView(t)
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
			mustResume(t, fmt.Sprintf("Scopes(%q, %s).Named", kind, p), want, func(after rolecall.Scope) iter.Seq[rolecall.Scope] {
				return set.Named(after, func(rolecall.Scope) rolecall.Facts { return facts })
			})
		}
	})
}

// A page asks for the facts of the scopes that it comes to, and of no others.
func TestNamedAsksForAPage(t *testing.T) {
	says := []rolecall.Statement{role("r0", rule(rolecall.Allow, "assigned", "task.view"))}
	for n := range 10 {
		says = append(says, grant(ann, "r0", rolecall.In("project", fmt.Sprint(n))))
	}
	s, err := rolecall.NewSnapshot(worldCatalog, says...)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.At(day(1)).For(ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := setOf(t, v, "project", seeTask)
	var asked []string
	facts := func(at rolecall.Scope) rolecall.Facts {
		asked = append(asked, at.ID())
		return rolecall.Given{"assigned"}
	}
	for at := range set.Named(rolecall.In("project", "3"), facts) {
		if at.ID() == "5" {
			break
		}
	}
	if want := []string{"4", "5"}; !slices.Equal(asked, want) {
		t.Errorf("Named after project 3, up to project 5, asked for the facts of %q, want %q", asked, want)
	}
}
