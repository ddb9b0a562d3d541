package review_test

import (
	gocmp "cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
	"pgregory.net/rapid"
)

// Every row is the answer of the check, whoever has it and whatever the facts.
func mustBeTheCheck(t rapid.TB, s *rolecall.Snapshot, report *review.Report) {
	for _, row := range report.Rows {
		for _, item := range slices.Concat(row.Gives, row.Takes) {
			for _, f := range allFacts() {
				want := s.Check(row.Subject, item.Permission, row.Scope, f) == nil
				if got := item.When.Holds(f); got != want {
					t.Fatalf("review of %s: %s %s at %s %s given %v: %t, want %t", report.Of, row.Subject, row.Statement, row.Scope, item, f, got, want)
				}
			}
		}
		for _, item := range row.Gives {
			if item.When.Never() {
				t.Fatalf("review of %s: %s gives %s %s, which is never so", report.Of, row.Statement, row.Subject, item)
			}
		}
		for _, item := range row.Takes {
			if item.When.Always() {
				t.Fatalf("review of %s: %s takes from %s %s, which is always so", report.Of, row.Statement, row.Subject, item)
			}
		}
	}
}

// deciding lists what each statement decides for a subject at a place for some facts, by asking with all of them.
func deciding(t rapid.TB, s *rolecall.Snapshot, who rolecall.Subject, at rolecall.Scope) map[string][]string {
	found := map[string][]string{}
	add := func(one rolecall.Statement, what string, p rolecall.Permission) {
		key := rolecall.KeyOf(one).String()
		if line := what + p.String(); !slices.Contains(found[key], line) {
			found[key] = append(found[key], line)
		}
	}
	for p := range catalog.Permissions() {
		for _, f := range allFacts() {
			d, err := s.Decide(rolecall.Request{Subject: who, Permission: p, Scope: at, Facts: f})
			if err != nil {
				t.Fatalf("Decide: %v, want no error", err)
			}
			for _, one := range d.Deciding() {
				switch {
				case d.Allowed() && one.Effect == rolecall.Allow:
					add(one.Statement, "+", p)
				case !d.Allowed() && one.Effect > rolecall.Except:
					add(one.Statement, "-", p)
				}
			}
			for _, one := range d.Losing() {
				if !d.Allowed() && one.Fate == rolecall.LostToReplace && one.Effect == rolecall.Allow {
					add(one.By, "-", p)
				}
			}
		}
	}
	for key := range found {
		slices.Sort(found[key])
	}
	return found
}

func itemsOf(row review.Row) []string {
	var lines []string
	for _, item := range row.Gives {
		lines = append(lines, "+"+item.Permission.String())
	}
	for _, item := range row.Takes {
		lines = append(lines, "-"+item.Permission.String())
	}
	slices.Sort(lines)
	return lines
}

// mustTellWhatDecides compares what each row gives and takes with the explanations.
func mustTellWhatDecides(t rapid.TB, s *rolecall.Snapshot, report *review.Report) {
	known := map[string]map[string][]string{}
	for _, row := range report.Rows {
		here := row.Subject.String() + row.Scope.String()
		if known[here] == nil {
			known[here] = deciding(t, s, row.Subject, row.Scope)
		}
		want := known[here][rolecall.KeyOf(row.Statement).String()]
		if diff := cmp.Diff(want, itemsOf(row)); diff != "" {
			t.Fatalf("review of %s: %s by %s at %s: -want +got:\n%s", report.Of, row.Subject, row.Statement, row.Scope, diff)
		}
		for i := 1; i < len(row.Path) && row.Path[i] != everyone; i++ {
			if _, found := s.Find(rolecall.KeyOf(rolecall.Membership{Member: row.Path[i-1], Group: row.Path[i]})); !found {
				t.Fatalf("review of %s: %s is not in %s, but row has the path %v", report.Of, row.Path[i-1], row.Path[i], row.Path)
			}
		}
		if row.Path[0] != row.Subject || !slices.Contains(s.About(row.Holder()), row.Statement) {
			t.Fatalf("review of %s: the path %v of %s does not lead from %s to its holder", report.Of, row.Path, row.Statement, row.Subject)
		}
	}
}

