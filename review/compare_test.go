package review_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
	"pgregory.net/rapid"
)

var (
	noteView = rolecall.NewPermission("note.view")
	wider    = newCatalog(taskView, taskUpdate, shotView, noteView)
)

// allowed asks a policy about a permission that it may not declare.
func allowed(t rapid.TB, s *rolecall.Snapshot, who rolecall.Subject, p rolecall.Permission, at rolecall.Scope, f rolecall.Facts) bool {
	err := s.Check(who, p, at, f)
	if err != nil && !errors.Is(err, rolecall.ErrDenied) && !errors.Is(err, rolecall.ErrUnknown) {
		t.Fatalf("Check(%s, %s, %s): %v, want yes or no", who, p, at, err)
	}
	return err == nil
}

// What is gained and lost between two policies, at two instants and by two catalogs, is what two checks say.
func TestCompareIsTheCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) *rolecall.Snapshot {
			c := pick(t, []*rolecall.Catalog{catalog, wider}, label)
			s, err := rolecall.NewSnapshot(c, drawPolicy(t)...)
			if err != nil {
				t.Fatalf("NewSnapshot: %v, want no error", err)
			}
			return s.At(day(pick(t, []int{3, 10, 14}, "at")))
		}
		before, after := draw("before"), draw("after")
		c, err := review.Compare(before, after)
		if err != nil {
			t.Fatalf("Compare: %v, want no error", err)
		}
		for _, who := range append(subjects, stranger) {
			for _, p := range []rolecall.Permission{taskView, taskUpdate, shotView, noteView, rolecall.GrantCreate} {
				for _, at := range scopes {
					for _, f := range []rolecall.Given{{}, {"assigned"}, {"own", "office-hours"}, {"assigned", "own", "office-hours"}} {
						was, is := allowed(t, before, who, p, at, f), allowed(t, after, who, p, at, f)
						if got, want := c.Gains(who, p, at, f), is && !was; got != want {
							t.Fatalf("%s gains %s at %s given %v: %t, want %t; it was %t; from\n%s\nto\n%s", who, p, at, f, got, want, was, policyOf(before), policyOf(after))
						}
						if got, want := c.Loses(who, p, at, f), was && !is; got != want {
							t.Fatalf("%s loses %s at %s given %v: %t, want %t; it is %t; from\n%s\nto\n%s", who, p, at, f, got, want, is, policyOf(before), policyOf(after))
						}
					}
				}
			}
		}
	})
}

func policyOf(s *rolecall.Snapshot) string { return text(slices.Collect(s.Statements())) }

// The deltas lead from what the first says to what the second says.
func TestCompareStatements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := snapshotOf(t, drawPolicy(t)...), snapshotOf(t, drawPolicy(t)...)
		c, err := review.Compare(before, after)
		if err != nil {
			t.Fatalf("Compare: %v, want no error", err)
		}
		now := map[string]bool{}
		for one := range before.Statements() {
			now[one.String()] = true
		}
		for _, d := range c.Statements() {
			if d.Before != nil {
				if !now[d.Before.String()] {
					t.Fatalf("the comparison takes away %s, which was not there", d.Before)
				}
				delete(now, d.Before.String())
			}
			if d.After != nil {
				now[d.After.String()] = true
			}
		}
		for one := range after.Statements() {
			if !now[one.String()] {
				t.Fatalf("the comparison does not lead to %s", one)
			}
			delete(now, one.String())
		}
		if len(now) > 0 {
			t.Fatalf("the comparison leaves %v, which is not there any more", now)
		}
		if !slices.IsSortedFunc(c.Statements(), func(a, b rolecall.Delta) int { return a.Key().Compare(b.Key()) }) {
			t.Fatal("the deltas are not in order of their keys")
		}
	})
}

