package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// unmeasured runs f and says that it took a millisecond, so that reports are the same each time.
func unmeasured(f func()) time.Duration {
	f()
	return time.Millisecond
}

// A report of the generated studio, of a small policy that somebody wrote, and of one that has nothing to show.
func TestReports(t *testing.T) {
	for _, test := range []struct {
		golden string
		args   []string
	}{
		{"studio.golden", nil},
		{"small.golden", []string{"-policy", "testdata/small.rolecall"}},
		{"small-later.golden", []string{"-policy", "testdata/small.rolecall", "-now", "2026-07-01"}},
		{"empty.golden", []string{"-policy", "testdata/empty.rolecall"}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(t.Context(), test.args, &out, unmeasured); err != nil {
				t.Fatalf("run(%q): %v", test.args, err)
			}
			file := filepath.Join("testdata", test.golden)
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("run(%q) differs from %s, which -update writes anew (-want +got):\n%s", test.args, file, diff)
			}
		})
	}
}

func TestStudioFileIsGenerated(t *testing.T) {
	if want := generated(); !bytes.Equal(studioFile, want) {
		t.Errorf("studio.rolecall is not what the generator makes (%d bytes, want %d): run go generate ./examples/studio",
			len(studioFile), len(want))
	}
}

func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.rolecall")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-write", file}, &out, unmeasured); err != nil {
		t.Fatalf("run(-write): %v", err)
	}
	got, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, studioFile) {
		t.Errorf("-write wrote %d bytes, error %v; want the %d of studio.rolecall", len(got), err, len(studioFile))
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &out, unmeasured); err != nil || !strings.Contains(out.String(), "-policy FILE") {
		t.Errorf("run(-h): error %v, shows %q, want the flags", err, out.String())
	}
}

// Everything wrong with a file is told, each thing with its place, and nothing is shown.
func TestBadInput(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"-policy", "testdata/bad.rolecall"}, []string{
			"testdata/bad.rolecall:4:9:", `"shot.viw"`, "testdata/bad.rolecall:5:", "planet", "testdata/bad.rolecall:6:", `"owner"`,
			"testdata/bad.rolecall:7:1:",
		}},
		{[]string{"-policy", "testdata/no-such.rolecall"}, []string{"no-such.rolecall"}},
		{[]string{"-now", "yesterday"}, []string{"-now", "RFC 3339", `"yesterday"`}},
		{[]string{"-speed", "11"}, []string{"-speed"}},
		{[]string{"my.rolecall"}, []string{"my.rolecall", "only flags"}},
	} {
		var out bytes.Buffer
		err := run(t.Context(), test.args, &out, unmeasured)
		if err == nil {
			t.Errorf("run(%q) succeeded, want an error", test.args)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("run(%q) says:\n%v\nwant it to name %s", test.args, err, want)
			}
		}
		if out.Len() > 0 {
			t.Errorf("run(%q) shows %d bytes beside its error, want none", test.args, out.Len())
		}
	}
}