// mustGoTheBestWay compares the path of each row with all ways there are, and its state with what stops it.
func mustGoTheBestWay(t rapid.TB, s *rolecall.Snapshot, report *review.Report) {
	for _, row := range report.Rows {
		w := wayOf(s, row.Path)
		for _, other := range waysTo(s, row.Subject, row.Holder()) {
			if o := wayOf(s, other); o.better(w) {
				t.Fatalf("review of %s: %s through %v, want the better way %v", report.Of, row.Statement, row.Path, other)
			}
		}
		now, end := s.Now(), row.Window.NotAfter
		over, early := !end.IsZero() && !now.Before(end), now.Before(row.Window.NotBefore)
		switch row.State {
		case review.Active:
			continue
		case review.Expired:
			early = false // an empty overlap may be both
		}
		got := map[bool]review.State{over: review.Expired, early: review.Upcoming}
		stopped := w.suspended || suspended(s, row.Subject)
		if got[true] != 0 && row.State != got[true] || (row.State == review.Suspended) != (stopped && !over && !early) {
			t.Fatalf("review of %s: %s through %v is %s; over %t, early %t, suspended %t", report.Of, row.Statement, row.Path, row.State, over, early, stopped)
		}
	}
}

// A wayTo is how good a way is: the rank of its worst membership; when it ends and begins; and its length.
type wayTo struct {
	rank, length int
	end, start   int64
	suspended    bool
}

func (w wayTo) better(other wayTo) bool {
	return gocmp.Or(gocmp.Compare(w.rank, other.rank), gocmp.Compare(other.end, w.end), gocmp.Compare(w.start, other.start), gocmp.Compare(w.length, other.length)) < 0
}

func wayOf(s *rolecall.Snapshot, path []rolecall.Subject) wayTo {
	w := wayTo{length: len(path), end: math.MaxInt64}
	for i := 1; i < len(path) && path[i] != everyone; i++ {
		found, _ := s.Find(rolecall.KeyOf(rolecall.Membership{Member: path[i-1], Group: path[i]}))
		m := found.(rolecall.Membership)
		rank := 3
		switch {
		case m.Open(s.Now()) && !suspended(s, m.Group):
			rank = 0
		case m.Open(s.Now()):
			rank = 1
		case m.NotAfter.IsZero() || s.Now().Before(m.NotAfter):
			rank = 2
		}
		w.rank, w.suspended = max(w.rank, rank), w.suspended || suspended(s, m.Group)
		if !m.NotAfter.IsZero() {
			w.end = min(w.end, m.NotAfter.Unix())
		}
		if !m.NotBefore.IsZero() {
			w.start = max(w.start, m.NotBefore.Unix())
		}
	}
	return w
}

// waysTo lists every way over memberships.
func waysTo(s *rolecall.Snapshot, from, to rolecall.Subject) [][]rolecall.Subject {
	if from == to {
		return [][]rolecall.Subject{{to}}
	}
	var all [][]rolecall.Subject
	for one := range s.Statements() {
		if m, ok := one.(rolecall.Membership); ok && m.Member == from {
			for _, rest := range waysTo(s, m.Group, to) {
				all = append(all, append([]rolecall.Subject{from}, rest...))
			}
		}
	}
	return all
}

// may says whether the rows of a subject, or else those of everyone, give p at t for some facts.
func may(report *review.Report, who rolecall.Subject, p rolecall.Permission, t rolecall.Scope, f rolecall.Given) bool {
	listed, given := false, false
	for _, subject := range []rolecall.Subject{who, everyone} {
		for _, row := range report.Rows {
			if row.Subject != subject || row.Scope != t {
				continue
			}
			listed = true
			for _, item := range row.Gives {
				given = given || item.Permission == p && item.When.Holds(f)
			}
		}
		if listed {
			return given
		}
	}
	return false
}

func TestReviewOfScopeIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		s, at := snapshotOf(t, policy...), pick(t, scopes, "reviewed")
		report, err := review.OfScope(s, at, nil)
		if err != nil {
			t.Fatalf("OfScope(%s): %v, want no error", at, err)
		}
		mustBeTheCheck(t, s, report)
		mustTellWhatDecides(t, s, report)
		mustGoTheBestWay(t, s, report)
		for _, who := range append(users, stranger) {
			if suspended(s, who) {
				continue
			}
			for p := range catalog.Permissions() {
				for _, f := range allFacts() {
					want := s.Check(who, p, at, f) == nil
					if got := may(report, who, p, at, f); got != want {
						t.Fatalf("OfScope(%s): %s may %s given %v: %t, want %t; policy:\n%s", at, who, p, f, got, want, text(policy))
					}
				}
			}
		}
	})
}

// sees is the role of those who only look.
var sees = rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{allow("task.view")}}

func suspended(s *rolecall.Snapshot, who rolecall.Subject) bool {
	_, found := s.Find(rolecall.KeyOf(rolecall.Suspension{Subject: who}))
	return found
}

