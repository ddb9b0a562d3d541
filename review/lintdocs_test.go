package review_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/review"
	"pgregory.net/rapid"
)

var updateDocs = flag.Bool("update", false, "write the answers in docs/lint.md instead of comparing them")

const lintPage = "../docs/lint.md"

// Every code has a section in the documentation: a policy, and what Lint says of it, with the proposed change.
func TestLintAsDocumented(t *testing.T) {
	content, err := os.ReadFile(lintPage)
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(content), "\n## ")
	vocabulary := fenced(sections[0], "rolecall")
	var documented []review.LintCode
	for i, section := range sections[1:] {
		code, _, _ := strings.Cut(section, "\n")
		documented = append(documented, review.LintCode(code))
		file, s, err := policy.Load(code, []byte(vocabulary+fenced(section, "rolecall")))
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		got := lintAnswer(t, s.At(file.Now()), review.LintCode(code))
		if want := fenced(section, ""); got != want && !*updateDocs {
			t.Errorf("%s: -documented +got:\n%s", code, cmp.Diff(want, got))
		}
		sections[i+1] = strings.Replace(section, "```\n"+fenced(section, "")+"```", "```\n"+got+"```", 1)
	}
	if diff := cmp.Diff(review.LintCodes(), documented); diff != "" {
		t.Errorf("codes: -LintCodes +documented:\n%s", diff)
	}
	if *updateDocs {
		if err := os.WriteFile(lintPage, []byte(strings.Join(sections, "\n## ")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fenced returns the first block that is marked so.
func fenced(text, mark string) string {
	for i, part := range strings.Split("\n"+text, "\n```") {
		if block, found := strings.CutPrefix(part, mark+"\n"); found && i%2 == 1 {
			return block + "\n"
		}
	}
	return ""
}

// lintAnswer writes what Lint says under one code, as the documentation shows it. Ada alone was seen at work.
func lintAnswer(t *testing.T, s *rolecall.Snapshot, code review.LintCode) string {
	used := rolecall.Use{Subject: ada, Permission: taskView, Scope: alpha}
	usage := review.NewUsage(rolecall.Reading{From: s.Now().AddDate(0, -4, 0), Until: s.Now(), Uses: []rolecall.Use{used}})
	found, err := review.Lint(s, &review.LintOptions{Off: allBut(code), Usage: usage})
	if err != nil {
		t.Fatalf("Lint: %v", err)
	}
	var b strings.Builder
	for _, d := range found {
		mustHold(t, s, d)
		fmt.Fprintf(&b, "%s\n  %s", d, d.Fix.Message)
		if d.Fix.Neutral {
			b.WriteString(" (neutral)")
		}
		b.WriteString("\n")
		for _, e := range d.Fix.Edits {
			b.WriteString("  " + strings.ReplaceAll(editText(e), "\n", "\n  ") + "\n")
		}
	}
	return b.String()
}

func editText(e rolecall.Edit) string {
	switch e.Op {
	case rolecall.OpPut:
		return "+ " + strings.TrimSpace(e.Statement.String())
	case rolecall.OpRemove:
		return "- " + rolecall.KeyOf(e.Statement).String()
	case rolecall.OpForgetSubject:
		return "- everything about " + e.Subject.String()
	}
	return "an edit that is not expected here"
}

// mustHold checks what a diagnostic promises: its edits can be committed, are gone from the next lint and, where it is
// neutral, change nothing, now or later.
func mustHold(t rapid.TB, s *rolecall.Snapshot, d review.Diagnostic) {
	t.Helper()
	if len(d.Fix.Edits) == 0 {
		if d.Fix.Neutral {
			t.Fatalf("%s: neutral without edits", d)
		}
		return
	}
	p, err := s.Propose(rolecall.Change{Edits: d.Fix.Edits})
	if err != nil {
		t.Fatalf("%s: Propose(%v): %v", d, d.Fix.Edits, err)
	}
	for _, other := range lintFor(t, p.Next().At(s.Now()), d.Code) {
		if lintKey(other) == lintKey(d) {
			t.Fatalf("%s: still there after %v", d, d.Fix.Edits)
		}
	}
	if !d.Fix.Neutral {
		return
	}
	for _, at := range []time.Time{s.Now(), s.Now().AddDate(0, 0, 2), s.Now().AddDate(0, 0, 7)} {
		plan, err := s.At(at).Plan(rolecall.Change{Edits: d.Fix.Edits})
		if err != nil || !plan.Empty() {
			t.Fatalf("%s: neutral, but the plan of %v at %s is %v, %v", d, d.Fix.Edits, at, plan, err)
		}
	}
}

// lintKey identifies what a diagnostic is about, before and after a change.
func lintKey(d review.Diagnostic) string {
	key := string(d.Code)
	for _, st := range d.Statements {
		key += "|" + rolecall.KeyOf(st).String()
	}
	return fmt.Sprint(key, d.Subjects, d.Permissions, d.Message)
}
