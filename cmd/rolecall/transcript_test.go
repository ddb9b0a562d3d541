package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write into the transcripts what the commands print")

// Each file in testdata is what a person sees who types the commands in it, beside the policies that are there too.
func TestTranscripts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("transcripts: %v, %v", names, err)
	}
	for i := range names {
		if names[i], err = filepath.Abs(names[i]); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir("testdata")
	for _, name := range names {
		checkPage(t, name, replay)
	}
}

var (
	fileBlock    = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```[a-z]*\n(.*?\n)```\n")
	consoleBlock = regexp.MustCompile("(?s)(```console\n)(.*?)(```\n)")
)

// What docs/cli.md shows is what happens to a reader who has written down its files.
func TestTheDocumentation(t *testing.T) {
	page, err := filepath.Abs("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, block := range fileBlock.FindAllStringSubmatch(string(text), -1) {
		if err := os.WriteFile(block[1], []byte(block[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	checkPage(t, page, func(text string) string {
		return consoleBlock.ReplaceAllStringFunc(text, func(block string) string {
			parts := consoleBlock.FindStringSubmatch(block)
			return parts[1] + replay(parts[2]) + parts[3]
		})
	})
}

// checkPage fails unless a file stays as it is when its commands are replayed; with -update it becomes so.
func checkPage(t *testing.T, name string, replay func(string) string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got := replay(string(text))
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(text), got); diff != "" {
		t.Errorf("%s: -there +printed\n%s", filepath.Base(name), diff)
	}
}

// replay writes after each command, which is a line that starts with $, what it prints, and its exit code if that is
// not 0. Lines that start with ## are comments.
func replay(transcript string) string {
	var b strings.Builder
	answered := false
	for line := range strings.Lines(transcript) {
		command, isCommand := strings.CutPrefix(line, "$ ")
		isComment := strings.HasPrefix(line, "## ")
		if answered && (isCommand || isComment) {
			b.WriteByte('\n')
		}
		switch {
		case isCommand:
			answered = true
			b.WriteString(line + printed(command))
		case isComment || !answered:
			answered = false
			b.WriteString(line)
		}
	}
	return b.String()
}

func printed(command string) string {
	words, in, err := shellWords(command)
	if err != nil {
		return err.Error() + "\n"
	}
	var out, errOut bytes.Buffer
	code := run(words[1:], strings.NewReader(in), &out, &errOut)
	text := out.String() + errOut.String()
	if code != 0 {
		text += fmt.Sprintf("[exit %d]\n", code)
	}
	return text
}

var shellWord = regexp.MustCompile(`'[^']*'|\S+`)

// shellWords splits a command like a shell, as far as the transcripts need it, and reads what < names.
func shellWords(command string) (words []string, in string, err error) {
	words = shellWord.FindAllString(command, -1)
	for i, w := range words {
		words[i] = strings.Trim(w, "'")
	}
	n := len(words)
	if n < 3 || words[n-2] != "<" {
		return words, "", nil
	}
	content, err := os.ReadFile(words[n-1])
	return words[:n-2], string(content), err
}

// What lint proposes is what plan reads.
func TestProposalsArePlanned(t *testing.T) {
	f := folder{t, t.TempDir()}
	const file = "testdata/untidy.rolecall"
	code, edits, errOut := f.run("", "lint", "-o", "edits", "-f", file)
	if code != exitNo || edits == "" {
		t.Fatalf("rolecall lint -o edits: got exit code %d and %q %q, want proposals", code, edits, errOut)
	}
	if code, out, errOut := f.run(edits, "plan", "-", "-f", file); code != 0 || !strings.Contains(out, "- role idle") {
		t.Errorf("rolecall plan of\n%s: got exit code %d and\n%s%s\nwant 0 and that role idle goes", edits, code, out, errOut)
	}
}
