package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// Full is a disk on which nothing more fits.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// An answer that cannot be written is neither a yes nor a no, and what kept it is told once.
func TestAnswersThatCannotBeWritten(t *testing.T) {
	f := newFolder(t, map[string]string{"p": studio, "q": studio + "suspend user:ada\n", "edits": "suspend user:ada\n", "s": studio + "do suspend user:ada\n", "untidy": " suspend user:ada\n"})
	exported(t, f.path("log"))
	for _, args := range []string{
		"test @/s", "test @/p",
		"fmt @/p", "fmt -l @/untidy", "audit @/log",
		"can user:ada task.view /project:alpha -f @/p", "can user:eve task.view / -f @/p", "can user:ada task.view / -o json -f @/p",
		"explain user:ada task.view / -f @/p", "explain user:ada task.view / -o json -f @/p", "explain user:ada task.view / -o svg -f @/p",
		"explain user:ada task.view / -o dot -f @/p", "explain user:ada task.view / -o notice -f @/p", "explain user:ada task.view / --fix -f @/p",
		"who-can task.view /project:alpha -f @/p", "who-can task.view /project:alpha -o json -f @/p",
		"what-can user:ada /project:alpha -f @/p", "what-can user:ada /project:alpha -o json -f @/p",
		"list user:ada task.view project -f @/p", "list user:ada task.view project --in / -f @/p", "list user:ada task.view project /project:alpha -f @/p", "list user:ada task.view project -o json -f @/p",
		"plan @/edits -f @/p", "plan @/edits --summary -f @/p", "plan @/edits -o json -f @/p", "plan @/edits --by user:ada -f @/p",
		"diff @/p @/q", "diff @/p @/q --statements", "diff @/p @/q --effects", "diff @/p @/q -o json",
		"lint -f @/p", "lint -o json -f @/p", "lint -o edits -f @/p",
		"review /project:alpha -f @/p", "review /project:alpha -o json -f @/p", "review /project:alpha -o csv -f @/p", "review /project:alpha -o html -f @/p",
		"can-grant user:pia user:eve viewer / -f @/p", "can-grant user:pia user:eve viewer / -o json -f @/p",
	} {
		var said strings.Builder
		code := run(strings.Fields(strings.ReplaceAll(args, "@", f.dir)), strings.NewReader(""), full{}, &said)
		if want := syscall.ENOSPC.Error() + "\n"; code != exitBad || said.String() != want {
			t.Errorf("rolecall %s: got exit code %d and %q, want %d and %q", args, code, said.String(), exitBad, want)
		}
	}
}

// A name that a terminal would not show as it is has its escape, however a plan is told.
func TestPlansShowHiddenCharacters(t *testing.T) {
	f := newFolder(t, map[string]string{"p": studio})
	const edit = "grant user:a\u200bda viewer at /project:alpha\u202e"
	for _, args := range [][]string{{}, {"--summary"}} {
		code, out, errOut := f.run("", append([]string{"plan", "-f", "@/p", "--edit", edit}, args...)...)
		shown := strings.Count(out, `user:a\u200bda`) == 2 && strings.Count(out, `/project:alpha\u202e`) == 2
		if code != 0 || errOut != "" || strings.ContainsAny(out, "\u200b\u202e") || !shown {
			t.Errorf("rolecall plan %q of %q: got exit code %d,\n%s%s\nwant the hidden characters as escapes", args, edit, code, out, errOut)
		}
	}
}

// What has no JSON form is an error.
func TestExplanationWithoutJSON(t *testing.T) {
	e := &explanation{remedies: []rolecall.Remedy{{Edits: []rolecall.Edit{{}}}}}
	if text, err := json.Marshal(e); err == nil || !strings.Contains(err.Error(), "the zero edit does nothing") {
		t.Errorf("an explanation with a remedy that does nothing: got %s, %v, want the error of the zero edit", text, err)
	}
}