// Two people in the same groups, to one of which only a suspended group leads the second of them.
func TestReviewOfWhomSuspensionReaches(t *testing.T) {
	s := snapshotOf(t, sees, rolecall.Grant{Subject: studio, Role: "viewer", Scope: alpha}, rolecall.Suspension{Subject: crew},
		rolecall.Membership{Member: crew, Group: studio}, rolecall.Membership{Member: ada, Group: crew}, rolecall.Membership{Member: ada, Group: studio},
		rolecall.Membership{Member: ben, Group: crew},
	)
	report, err := review.OfScope(s, alpha, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"user:ada viewer /project:alpha [group:studio] active +task.view",
		"user:ben viewer /project:alpha [group:crew in group:studio] suspended",
	}
	if diff := cmp.Diff(want, lines(report)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A group whose id ends as a mark may, beside one that a suspended group leads to: what its members have is told.
func TestReviewOfIdsWithMarks(t *testing.T) {
	for _, mark := range []string{"!", "/", " ", " /", "%2F", "|", "+"} {
		a, marked := rolecall.Group("a"), rolecall.Group("a"+mark)
		s := snapshotOf(t, sees, rolecall.Grant{Subject: marked, Role: "viewer", Scope: alpha}, rolecall.Suspension{Subject: crew},
			rolecall.Override{Subject: a, Effect: rolecall.Deny, Pattern: "task.view", Scope: alpha},
			rolecall.Membership{Member: ada, Group: crew}, rolecall.Membership{Member: crew, Group: a}, rolecall.Membership{Member: ben, Group: marked},
		)
		report, err := review.OfScope(s, alpha, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"user:ada deny task.view /project:alpha [group:crew in group:a] active -task.view", "user:ben viewer /project:alpha [" + marked.String() + "] active +task.view"}
		if diff := cmp.Diff(want, lines(report)); diff != "" {
			t.Errorf("with a group %q: -want +got:\n%s", marked, diff)
		}
	}
}

// A longer way that counts now is told rather than a shorter one that is over.
func TestReviewTellsTheWayThatCounts(t *testing.T) {
	over := rolecall.Membership{Member: ada, Group: studio, Window: rolecall.Window{NotAfter: day(2)}}
	s := snapshotOf(t, sees, rolecall.Grant{Subject: studio, Role: "viewer", Scope: alpha}, over,
		rolecall.Membership{Member: ada, Group: crew}, rolecall.Membership{Member: crew, Group: studio})
	report, err := review.OfSubject(s, ada, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"user:ada viewer /project:alpha [group:crew in group:studio] active +task.view"}, lines(report)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Of the ways that count now the one is told by which the access ends last, and of those the one by which it began first.
func TestReviewTellsHowLongTheAccessLasts(t *testing.T) {
	member := func(who, of rolecall.Subject, w rolecall.Window) rolecall.Membership {
		return rolecall.Membership{Member: who, Group: of, Window: w}
	}
	until, from := rolecall.Window{NotAfter: day(25)}, rolecall.Window{NotBefore: day(9)}
	for _, c := range []struct {
		direct, first, second rolecall.Window
		want                  string
	}{
		{direct: until, want: "[group:crew in group:studio] active +task.view"},
		{direct: from, want: "[group:crew in group:studio] active +task.view"},
		{direct: until, first: from, want: "[group:crew in group:studio] active +task.view"},
		{direct: until, second: until, want: "[group:studio] active +task.view until 2026-03-25"},
		{direct: from, second: until, want: "[group:studio] active +task.view"},
		{direct: from, first: from, want: "[group:studio] active +task.view"},
		{want: "[group:studio] active +task.view"},
	} {
		s := snapshotOf(t, sees, rolecall.Grant{Subject: studio, Role: "viewer", Scope: alpha},
			member(ada, studio, c.direct), member(ada, crew, c.first), member(crew, studio, c.second))
		report, err := review.OfSubject(s, ada, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"user:ada viewer /project:alpha " + c.want}, lines(report)); diff != "" {
			t.Errorf("directly %v, or by %v and %v: -want +got:\n%s", c.direct, c.first, c.second, diff)
		}
	}
}

// As granted a report has one row for each statement that reaches the place, and its subjects are the holders.
func TestReviewAsGranted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		s, at := snapshotOf(t, policy...), pick(t, scopes, "reviewed")
		report, err := review.OfScope(s, at, &review.Options{AsGranted: true})
		if err != nil {
			t.Fatalf("OfScope(%s): %v, want no error", at, err)
		}
		mustBeTheCheck(t, s, report)
		mustTellWhatDecides(t, s, report)
		mustGoTheBestWay(t, s, report)
		var want, got []string
		for _, one := range policy {
			if p := placeOf(one); !p.IsZero() && (p.Contains(at) || at.Contains(p)) {
				want = append(want, one.String())
			}
		}
		for _, row := range report.Rows {
			if row.Subject != row.Holder() || len(row.Path) != 1 {
				t.Fatalf("OfScope(%s) as granted: got %s through %v, want the holder alone", at, row.Subject, row.Path)
			}
			got = append(got, row.Statement.String())
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("OfScope(%s) as granted: -want +got:\n%s", at, diff)
		}
	})
}

