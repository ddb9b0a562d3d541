package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

func TestParseEdits(t *testing.T) {
	const src = "\uFEFF# A change.\r\n" + `grant user:a viewer at /project:x until 2026-07-01
role lead "Lead"
  inherits viewer  # and more
  allow task.*
remove member user:a of group:b
remove override user:a task.view at /
remove role lead
forget user:b
forget /project:x

activate user:a lead at / until 2026-02-01 "why"
`
	const want = `[{"put":{"grant":{"subject":"user:a","role":"viewer","scope":"/project:x","until":"2026-07-01T00:00:00Z"}}},` +
		`{"put":{"role":{"name":"lead","title":"Lead","inherits":["viewer"],"rules":[{"effect":"allow","patterns":["task.*"]}]}}},` +
		`{"remove":{"member":{"member":"user:a","group":"group:b"}}},` +
		`{"remove":{"override":{"subject":"user:a","pattern":"task.view","scope":"/"}}},` +
		`{"remove":{"role":{"name":"lead"}}},` +
		`{"forgetSubject":"user:b"},{"forgetScope":"/project:x"},` +
		`{"activate":{"subject":"user:a","role":"lead","scope":"/","until":"2026-02-01T00:00:00Z","reason":"why"}}]`
	edits, err := policy.ParseEdits("e", []byte(src))
	if err != nil {
		t.Fatalf("ParseEdits(%q): %v", src, err)
	}
	got, err := json.Marshal(edits.List)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("ParseEdits(%q): -want +got\n%s", src, diff)
	}
	const text = `grant user:a viewer at /project:x until 2026-07-01
role lead "Lead"
  inherits viewer
  allow task.*
remove member user:a of group:b
remove override user:a task.view at /
remove role lead
forget user:b
forget /project:x
activate user:a lead at / until 2026-02-01 "why"
`
	if diff := cmp.Diff(text, textOf(edits)); diff != "" {
		t.Errorf("the edits of %q as text: -want +got\n%s", src, diff)
	}
}

func TestBadEdits(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"suspend", `e:1:1: a subject is missing after this: "suspend" (invalid)`},
		{"do suspend user:a", `e:1:1: an edit is a statement, remove and a statement, forget or activate: "do" (invalid)`},
		{"clock 2026-01-01", `e:1:1: an edit is a statement, remove and a statement, forget or activate: "clock" (invalid)`},
		{"grnat user:a viewer at /", `e:1:1: an edit is a statement, remove and a statement, forget or activate (did you mean "grant"?): "grnat" (invalid)`},
		{"expect allow user:a task.view at /", `e:1:1: an edit is a statement, remove and a statement, forget or activate: "expect" (invalid)`},
		{"remove suspended user:a", `e:1:8: an edit is a statement, remove and a statement, forget or activate (did you mean "suspend"?): "suspended" (invalid)`},
		{"  alow task.view", `e:1:3: an edit is a statement, remove and a statement, forget or activate (did you mean "allow"?): "alow" (invalid)`},
		{"suspend user:a\n  allow task.view", `e:2:3: this belongs to a role, and there is none above it: "allow" (invalid)`},
		{"role x\n  allow\nremove\nsuspend b\n", `e:2:3: a pattern is missing after this: "allow" (invalid)` + "\n" +
			`e:3:1: a statement is missing after this: "remove" (invalid)` + "\n" + `e:4:9: a subject is written kind:id, or everyone: "b" (invalid)`},
		{`suspend "user:a`, `e:1:9: the quoted string has no end on its line: "\"user:a" (invalid)`},
	} {
		edits, err := policy.ParseEdits("e", []byte(c.src))
		if edits != nil || err == nil {
			t.Errorf("ParseEdits(%q): got %v, %v, want %s", c.src, edits, err, c.want)
			continue
		}
		if diff := cmp.Diff(c.want, err.Error()); diff != "" {
			t.Errorf("ParseEdits(%q): -want +got\n%s", c.src, diff)
		}
	}
}

