package rolecalltest

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// golden compares what a test got with a file, or rewrites the file.
func golden(tb testing.TB, file, got string) {
	tb.Helper()
	if updating(tb) {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
		return
	}
	src, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	want := strings.ReplaceAll(string(src), "\r\n", "\n")
	if got == want {
		return
	}
	tb.Errorf("%s does not say what came out; where that is meant, run the test again with ROLECALL_UPDATE=1 (or -update)\n%s",
		file, difference(want, got))
}

func updating(tb testing.TB) bool {
	tb.Helper()
	if f := flag.Lookup("update"); f != nil {
		if g, ok := f.Value.(flag.Getter); ok && g.Get() == true {
			return true
		}
	}
	word := os.Getenv("ROLECALL_UPDATE")
	if word == "" {
		return false
	}
	update, err := strconv.ParseBool(word)
	if err != nil {
		tb.Fatalf("ROLECALL_UPDATE=%q is neither true nor false; 1 rewrites golden files", word)
	}
	return update
}

// difference lists the lines that only one side has, in order: enough for tables, whose lines are all different.
func difference(want, got string) string {
	var b strings.Builder
	has := func(text string) map[string]bool {
		lines := map[string]bool{}
		for line := range strings.Lines(text) {
			lines[line] = true
		}
		return lines
	}
	inWant, inGot := has(want), has(got)
	for line := range strings.Lines(want) {
		if !inGot[line] {
			b.WriteString("- " + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	for line := range strings.Lines(got) {
		if !inWant[line] {
			b.WriteString("+ " + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	if b.Len() == 0 {
		return "(the same lines in another order or number)"
	}
	return b.String()
}