// Who held what on 3 March, and what is different a fortnight later: with what opened and closed since.
func TestPast(t *testing.T) {
	w := marchShow(t)
	then, err := review.AsOf(t.Context(), w.store, w.snapshot().Catalog(), day(6))
	if err != nil {
		t.Fatal(err)
	}
	if then.Revision() != 5 || !then.Now().Equal(day(6)) {
		t.Fatalf("AsOf(6 March): revision %d at %s, want 5 at 2026-03-06", then.Revision(), then.Now())
	}
	cleo := rolecall.Guest("cleo")
	if err := then.Check(cleo, taskView, alpha); err != nil {
		t.Errorf("on 6 March Cleo may not view tasks: %v, want nil", err)
	}
	o := w.options()
	report, err := review.OfSubject(then, rolecall.User("ben"), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"user:ben artist /project:alpha [] active +task.update when assigned +task.view since 2026-03-05 by user:pia because covers for Ada until 2026-03-25"}
	if diff := cmp.Diff(want, lines(report)); diff != "" {
		t.Errorf("on 6 March: -want +got:\n%s", diff)
	}
	c, err := review.Compare(then, w.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	const wantText = `+ member group:crew of group:studio
+ member user:fay of group:crew from 2026-04-01
+ member user:gil of group:studio
+ grant group:studio viewer at /project:beta
+ grant user:ada viewer at /project:alpha
+ grant user:eve viewer at /project:alpha
+ suspend user:eve
+ private /project:alpha/shot:020
  group:crew gains budget.view task.view at /project:beta, but not in private scopes inside
`
	if got := c.String(); !strings.HasPrefix(got, wantText) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", got, wantText)
	}
	if !c.Loses(cleo, taskView, alpha, nil) {
		t.Error("Cleo, whose grant ended, does not lose task.view")
	}
	at3, err := review.AtRevision(t.Context(), w.store, w.snapshot().Catalog(), 3)
	if err != nil || at3.Revision() != 3 || !at3.Now().IsZero() {
		t.Errorf("AtRevision(3): %v, %v; want revision 3 without an instant", at3, err)
	}
	if _, err := review.AtRevision(t.Context(), w.store, w.snapshot().Catalog(), 99); !errors.Is(err, rolecall.ErrCompacted) {
		t.Errorf("AtRevision(99): %v, want %s", err, rolecall.ErrCompacted)
	}
	if _, err := review.Compare(at3, w.snapshot()); err == nil {
		t.Error("Compare of a snapshot without an instant: no error, want one")
	}
}

// Of a permission that is declared no longer and that a star gave, a policy of the past answers with the declarations of then.
func TestPastOfAStar(t *testing.T) {
	w := newShow(t)
	less, err := rolecall.NewCatalog(rolecall.Declarations{Permissions: []rolecall.PermissionDecl{{Permission: taskView}}})
	if err != nil {
		t.Fatal(err)
	}
	pia, deletes := rolecall.User("pia"), rolecall.NewPermission("task.delete")
	for _, c := range []struct {
		catalog *rolecall.Catalog
		want    error
	}{{less, rolecall.ErrUnknown}, {w.snapshot().Catalog(), nil}} {
		s, err := review.AsOf(t.Context(), w.store, c.catalog, day(2))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(pia, deletes, alpha); !errors.Is(err, c.want) {
			t.Errorf("Check(%s, %s, %s) of the policy of then: %v, want %v", pia, deletes, alpha, err, c.want)
		}
	}
}

// A policy of the past can be asked although the host declares less now.
func TestPastNamesWhatIsGone(t *testing.T) {
	w := newShow(t).on(2, "user:pia", "", "+override user:ada allow task.delete at /project:alpha/shot:010 when assigned")
	less, err := rolecall.NewCatalog(rolecall.Declarations{Permissions: []rolecall.PermissionDecl{{Permission: taskView, Title: "See"}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := review.AsOf(t.Context(), w.store, less, day(2))
	if err != nil {
		t.Fatalf("AsOf with a catalog that declares less: %v, want no error", err)
	}
	if err := s.Check(ada, rolecall.NewPermission("task.delete"), shot, rolecall.Given{"assigned"}); err != nil {
		t.Errorf("Check(task.delete) on 2 March: %v, want nil", err)
	}
	if d := s.Catalog().Declarations(); !slices.Contains(d.Permissions, rolecall.PermissionDecl{Permission: taskView, Title: "See"}) || len(d.SubjectKinds) != 0 {
		t.Errorf("the catalog declares %v, want what the host declares and nothing that is built in", d)
	}
}
