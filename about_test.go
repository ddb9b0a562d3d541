package rolecall_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
	"pgregory.net/rapid"
)

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
			want := slices.DeleteFunc(slices.Collect(s.Statements()), func(one rolecall.Statement) bool {
				return statements.Scope(one).IsZero() || !c.want(statements.Scope(one))
			})
			if diff := cmp.Diff(textsOf(want), textsOf(c.got)); diff != "" {
				t.Fatalf("%s(%s): -want +got:\n%s\npolicy:\n%s", name, at, diff, w)
			}
		}
	})
}

// TestAbout compares what is said about a subject or a role with all statements, one by one: the same ones, windows and
// all, and in the same order, in which neither how a policy came about nor the process shows.
func TestAbout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		s := w.snapshot(t)
		all := slices.Collect(s.Statements())
		for _, who := range append(slices.Collect(s.Subjects()), rolecall.Everyone()) {
			want := slices.DeleteFunc(slices.Clone(all), func(one rolecall.Statement) bool { return !slices.Contains(statements.Subjects(one), who) })
			if diff := cmp.Diff(textsOf(want), textsOf(s.About(who))); diff != "" {
				t.Fatalf("About(%s): -want +got:\n%s\npolicy:\n%s", who, diff, w)
			}
		}
		for _, name := range append(roleNames, "nosuch") {
			want := slices.DeleteFunc(slices.Clone(all), func(one rolecall.Statement) bool { return !slices.Contains(rolesIn(one), name) })
			if diff := cmp.Diff(textsOf(want), textsOf(s.UsesOf(name))); diff != "" {
				t.Fatalf("UsesOf(%s): -want +got:\n%s\npolicy:\n%s", name, diff, w)
			}
		}
	})
}

// rolesIn returns the roles that a statement names beside itself.
func rolesIn(one rolecall.Statement) []rolecall.RoleName {
	switch one := one.(type) {
	case rolecall.Role:
		return one.Inherits
	case rolecall.Grant:
		return []rolecall.RoleName{one.Role}
	case rolecall.Constraint:
		return one.Roles
	}
	return nil
}

// TestProblemsAreInOrder: many problems of one change are told in the order of the statements that they are about, and of
// many statements that break a rule the first ones.
func TestProblemsAreInOrder(t *testing.T) {
	ada, crew := rolecall.User("ada"), rolecall.Group("crew")
	statements := []rolecall.Statement{roleOf("a", "task.view"), roleOf("b", "task.view"), roleOf("c", "task.view")}
	for i := range 9 {
		at := rolecall.In("project", string(rune('1'+i)))
		for _, r := range []rolecall.RoleName{"a", "b", "c"} {
			statements = append(statements, grant(ada, r, at), grant(crew, r, at))
		}
	}
	s := snapshotOf(t, smallCatalog(t), statements...)
	guests := func(name rolecall.RoleName) rolecall.Edit {
		return rolecall.Put(rolecall.Role{Name: name, Holders: []rolecall.SubjectKind{rolecall.KindGuest}})
	}
	for _, c := range []struct {
		edits []rolecall.Edit
		want  int
	}{
		{[]rolecall.Edit{rolecall.Remove(rolecall.Role{Name: "b"})}, 18},
		{[]rolecall.Edit{guests("c"), guests("a"), guests("b")}, 54},
	} {
		_, err := s.Propose(rolecall.Change{Edits: c.edits})
		problems := rolecall.ProblemsOf(err)
		if len(problems) != c.want || !slices.IsSortedFunc(problems, func(a, b *rolecall.Problem) int {
			return rolecall.KeyOf(a.Statement).Compare(rolecall.KeyOf(b.Statement))
		}) {
			t.Errorf("Propose(%v): %v\nwant %d problems in the order of their grants", c.edits, err, c.want)
		}
	}
	apart := rolecall.Constraint{Name: "apart", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"c", "b"}}
	_, err := s.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(apart)}})
	const first = "b by grant group:crew b at /project:1, c by grant group:crew c at /project:1"
	if problems := rolecall.ProblemsOf(err); len(problems) != 2 || !strings.Contains(problems[0].Detail, first) {
		t.Errorf("Propose(%v): %v\nwant two problems, the first with %s", apart, err, first)
	}
}

// The zero scope is no place, and not Global.
func TestNothingIsAtTheZeroScope(t *testing.T) {
	s := world{}.add(role("r0", rule(rolecall.Allow, "", "*")), grant(ann, "r0", global)).snapshot(t).At(day(1))
	var zero rolecall.Scope
	if got := s.Below(zero); len(got) != 0 {
		t.Errorf("Below(the zero scope) = %v, want nothing", got)
	}
	if got := s.Around(zero); len(got) != 0 {
		t.Errorf("Around(the zero scope) = %v, want nothing", got)
	}
	if got, found := s.Find(rolecall.KeyOf(rolecall.Grant{Subject: ann, Role: "r0"})); found {
		t.Errorf("Find(a grant without a scope) = %v, want none", got)
	}
}
