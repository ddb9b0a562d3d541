package review_test

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
)

// told returns a report of one row with hostile text wherever free text can be.
func told(reason string) *review.Report {
	at := rolecall.Origin{Revision: 3, Meta: rolecall.Meta{Actor: rolecall.User("pia"), OnBehalf: rolecall.User("=cmd"), Reason: reason, Time: day(2)}}
	g := rolecall.Grant{Subject: crew, Role: "artist", Scope: alpha, When: "assigned", Pierce: true}
	return &review.Report{Of: alpha.String(), Revision: 7, At: day(20), Rows: []review.Row{{
		Subject: ada, Path: []rolecall.Subject{ada, crew}, Statement: g, Title: reason, Scope: alpha, State: review.Active,
		Gives: []review.Item{{Permission: taskView}}, Since: day(2), Given: &at, Joined: []*rolecall.Origin{&at}, Defined: &at,
		Window: rolecall.Window{NotAfter: day(25)}, LastUsed: day(12), Due: day(19),
	}}}
}

func csvOf(t testing.TB, report *review.Report) string {
	var b bytes.Buffer
	if err := report.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteCSV(t *testing.T) {
	records, err := csv.NewReader(strings.NewReader(csvOf(t, told("joins \"the\" show,\nat last")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"subject", "through", "what", "where", "state", "condition", "marks", "gives", "takes", "since", "given by", "on behalf of", "why", "given at",
			"revision", "joined", "role changed", "from", "expires", "last used", "review due", "statement"},
		{"user:ada", "group:crew", "artist", "/project:alpha", "active", "assigned", "pierce", "task.view", "", "2026-03-02", "user:pia", "user:=cmd", "joins \"the\" show,\nat last", "2026-03-02",
			"3", "group:crew: 2026-03-02 by user:pia for user:=cmd (joins \"the\" show,\nat last)", "2026-03-02 by user:pia for user:=cmd (joins \"the\" show,\nat last)", "", "2026-03-25", "2026-03-12", "2026-03-19",
			"grant group:crew artist at /project:alpha pierce when assigned"},
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Whatever a spreadsheet separates columns by, no cell begins as a formula does.
func mustBeHarmless(t *testing.T, text string) {
	for _, sep := range []string{",", ";", "\t", "|"} {
		for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
			for cell := range strings.SplitSeq(line, sep) {
				begin := strings.TrimLeft(cell, " \"\u00a0\t")
				if begin != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(begin)[0]) {
					t.Errorf("separated by %q a cell is %q, which could be a formula; in\n%s", sep, cell, text)
				}
			}
		}
	}
}

var hostile = []string{
	"=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "x\r\n=1", "x,=1", "x;=1", "x; \"=1\"", "x|@y", "\"=1\"", "＝1", "\u00a0=1", "=HYPERLINK(\"http://x\")", "- dash", ",,,=1", ";\t;=1",
}

func TestCSVHasNoFormulas(t *testing.T) {
	for _, reason := range hostile {
		mustBeHarmless(t, csvOf(t, told(reason)))
	}
}

// What turns text around, hides part of it or acts on a terminal is shown as something else, in reasons, titles and ids.
func TestHiddenTextIsShown(t *testing.T) {
	const hidden = "\u202e\u2066\u200b\ufeff\u2028\u00ad\x1b\x7f\u009b"
	report := told("a" + hidden + "b\tc")
	row := &report.Rows[0]
	row.Subject = rolecall.User("bob\u202enimda")
	row.Path = []rolecall.Subject{row.Subject, crew}
	for form, text := range map[string]string{"CSV": csvOf(t, report), "HTML": htmlOf(t, report)} {
		if strings.ContainsAny(text, hidden) {
			t.Errorf("%s has what cannot be seen: %q", form, text)
		}
		for _, want := range []string{"bob�nimda", "a" + strings.Repeat("�", 9) + "b\tc"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%s", form, want, text)
			}
		}
	}
	if page := htmlOf(t, report); !strings.Contains(page, "code, .why { unicode-bidi: isolate; }") {
		t.Error("the page lets text in one cell turn around what is beside it")
	}
}

func FuzzCSV(f *testing.F) {
	for _, reason := range hostile {
		f.Add(reason)
	}
	f.Fuzz(func(t *testing.T, reason string) {
		text := csvOf(t, told(reason))
		mustBeHarmless(t, text)
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(records) != 2 {
			t.Fatalf("reading what was written of the reason %q: %d records, %v; want 2", reason, len(records), err)
		}
	})
}

func htmlOf(t *testing.T, report *review.Report) string {
	var b bytes.Buffer
	if err := report.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page shows text as text, and refers to nothing outside of it.
func TestWriteHTML(t *testing.T) {
	page := htmlOf(t, told(`<script src="//x"></script>`))
	for _, want := range []string{
		"<title>Access review: /project:alpha</title>", "revision 7", "<code>artist</code>", "&lt;script", "2026-03-25", "pierce when assigned", ">2026-03-12<",
		`<span class="chip warn">2026-03-25</span>`, `<span class="chip bad">2026-03-19</span>`, "expire within 30 days", "review overdue",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if outside := regexp.MustCompile(`(?i)<script|\b(src|href|url|@import)\s*[=(]`).FindString(strings.ReplaceAll(page, "&lt;script src=", "")); outside != "" {
		t.Errorf("the page has %q, want nothing from outside", outside)
	}
}

// Columns of which nothing is known are left out, and many permissions are folded up.
func TestWriteHTMLLeavesOut(t *testing.T) {
	w := marchShow(t)
	report, err := review.OfScope(w.snapshot(), alpha, nil)
	if err != nil {
		t.Fatal(err)
	}
	page := htmlOf(t, report)
	for _, column := range []string{"Since", "Last used", "Review due"} {
		if strings.Contains(page, column) {
			t.Errorf("the page has the column %q, want it left out", column)
		}
	}
	for _, want := range []string{`colspan="6"`, "<summary>gives ", "not task.update", "group:crew", "expire within 30 days"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	report.Rows = nil
	if page := htmlOf(t, report); !strings.Contains(page, "Nobody has anything here.") {
		t.Error("the page of nobody does not say so")
	}
}

// Every state has a name, in words and in text.
func TestStates(t *testing.T) {
	var names []string
	for s := review.Active; s <= review.Private; s++ {
		b, err := s.MarshalText()
		if err != nil || string(b) != s.String() || s.String() == "" || slices.Contains(names, s.String()) {
			t.Errorf("state %d: %q, %q, %v; want a name of its own", s, s, b, err)
		}
		names = append(names, s.String())
	}
	if got := review.State(99).String(); got != "unknown" {
		t.Errorf("State(99) = %q, want unknown", got)
	}
}