// placeOf returns where a grant or an override is placed.
func placeOf(one rolecall.Statement) rolecall.Scope {
	switch one := one.(type) {
	case rolecall.Grant:
		return one.Scope
	case rolecall.Override:
		return one.Scope
	}
	return rolecall.Scope{}
}

// TestReviewOfManyConditions: of pairs of conditions there are far more ways through the rule than can be asked for; still
// each grant is told to give.
func TestReviewOfManyConditions(t *testing.T) {
	const pairs = 40
	d := rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: taskView}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "project"}},
	}
	var says []rolecall.Statement
	for i := range pairs {
		rule, own := rolecall.Condition(fmt.Sprintf("c%02d-rule", i)), rolecall.Condition(fmt.Sprintf("c%02d-own", i))
		d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: rule}, rolecall.ConditionDecl{Condition: own})
		r := rolecall.Role{Name: rolecall.RoleName(fmt.Sprint("role", i)), Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*"}, When: rule}}}
		says = append(says, r, rolecall.Grant{Subject: ada, Role: r.Name, Scope: []rolecall.Scope{global, alpha}[i%2], When: own})
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		t.Fatal(err)
	}
	s, err := rolecall.NewSnapshot(c, says...)
	if err != nil {
		t.Fatal(err)
	}
	report, err := review.OfSubject(s.At(day(10)), ada, nil)
	if err != nil || len(report.Rows) != pairs {
		t.Fatalf("OfSubject of %d pairs of conditions: %d rows, %v; want one a grant", pairs, len(report.Rows), err)
	}
	for _, row := range report.Rows {
		if len(row.Gives) == 0 || len(row.Takes) > 0 {
			t.Errorf("OfSubject of %d pairs of conditions: %s gives %v and takes %v", pairs, row.Statement, row.Gives, row.Takes)
		}
	}
}

func TestReviewOfSubject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		s, who := snapshotOf(t, policy...), pick(t, append(subjects, stranger), "reviewed")
		report, err := review.OfSubject(s, who, nil)
		if err != nil {
			t.Fatalf("OfSubject(%s): %v, want no error", who, err)
		}
		mustBeTheCheck(t, s, report)
		mustTellWhatDecides(t, s, report)
		mustGoTheBestWay(t, s, report)
		if suspended(s, who) {
			return
		}
		for _, at := range scopes {
			for p := range catalog.Permissions() {
				for _, f := range allFacts() {
					if s.Check(who, p, at, f) == nil && !somewhere(report, p, at, f) {
						t.Fatalf("OfSubject(%s): no row around %s gives %s given %v, want one; policy:\n%s", who, at, p, f, text(policy))
					}
				}
			}
		}
	})
}

// somewhere says whether a row at a place around t gives p.
func somewhere(report *review.Report, p rolecall.Permission, t rolecall.Scope, f rolecall.Given) bool {
	for _, row := range report.Rows {
		for _, item := range row.Gives {
			if row.Scope.Contains(t) && item.Permission == p && item.When.Holds(f) {
				return true
			}
		}
	}
	return false
}

func TestReviewOfRole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		s, name := snapshotOf(t, policy...), pick(t, roleNames, "reviewed")
		report, err := review.OfRole(s, name, nil)
		if err != nil {
			t.Fatalf("OfRole(%s): %v, want no error", name, err)
		}
		mustBeTheCheck(t, s, report)
		mustTellWhatDecides(t, s, report)
		mustGoTheBestWay(t, s, report)
		held := map[rolecall.StatementKey]bool{}
		for _, row := range report.Rows {
			held[rolecall.KeyOf(row.Statement)] = true
		}
		for _, one := range policy {
			g, isGrant := one.(rolecall.Grant)
			if want := isGrant && is(s, g.Role, name); held[rolecall.KeyOf(one)] != want {
				t.Fatalf("OfRole(%s): has rows of %s: %t, want %t; policy:\n%s", name, one, !want, want, text(policy))
			}
		}
	})
}

func is(s *rolecall.Snapshot, role, other rolecall.RoleName) bool {
	r, _ := s.Role(role)
	return role == other || slices.ContainsFunc(r.Inherits, func(above rolecall.RoleName) bool { return is(s, above, other) })
}
