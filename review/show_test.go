package review_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/review"
)

// A show is a policy in memory that changed over some days of March, each change made by somebody.
type show struct {
	t     testing.TB
	store *memstore.Store
	r     *rolecall.Resolver
	now   time.Time
}

const start = `permission task.view
permission task.update
permission task.delete
permission budget.view
condition assigned
kind scope project
kind scope shot
role viewer "Viewer"
  allow *.view
role artist "Artist"
  inherits viewer
  allow task.update when assigned
  except budget.view
role manager
  inherits artist
  allow task.* budget.*
  allow rolecall.*
grant user:pia manager at /
grant group:crew artist at /project:alpha
`

func newShow(t testing.TB) *show {
	_, s, err := policy.Load("show", []byte(start))
	if err != nil {
		t.Fatal(err)
	}
	w := &show{t: t, store: memstore.With(s), now: day(1)}
	w.r, err = rolecall.Open(context.Background(), w.store, s.Catalog(), &rolecall.Options{Clock: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// on changes the policy on a day of March; the statement is in the text form, after a sign: + puts it, - removes it.
func (w *show) on(n int, by, why string, lines ...string) *show {
	w.t.Helper()
	var edits []rolecall.Edit
	for _, line := range lines {
		f, err := policy.Parse("edit", []byte(start+line[1:]+"\n"))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, one := range f.Statements {
			if !strings.Contains(start, one.String()) {
				edits = append(edits, map[byte]func(rolecall.Statement) rolecall.Edit{'+': rolecall.Put, '-': rolecall.Remove}[line[0]](one))
			}
		}
	}
	w.now = day(n)
	actor := must[rolecall.Subject](w.t)(rolecall.ParseSubject(by))
	if _, err := w.r.Edit(context.Background(), rolecall.Meta{Actor: actor, Reason: why}, edits...); err != nil {
		w.t.Fatalf("on day %d: %v", n, err)
	}
	return w
}

func (w *show) snapshot() *rolecall.Snapshot {
	return must[*rolecall.Snapshot](w.t)(w.r.Snapshot())
}

func (w *show) options() *review.Options {
	p := must[*rolecall.Provenance](w.t)(rolecall.Trace(context.Background(), w.store, w.snapshot()))
	return &review.Options{Provenance: p}
}

// marchShow is what the tests look at on 20 March.
func marchShow(t testing.TB) *show {
	w := newShow(t).
		on(2, "user:pia", "joins the show", "+member user:ada of group:crew").
		on(3, "user:pia", "covers for Ada", "+grant user:ben artist at /project:alpha from 2026-03-05 until 2026-03-25").
		on(4, "user:pia", "=SUM(1)", "+override user:ada deny task.update at /project:alpha/shot:010 when assigned").
		on(5, "user:pia", "", "+grant guest:cleo viewer at /project:alpha until 2026-03-08").
		on(6, "user:pia", "on call", "+grant user:dan manager at /project:alpha eligible").
		on(7, "user:pia", "left", "+grant user:eve viewer at /project:alpha", "+suspend user:eve").
		on(8, "user:pia", "hush", "+private /project:alpha/shot:020").
		on(9, "user:pia", "starts in April", "+member user:fay of group:crew from 2026-04-01").
		on(10, "user:pia", "", "+grant user:ada viewer at /project:alpha").
		on(11, "user:pia", "lent", "+member group:crew of group:studio", "+grant group:studio viewer at /project:beta").
		on(12, "user:pia", "joins the studio", "+member user:gil of group:studio")
	w.now = day(20)
	return w
}

// lines shows what matters of each row on a line.
func lines(report *review.Report) []string {
	var all []string
	for _, row := range report.Rows {
		words := []string{row.Subject.String(), row.What(), row.Scope.String(), "[" + row.Through() + "]", row.State.String()}
		for _, item := range row.Gives {
			words = append(words, "+"+item.String())
		}
		for _, item := range row.Takes {
			words = append(words, "-"+item.String())
		}
		if !row.Since.IsZero() {
			words = append(words, "since", rolecall.FormatTime(row.Since))
		}
		if row.Given != nil {
			words = append(words, "by", row.Given.Actor.String(), "because", row.Given.Reason)
		}
		if !row.Window.NotAfter.IsZero() {
			words = append(words, "until", rolecall.FormatTime(row.Window.NotAfter))
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

func TestReviewTellsWhyAndSinceWhen(t *testing.T) {
	w := marchShow(t)
	for _, c := range []struct {
		name   string
		report func(o *review.Options) (*review.Report, error)
		want   []string
	}{
		{"alpha", func(o *review.Options) (*review.Report, error) { return review.OfScope(w.snapshot(), alpha, o) }, []string{
			"guest:cleo viewer /project:alpha [] expired since 2026-03-05 by user:pia because  until 2026-03-08",
			"user:ada artist /project:alpha [group:crew] active +task.update when assigned since 2026-03-02",
			"user:ada viewer /project:alpha [] active +budget.view +task.view since 2026-03-10 by user:pia because ",
			"user:ada deny task.update /project:alpha/shot:010 [] active -task.update since 2026-03-04 by user:pia because =SUM(1)",
			"user:ben artist /project:alpha [] active +task.update when assigned +task.view since 2026-03-05 by user:pia because covers for Ada until 2026-03-25",
			"user:dan manager /project:alpha [] eligible since 2026-03-06 by user:pia because on call",
			"user:eve viewer /project:alpha [] suspended since 2026-03-07 by user:pia because left",
			"user:fay artist /project:alpha [group:crew] upcoming since 2026-03-09",
			"user:pia manager /project:alpha [] active +budget.view +rolecall.grant.activate +rolecall.grant.create",
		}},
		{"shot:020", func(o *review.Options) (*review.Report, error) {
			o.AsGranted = true
			return review.OfScope(w.snapshot(), alpha.In("shot", "020"), o)
		}, []string{
			"group:crew artist /project:alpha/shot:020 [] private",
			"guest:cleo viewer /project:alpha/shot:020 [] expired since 2026-03-05 by user:pia because  until 2026-03-08",
			"user:ada viewer /project:alpha/shot:020 [] private since 2026-03-10 by user:pia because ",
			"user:ben artist /project:alpha/shot:020 [] private since 2026-03-05 by user:pia because covers for Ada until 2026-03-25",
			"user:dan manager /project:alpha/shot:020 [] eligible since 2026-03-06 by user:pia because on call",
			"user:eve viewer /project:alpha/shot:020 [] suspended since 2026-03-07 by user:pia because left",
		}},
		{"ada", func(o *review.Options) (*review.Report, error) { return review.OfSubject(w.snapshot(), ada, o) }, []string{
			"user:ada artist /project:alpha [group:crew] active +task.update when assigned since 2026-03-02",
			"user:ada viewer /project:alpha [] active +budget.view +task.view since 2026-03-10 by user:pia because ",
			"user:ada deny task.update /project:alpha/shot:010 [] active -task.update since 2026-03-04 by user:pia because =SUM(1)",
			"user:ada viewer /project:beta [group:crew in group:studio] active +budget.view +task.view since 2026-03-11 by user:pia because lent",
		}},
		{"gil", func(o *review.Options) (*review.Report, error) {
			return review.OfSubject(w.snapshot(), rolecall.User("gil"), o)
		}, []string{
			"user:gil viewer /project:beta [group:studio] active +budget.view +task.view since 2026-03-12 by user:pia because lent",
		}},
		{"viewer", func(o *review.Options) (*review.Report, error) {
			o.AsGranted = true
			return review.OfRole(w.snapshot(), "viewer", o)
		}, []string{
			"group:crew artist /project:alpha [] active +task.update when assigned +task.view",
			"group:studio viewer /project:beta [] active +budget.view +task.view since 2026-03-11 by user:pia because lent",
			"guest:cleo viewer /project:alpha [] expired since 2026-03-05 by user:pia because  until 2026-03-08",
			"user:ada viewer /project:alpha [] active +budget.view +task.view since 2026-03-10 by user:pia because ",
			"user:ben artist /project:alpha [] active +task.update when assigned +task.view since 2026-03-05 by user:pia because covers for Ada until 2026-03-25",
			"user:dan manager /project:alpha [] eligible since 2026-03-06 by user:pia because on call",
			"user:eve viewer /project:alpha [] suspended since 2026-03-07 by user:pia because left",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, err := c.report(w.options())
			if err != nil {
				t.Fatal(err)
			}
			got := lines(report)
			for i, line := range got { // what a manager may is long and beside the point
				if strings.HasPrefix(line, "user:pia") {
					got[i], _, _ = strings.Cut(line, " +rolecall.grant.delete")
				}
			}
			want := c.want
			if !strings.HasPrefix(want[len(want)-1], "user:pia") {
				got = withoutPia(got)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func withoutPia(lines []string) []string {
	var rest []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "user:pia") {
			rest = append(rest, line)
		}
	}
	return rest
}

func TestReviewRefuses(t *testing.T) {
	s := newShow(t).snapshot()
	for name, c := range map[string]struct {
		err  func(*rolecall.Snapshot) error
		want error
	}{
		"a scope of no kind": {func(s *rolecall.Snapshot) error {
			_, err := review.OfScope(s, rolecall.In("projekt", "x"), nil)
			return err
		}, rolecall.ErrUnknown},
		"no scope": {func(s *rolecall.Snapshot) error { _, err := review.OfScope(s, rolecall.Scope{}, nil); return err }, rolecall.ErrInvalid},
		"a subject of no kind": {func(s *rolecall.Snapshot) error {
			_, err := review.OfSubject(s, rolecall.NewSubject("robot", "x"), nil)
			return err
		}, rolecall.ErrUnknown},
		"no subject":   {func(s *rolecall.Snapshot) error { _, err := review.OfSubject(s, rolecall.Subject{}, nil); return err }, rolecall.ErrInvalid},
		"no such role": {func(s *rolecall.Snapshot) error { _, err := review.OfRole(s, "ghost", nil); return err }, rolecall.ErrUnknown},
		"no instant": {func(s *rolecall.Snapshot) error {
			_, err := review.OfRole(s.At(time.Time{}), "viewer", nil)
			return err
		}, nil},
		"a provenance that is behind": {func(s *rolecall.Snapshot) error {
			w := newShow(t)
			o := w.options()
			_, err := review.OfScope(w.on(2, "user:pia", "", "+grant user:ada viewer at /").snapshot(), alpha, o)
			return err
		}, rolecall.ErrStale},
	} {
		if err := c.err(s); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("a review of %s: %v, want an error that is %v", name, err, c.want)
		}
	}
}

// Uses count for the subject, and of a group for whoever is in it; reviews are due after what was given or reviewed last.
func TestReviewUseAndDue(t *testing.T) {
	w := marchShow(t)
	o := w.options()
	o.AsGranted = true
	o.LastUsed = func(who rolecall.Subject, p rolecall.Permission, at rolecall.Scope) (time.Time, bool) {
		if who == ada && p == taskView && at == alpha || at == beta {
			return day(12), true
		}
		return time.Time{}, who != ben
	}
	o.Every = func(row review.Row) time.Duration {
		if row.Subject.Kind() == rolecall.KindGuest {
			return 24 * time.Hour
		}
		return 7 * 24 * time.Hour
	}
	o.Reviewed = func(row review.Row) (time.Time, bool) { return day(6), row.Subject.IsGroup() }
	report, err := review.OfScope(w.snapshot(), alpha, o)
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		Used  string
		Known bool
		Due   string
	}
	got := map[string]answer{}
	date := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return rolecall.FormatTime(at)
	}
	for _, row := range report.Rows {
		got[row.Statement.String()] = answer{date(row.LastUsed), row.UseKnown, date(row.Due)}
	}
	want := map[string]answer{
		"grant guest:cleo viewer at /project:alpha until 2026-03-08":                  {"", false, "2026-03-06"},
		"grant group:crew artist at /project:alpha":                                   {"2026-03-12", false, "2026-03-13"}, // reviewed later than anybody knows of
		"grant user:ada viewer at /project:alpha":                                     {"2026-03-12", true, "2026-03-17"},
		"override user:ada deny task.update at /project:alpha/shot:010 when assigned": {"", false, "2026-03-11"},
		"grant user:ben artist at /project:alpha from 2026-03-05 until 2026-03-25":    {"", false, "2026-03-12"},
		"grant user:dan manager at /project:alpha eligible":                           {"", false, "2026-03-13"},
		"grant user:eve viewer at /project:alpha":                                     {"", false, "2026-03-14"},
		"grant user:pia manager at /":                                                 {"", true, "2026-03-20"}, // nobody knows since when: now
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Whom a token vouches for a group the policy does not tell, so of a row of a group it is never known that nobody used it.
func TestReviewUseByTokens(t *testing.T) {
	s := snapshotOf(t, sees, rolecall.Membership{Member: ada, Group: crew}, rolecall.Grant{Subject: studio, Role: "viewer", Scope: alpha},
		rolecall.Grant{Subject: crew, Role: "viewer", Scope: alpha}, rolecall.Grant{Subject: everyone, Role: "viewer", Scope: beta},
		rolecall.Membership{Member: bot, Group: layout}, rolecall.Grant{Subject: layout, Role: "viewer", Scope: alpha})
	usage := review.NewUsage(rolecall.Reading{From: day(1), Until: day(20), Uses: []rolecall.Use{
		{Subject: ben, Permission: taskView, Scope: alpha}, {Subject: layout, Permission: taskView, Scope: alpha}, // as the group itself
	}})
	for _, c := range []struct {
		asGranted bool
		want      []string
	}{
		{false, []string{"group:studio false", "group:studio false", "service:bot true", "service:bot true", "user:ada true", "user:ada true", "everyone true"}},
		{true, []string{"group:crew false", "group:studio false", "everyone true"}},
	} {
		report, err := review.OfScope(s, global, &review.Options{LastUsed: usage.LastUsed, AsGranted: c.asGranted})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range report.Rows {
			if row.LastUsed.IsZero() && len(row.Gives) > 0 {
				got = append(got, fmt.Sprint(row.Subject, " ", row.UseKnown))
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("OfScope(%s) as granted %t: who did not use it, and whether that is known: -want +got:\n%s", global, c.asGranted, diff)
		}
	}
}

// Who had something until a gap, or was denied it, has it since it was given anew, and is new to Lint as well.
func TestSinceBeginsAnewAfterAGap(t *testing.T) {
	w := newShow(t).
		on(2, "user:pia", "", "+override user:ada deny task.delete at /project:alpha", "+grant user:ben viewer at /project:alpha until 2026-03-04", "+member user:dan of group:crew until 2026-03-04").
		on(9, "user:pia", "anew", "+override user:ada allow task.delete at /project:alpha", "+grant user:ben viewer at /project:alpha", "+member user:dan of group:crew")
	w.now = day(20)
	report, err := review.OfScope(w.snapshot(), alpha, w.options())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"user:ada allow task.delete /project:alpha [] active +task.delete since 2026-03-09 by user:pia because anew",
		"user:ben viewer /project:alpha [] active +budget.view +task.view since 2026-03-09 by user:pia because anew",
		"user:dan artist /project:alpha [group:crew] active +task.update when assigned +task.view since 2026-03-09",
	}
	if diff := cmp.Diff(want, withoutPia(lines(report))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	usage := review.NewUsage(rolecall.Reading{From: day(1), Until: day(20)})
	found, err := review.Lint(w.snapshot(), &review.LintOptions{Usage: usage, Dormant: 14 * 24 * time.Hour, Provenance: w.options().Provenance})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		if d.Code == review.LintDormantSubject && d.Subjects[0] != rolecall.User("pia") {
			t.Errorf("Lint: got %s, want nobody dormant who is new", d)
		}
	}
}

func TestReviewJSON(t *testing.T) {
	w := marchShow(t)
	report, err := review.OfSubject(w.snapshot(), ada, w.options())
	if err != nil {
		t.Fatal(err)
	}
	report.Rows = report.Rows[:1]
	got, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"of":"user:ada","revision":11,"at":"2026-03-20T00:00:00Z","rows":[{` +
		`"subject":"user:ada","path":["user:ada","group:crew"],` +
		`"statement":{"grant":{"subject":"group:crew","role":"artist","scope":"/project:alpha"}},"title":"Artist",` +
		`"scope":"/project:alpha","state":"active","gives":[{"permission":"task.update","when":"when assigned"}],` +
		`"since":"2026-03-02T00:00:00Z","joined":[{"revision":1,"actor":"user:pia","reason":"joins the show","time":"2026-03-02T00:00:00Z"}]}]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRevoke(t *testing.T) {
	w := marchShow(t)
	report, err := review.OfSubject(w.snapshot(), ada, nil)
	if err != nil {
		t.Fatal(err)
	}
	var edits []rolecall.Edit
	for _, row := range report.Rows {
		edits = append(edits, row.Revoke())
	}
	p, err := w.snapshot().Propose(rolecall.Change{Edits: edits})
	if err != nil {
		t.Fatal(err)
	}
	report, err = review.OfSubject(p.Next(), ada, nil)
	if err != nil || len(report.Rows) != 0 {
		t.Errorf("after every row was revoked: got %v, %v; want no rows", lines(report), err)
	}
}