// What is wrong with the meaning of edits is told where they stand.
func TestLocate(t *testing.T) {
	const standing = "member group:b of group:c\ngrant group:c viewer at /project:x\n"
	for _, c := range []struct{ src, want string }{
		{"suspend user:a\ngrant user:a ghost at /", `e:2:14: no such role is defined: "ghost" (unknown)`},
		{"\nremove suspend user:a", `e:2:8: there is no such statement to remove: "suspend user:a" (unknown)`},
		{"  remove  grant user:b viewer  at / # gone", `e:1:11: there is no such statement to remove: "grant user:b viewer  at /" (unknown)`},
		{"remove role x", `e:1:8: there is no such statement to remove: "role x" (unknown)`},
		{"forget robot:r", `e:1:8: no subject kind "robot" is declared: "robot:r" (unknown)`},
		{"forget /planet:x", `e:1:8: no scope kind "planet" is declared: "/planet:x" (unknown)`},
		{"activate user:a viewer at / until 2026-02-01 \"x\"", `e:1:10: there is no eligible grant of role viewer that is valid from now until then: "user:a" (not-eligible)`},
		{"role x\n  allow task.view\n  allow task.viw", `e:3:9: no such permission is declared (did you mean "task.view"?): "task.viw" (unknown)`},
		{"remove role viewer", `e:1:13: the role is still named by grant group:c viewer at /project:x: "viewer" (in-use)`},
		{"member group:c of group:b", `member group:b of group:c: the groups contain each other in a circle: group:b in group:c in group:b: "group:b" (cycle)`},
	} {
		_, snapshot, err := policy.Load("f", []byte(head+standing))
		if err != nil {
			t.Fatal(err)
		}
		edits, err := policy.ParseEdits("e", []byte(c.src))
		if err != nil {
			t.Fatalf("ParseEdits(%q): %v", c.src, err)
		}
		_, err = snapshot.Propose(rolecall.Change{Edits: edits.List})
		if got := edits.Locate(err).Error(); strings.TrimPrefix(got, "e: ") != c.want {
			t.Errorf("Locate of what is wrong with %q: got %s, want %s", c.src, got, c.want)
		}
	}
	other := errors.New("other")
	if got := (&policy.Edits{}).Locate(other); got != other {
		t.Errorf("Locate(%v): got %v, want it as it is", other, got)
	}
}

// What is worked out of an edit to locate problems is worked out once, however many problems there are: twice the edits,
// each with its problem, take about twice the work.
func TestLocateManyProblems(t *testing.T) {
	work := func(n int) float64 {
		var src strings.Builder
		var problems rolecall.Problems
		for i := range n {
			fmt.Fprintf(&src, "grant user:u%d ghost at /\n", i)
			g := rolecall.Grant{Subject: rolecall.User(fmt.Sprint("u", i)), Role: "ghost", Scope: rolecall.Global()}
			problems = append(problems, &rolecall.Problem{Code: rolecall.ErrUnknown, Place: g.String(), Word: "ghost", Statement: g})
		}
		edits, err := policy.ParseEdits("e", []byte(src.String()))
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(1, func() {
			if located := edits.Locate(problems).Error(); strings.Count(located, "e:") != n {
				t.Errorf("Locate of %d problems, each of one edit: got %s", n, located)
			}
		})
	}
	if once, twice := work(100), work(200); twice > 3*once {
		t.Errorf("Locate allocates %v times for 100 edits and %v times for 200, want about twice as often", once, twice)
	}
}

// Edits are what the steps of scenarios make, and whatever they are, reading and locating panics nowhere.
func FuzzParseEdits(f *testing.F) {
	scenarioLines(f, func(line string) { f.Add(strings.TrimPrefix(line, "do ")) })
	_, snapshot, err := policy.Load("f", []byte(head))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string) {
		edits, err := policy.ParseEdits("e", []byte(src))
		if err != nil {
			if edits != nil {
				t.Fatalf("ParseEdits(%q): got edits with the error %v", src, err)
			}
			return
		}
		text := textOf(edits)
		again, err := policy.ParseEdits("e", []byte(text))
		if err != nil || textOf(again) != text {
			t.Fatalf("ParseEdits(%q), formatted to %q: %v, or another spelling", src, text, err)
		}
		_, err = snapshot.Propose(rolecall.Change{Edits: edits.List})
		var all policy.Errors
		if err != nil && errors.As(edits.Locate(err), &all) {
			for _, e := range all {
				if e.Line > 0 && !strings.HasPrefix(lineOf(src, e.Line)[e.Column-1:], e.Word) {
					t.Errorf("ParseEdits(%q): %q is said to stand at %d:%d", src, e.Word, e.Line, e.Column)
				}
			}
		}
	})
}

// textOf writes edits as they are read.
func textOf(edits *policy.Edits) string {
	var b strings.Builder
	for _, e := range edits.List {
		b.WriteString(e.String() + "\n")
	}
	return b.String()
}

func lineOf(src string, n int) string {
	return strings.Split(strings.TrimPrefix(src, "\uFEFF"), "\n")[n-1]
}
