package policy_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall/policy"
)

// scenarioLines calls add with each line of the scenarios.
func scenarioLines(f *testing.F, add func(line string)) {
	names, err := filepath.Glob("testdata/scenarios/*.rolecall")
	if err != nil || len(names) == 0 {
		f.Fatalf("no scenarios to start from: %v", err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(src)) {
			add(line)
		}
	}
}

// seeds starts from small files: the line of each step and statement of the scenarios, alone and after a policy.
func seeds(f *testing.F) {
	scenarioLines(f, func(line string) {
		f.Add([]byte(line))
		f.Add([]byte(head + line))
	})
}

// Whatever parses formats to something that parses to the same policy, in one spelling. What does not parse is told
// with errors and nothing else. Running it panics nowhere.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := policy.Parse("f", src)
		if err != nil {
			if file != nil {
				t.Fatalf("Parse(%q): got a file with the error %v", src, err)
			}
			_, _, err := policy.Load("f", src)
			checkPlaces(t, string(src), err)
			return
		}
		text := policy.Format(file.Declarations, file.Statements)
		again, err := policy.Parse("f", text)
		if err != nil {
			t.Fatalf("Parse(%q), formatted to %q: %v", src, text, err)
		}
		if second := policy.Format(again.Declarations, again.Statements); !bytes.Equal(text, second) {
			t.Errorf("Parse(%q): two spellings: %s", src, cmp.Diff(string(text), string(second)))
		}
		loaded, snapshot, err := policy.Load("f", src)
		if err != nil {
			if loaded != nil || snapshot != nil {
				t.Fatalf("Load(%q): got a policy with the error %v", src, err)
			}
			checkPlaces(t, string(src), err)
			return
		}
		if got := len(loaded.Run(snapshot)); got != len(file.Steps) {
			t.Errorf("Run(%q): got %d results, want %d", src, got, len(file.Steps))
		}
	})
}

// checkPlaces fails where the word of an error is in its line, but not where it is said to be.
func checkPlaces(t *testing.T, src string, err error) {
	var all policy.Errors
	if !errors.As(err, &all) {
		t.Fatalf("Load(%q): got a %T, want policy.Errors", src, err)
	}
	for _, e := range all {
		if e.Line == 0 {
			continue
		}
		line := lineOf(src, e.Line)
		if at := line[e.Column-1:]; !strings.HasPrefix(at, e.Word) && slices.Contains(strings.Fields(line), e.Word) {
			t.Errorf("Load(%q): %v, but there stands %q", src, e, at)
		}
	}
}

// Tidying keeps what a file means, and tidying again changes nothing.
func FuzzFormatSource(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		tidy, err := policy.FormatSource("f", src)
		want, parseErr := policy.Parse("f", src)
		if (err == nil) != (parseErr == nil) {
			t.Fatalf("FormatSource(%q): %v, but Parse: %v", src, err, parseErr)
		}
		if err != nil {
			return
		}
		got, err := policy.Parse("f", tidy)
		if err != nil {
			t.Fatalf("FormatSource(%q): got %q, which does not parse: %v", src, tidy, err)
		}
		checkSame(t, want, got, "the tidied file")
		again, err := policy.FormatSource("f", tidy)
		if err != nil || !bytes.Equal(tidy, again) {
			t.Errorf("FormatSource(%q): got %q, again: %v, %s", src, tidy, err, cmp.Diff(string(tidy), string(again)))
		}
		checkSameResults(t, src, tidy)
	})
}

// checkSameResults fails unless the steps of both files have the same results.
func checkSameResults(t *testing.T, src, tidy []byte) {
	f, s, err := policy.Load("f", src)
	g, u, tidyErr := policy.Load("f", tidy)
	if (err == nil) != (tidyErr == nil) {
		t.Fatalf("Load(%q): %v, but tidied: %v", src, err, tidyErr)
	}
	if err != nil {
		return
	}
	want, got := f.Run(s), g.Run(u)
	for i := range want {
		if want[i].OK != got[i].OK || want[i].Got != got[i].Got {
			t.Errorf("Run(%q): %s: got %s, tidied %s", src, want[i].Step.Text, want[i].Got, got[i].Got)
		}
	}
}
