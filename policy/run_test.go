package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall/internal/testneeds"
	"github.com/rolecall-go/rolecall/policy"
)

// run loads a scenario and runs it.
func run(t *testing.T, name string, src []byte) []policy.Result {
	t.Helper()
	f, s, err := policy.Load(name, src)
	if err != nil {
		t.Fatalf("Load(%s): %v", name, err)
	}
	results := f.Run(s)
	if len(results) != len(f.Steps) || len(results) == 0 {
		t.Fatalf("Run(%s): got %d results of %d steps, want one for each, and some", name, len(results), len(f.Steps))
	}
	return results
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func checkPassed(t *testing.T, name string, results []policy.Result) {
	t.Helper()
	for _, r := range results {
		if !r.OK {
			t.Errorf("%s:%d: %s: got %s, want %s\n%s", name, r.Step.Line, r.Step.Text, r.Got, r.Want, r.Why)
		}
	}
}

func TestGoldenScenarios(t *testing.T) {
	for _, name := range testneeds.Scenarios(t, "..") {
		checkPassed(t, name, run(t, name, read(t, name)))
	}
}

const everything = "testdata/scenarios/everything.rolecall"

func TestEveryKindOfStep(t *testing.T) {
	checkPassed(t, everything, run(t, everything, read(t, everything)))
}

// A formatted scenario has the same results.
func TestFormattedScenario(t *testing.T) {
	tidy, err := policy.FormatSource(everything, read(t, everything))
	if err != nil {
		t.Fatalf("FormatSource(%s): %v", everything, err)
	}
	checkPassed(t, everything+", formatted", run(t, everything, tidy))
}

func TestWrongStepsFail(t *testing.T) {
	const name = "testdata/scenarios/wrong.rolecall"
	for _, r := range run(t, name, read(t, name)) {
		if r.OK {
			t.Errorf("%s:%d: %s: passed with %s, want a failure", name, r.Step.Line, r.Step.Text, r.Got)
		}
	}
}

// Whichever single expectation of a right scenario is made wrong, that step fails, and no other.
func TestEachWrongExpectationFails(t *testing.T) { checkSpoiled(t, everything) }

func TestEachWrongExpectationOfTheGoldenScenariosFails(t *testing.T) {
	for _, name := range testneeds.Scenarios(t, "..") {
		checkSpoiled(t, name)
	}
}

func checkSpoiled(t *testing.T, name string) {
	t.Helper()
	lines := strings.Split(string(read(t, name)), "\n")
	made := 0
	for i, line := range lines {
		wrong, ok := spoil(line)
		if !ok {
			continue
		}
		made++
		lines[i] = wrong
		var failed []int
		for _, r := range run(t, name, []byte(strings.Join(lines, "\n"))) {
			if !r.OK {
				failed = append(failed, r.Step.Line)
			}
		}
		lines[i] = line
		if diff := cmp.Diff([]int{i + 1}, failed); diff != "" {
			t.Errorf("%s:%d: made into %q: failing lines: -want +got\n%s", name, i+1, wrong, diff)
		}
	}
	if made < 10 {
		t.Errorf("%s: %d expectations made wrong, want at least 10", name, made)
	}
}

// spoil makes an expectation wrong.
func spoil(line string) (string, bool) {
	for _, swap := range [][2]string{
		{"expect allow ", "expect deny "}, {"expect deny ", "expect allow "},
		{"expect error unknown ", "expect error invalid "}, {"expect error ", "expect deny "},
		{"refuse last-admin ", "refuse cycle "}, {"refuse ", "refuse last-admin "},
	} {
		rest, found := strings.CutPrefix(line, swap[0])
		switch {
		case !found:
			continue
		case swap[0] == "expect error " || swap[0] == "refuse ":
			_, rest, _ = strings.Cut(rest, " ")
		}
		return swap[1] + rest, true
	}
	question, list, isList := strings.Cut(line, " = ")
	switch {
	case !isList || strings.HasPrefix(line, "#"):
		return "", false
	case list == "none":
		return question + " = user:zoe", true
	}
	_, rest, more := strings.Cut(list, " ")
	if !more {
		rest = "none"
	}
	return question + " = " + rest, true
}

// A failing step tells what came out and why.
func TestResults(t *testing.T) {
	const policyText = `permission task.view
condition assigned
kind scope project
role viewer
  allow task.view
grant user:ada viewer at /
grant user:bob viewer at /project:x
`
	for _, c := range []struct{ step, want, got, why string }{
		{"expect deny user:ada task.view at /", "deny", "allow", "grant user:ada viewer at /"},
		{"expect allow user:eve task.view at /", "allow", "deny", "nothing in the policy speaks of it"},
		{"expect allow user:ada task.viw at /", "allow", "error unknown", `did you mean "task.view"`},
		{"expect allow user:ada task.view at / given asigned", "allow", "error unknown", `did you mean "assigned"`},
		{"expect error cycle user:ada task.view at x", "error cycle", "error invalid", `"x"`},
		{"expect subjects task.view at /project:x = user:ada user:eve", "user:ada user:eve", "user:ada user:bob", "missing: user:eve\nnot expected: user:bob\ndenied: user:eve"},
		{"expect scopes user:eve task.view among / = /", "/", "none", "missing: /\ndenied: user:eve task.view at /"},
		{"expect permissions user:ada at / = none", "none", "task.view", "not expected: task.view\nallowed:"},
		{"do grant user:eve ghost at /", "done", "refused: unknown", `"ghost"`},
		{"refuse cycle grant user:eve ghost at /", "refused: cycle", "refused: unknown", `"ghost"`},
		{"refuse cycle suspend user:eve", "refused: cycle", "done", ""},
	} {
		r := run(t, "f", []byte(policyText+c.step+"  # why?\n"))[0]
		if r.OK || r.Want != c.want || r.Got != c.got || !strings.Contains(r.Why, c.why) {
			t.Errorf("Run(%q): got OK %v, want %q, got %q, why\n%s\nwant a failure, %q, %q and a why with\n%s", c.step, r.OK, r.Want, r.Got, r.Why, c.want, c.got, c.why)
		}
		if r.Step.Text != c.step || r.Step.Line != 8 {
			t.Errorf("Run(%q): got the step %q in line %d, want it as written, in line 8", c.step, r.Step.Text, r.Step.Line)
		}
	}
}

// An edit that must be refused and is not changes nothing, like one that is refused.
func TestRefuseChangesNothing(t *testing.T) {
	const src = `permission task.view
role viewer
  allow task.view
refuse cycle grant user:ada viewer at /
expect deny user:ada task.view at /
`
	results := run(t, "f", []byte(src))
	if results[0].OK || !results[1].OK {
		t.Errorf("Run(%q): got %+v, want the first step to fail and the second to pass", src, results)
	}
}

// Questions at different instants are told apart, those too that lie so far apart that nanoseconds between them overflow.
func TestFarInstants(t *testing.T) {
	const src = `permission task.view
role viewer
  allow task.view
grant user:ada viewer at / from 2025-01-01
expect permissions user:ada at / = task.view
expect permissions user:ada at / now 1754-08-30T22:43:41.128654848Z = none
`
	for _, r := range run(t, "f", []byte(src)) {
		if !r.OK {
			t.Errorf("Run: %s: got %q", r.Step.Text, r.Got)
		}
	}
}

// The list of subjects named in the policy and the filter of single questions agree: a narrowing that takes nothing
// away sends the list the long way round.
func TestSubjectsBothWays(t *testing.T) {
	name := filepath.Join("testdata", "scenarios", "everything.rolecall")
	base, _, _ := strings.Cut(string(read(t, name)), "expect ")
	steps := 0
	for _, place := range []string{"/", "/project:alpha", "/project:alpha/shot:010", "/project:secret", "/project:beta"} {
		for _, permission := range []string{"task.view", "task.update", "task.delete", "cost.submit"} {
			for _, given := range []string{"", " given assigned", " given unknown own given assigned"} {
				question := fmt.Sprintf("expect subjects %s at %s%s", permission, place, given)
				short := run(t, name, []byte(base+question+" = none"))[0].Got
				long := run(t, name, []byte(base+question+" only * = none"))[0].Got
				if short != long {
					t.Errorf("%s: got %q, asked one by one %q", question, short, long)
				}
				if short != "none" {
					steps++
				}
			}
		}
	}
	if steps == 0 {
		t.Error("no list had anybody in it")
	}
}
