package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const studio = `clock 2026-03-01
permission task.view "See a task"
permission task.update "Edit a task"
condition assigned
kind scope project
role viewer
  allow task.view
role artist
  inherits viewer
  allow task.update when assigned
member user:vic of group:vendor
grant group:vendor viewer at /project:beta
grant user:ada artist at /project:alpha
grant user:fay viewer at / until 2026-03-01
suspend user:bob
`

// A folder is where the files of one test are.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T, files map[string]string) folder {
	f := folder{t, t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(f.path(name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

// run runs the command. In the arguments and in what is printed, @ stands for the folder.
func (f folder) run(in string, args ...string) (code int, out, errOut string) {
	f.t.Helper()
	var stdout, stderr bytes.Buffer
	here := make([]string, len(args))
	for i, a := range args {
		here[i] = strings.ReplaceAll(a, "@", f.dir)
	}
	code = run(here, strings.NewReader(in), &stdout, &stderr)
	return code, strings.ReplaceAll(stdout.String(), f.dir, "@"), strings.ReplaceAll(stderr.String(), f.dir, "@")
}

func (f folder) check(args string, wantCode int, wantOut, wantErr string) {
	f.t.Helper()
	code, out, errOut := f.run("", strings.Fields(args)...)
	if code != wantCode {
		f.t.Errorf("rolecall %s: got exit code %d, want %d; it printed\n%s%s", args, code, wantCode, out, errOut)
	}
	if diff := cmp.Diff(wantOut, out); diff != "" {
		f.t.Errorf("rolecall %s: standard output: -want +got\n%s", args, diff)
	}
	if diff := cmp.Diff(wantErr, errOut); diff != "" {
		f.t.Errorf("rolecall %s: standard error: -want +got\n%s", args, diff)
	}
}

func TestTest(t *testing.T) {
	f := newFolder(t, map[string]string{
		"good.rolecall": studio + "expect allow user:ada task.view at /project:alpha\ndo suspend user:ada\n",
		"wrong file":    studio + "expect allow user:ada task.view at /project:alpha\nexpect allow user:eve task.view at /\nexpect subjects task.view at / = user:eve\n",
		"bad":           studio + "expect\nprivate\n",
		"unknown":       "grant user:ada ghost at /\n",
		"none":          studio,
	})
	const failures = `@/wrong file:17: expect allow user:eve task.view at /
  expected allow
  got      deny
  denied: user:eve task.view at / (nothing said)
    nothing in the policy speaks of it
@/wrong file:18: expect subjects task.view at / = user:eve
  expected user:eve
  got      none
  missing: user:eve
  denied: user:eve task.view at / (nothing said)
    nothing in the policy speaks of it
`
	const badErrors = `@/bad:16:1: what is expected is missing after this: "expect" (invalid)
@/bad:17:1: the policy stands before the steps; a step that changes it starts with do: "private" (invalid)
`
	f.check("test @/good.rolecall", 0, "2 passed, 0 failed\n", "")
	f.check("test @/none", 1, "0 passed, 0 failed\n", "@/none: no step in it, so nothing was tested\n")
	f.check("test @/none @/none", 1, "0 passed, 0 failed\n", "@/none, @/none: no step in it, so nothing was tested\n")
	f.check("test @/none @/good.rolecall", 0, "2 passed, 0 failed\n", "")
	f.check("test @/none @/bad", 3, "0 passed, 0 failed\n", badErrors)
	f.check("test @/bad", 3, "0 passed, 0 failed\n", badErrors)
	f.check("test @/good.rolecall @/bad", 3, "2 passed, 0 failed\n", badErrors)
	f.check("test @/unknown", 3, "0 passed, 0 failed\n", "@/unknown:1:16: no such role is defined: \"ghost\" (unknown)\n")
	f.check("test @/absent", 3, "0 passed, 0 failed\n", "open @/absent: no such file or directory\n")
	f.check("test", 2, "", "rolecall: requires at least 1 arg(s), only received 0\nTry rolecall --help.\n")

	if code, out, errOut := f.run("", "test", "@/good.rolecall", "@/wrong file"); code != 1 || errOut != "" {
		t.Errorf("rolecall test with a file that fails: got exit code %d and %q, want 1 and no error", code, errOut)
	} else if diff := cmp.Diff(failures+"3 passed, 2 failed\n", out); diff != "" {
		t.Errorf("rolecall test with a file that fails: -want +got\n%s", diff)
	}
	if code, out, _ := f.run("", "test", "@/wrong file", "@/bad"); code != 3 || !strings.HasSuffix(out, "1 passed, 2 failed\n") {
		t.Errorf("rolecall test with a file that fails and one that does not parse: got exit code %d and\n%s\nwant 3 and both steps", code, out)
	}
}

func TestCan(t *testing.T) {
	f := newFolder(t, map[string]string{"p": studio, "bad": "grant user:ada ghost at /\n"})
	for _, c := range []struct {
		args string
		want int
	}{
		{"user:ada task.view /project:alpha -f @/p", 0},
		{"user:ada task.view /project:beta -f @/p", 1},
		{"user:ada task.update /project:alpha -f @/p", 1},
		{"user:ada task.update /project:alpha -f @/p --given assigned", 0},
		{"user:ada task.update /project:alpha -f @/p --unknown assigned", 1},
		{"user:ada task.view /project:alpha -f @/p --unknown assigned", 0},
		{"user:vic task.view /project:beta -f @/p", 0},
		{"user:new task.view /project:beta -f @/p --group group:vendor", 0},
		{"user:new task.view /project:beta -f @/p --group group:other --group group:vendor", 0},
		{"user:ada task.view /project:alpha -f @/p --roles viewer", 0},
		{"user:ada task.update /project:alpha -f @/p --given assigned --roles viewer", 1},
		{"user:ada task.update /project:alpha -f @/p --given assigned --roles viewer,artist", 0},
		{"user:ada task.update /project:alpha -f @/p --given assigned --only *.view,task.status.*", 1},
		{"user:ada task.view /project:alpha -f @/p --only *.view", 0},
		{"user:ada task.view /project:alpha -f @/p --actor user:bob", 1},
		{"user:ada task.view /project:alpha -f @/p --actor user:vic", 0},
		{"user:fay task.view / -f @/p", 1}, // at the file's clock
		{"user:fay task.view / -f @/p --now 2026-02-28T23:59:59Z", 0},
		{"everyone task.view / -f @/p", 1},
	} {
		answer := map[int]string{0: "yes\n", 1: "no\n"}[c.want]
		f.check("can "+c.args, c.want, answer, "")
		if code, out, errOut := f.run("", strings.Fields("explain "+c.args)...); code != c.want || !strings.Contains(out, " at /") || errOut != "" {
			t.Errorf("rolecall explain %s: got exit code %d,\n%s%s\nwant %d and an explanation", c.args, code, out, errOut, c.want)
		}
	}
}

// An option that is there says something: a script in which a variable is not set does not ask another question.
func TestEmptyOptions(t *testing.T) {
	f := newFolder(t, map[string]string{"p": studio, "log": ""})
	for _, c := range []struct {
		args   []string
		option string
	}{
		{[]string{"can", "user:ada", "task.view", "/project:alpha", "-f", "@/p", "--actor", ""}, "actor"},
		{[]string{"can", "user:ada", "task.view", "/project:alpha", "-f", "@/p", "--now="}, "now"},
		{[]string{"explain", "user:bob", "task.view", "/project:alpha", "-f", "@/p", "--fix", "--by", ""}, "by"},
		{[]string{"list", "user:ada", "task.view", "project", "-f", "@/p", "--in", ""}, "in"},
		{[]string{"plan", "--edit", "suspend user:ada", "-f", "@/p", "--by", ""}, "by"},
		{[]string{"plan", "--edit", "suspend user:ada", "-f", "@/p", "--by", "user:ada", "--on-behalf", ""}, "on-behalf"},
		{[]string{"can-grant", "user:ada", "user:bob", "viewer", "/", "-f", "@/p", "--until", ""}, "until"},
		{[]string{"audit", "@/log", "--head", ""}, "head"},
		{[]string{"serve", "-f", "@/p", "--token-file", ""}, "token-file"},
	} {
		code, out, errOut := f.run("", c.args...)
		if want := "rolecall: --" + c.option + " is empty\nTry rolecall --help.\n"; code != exitUsage || out != "" || errOut != want {
			t.Errorf("rolecall %q: got exit code %d, printed %q and %q, want %d, nothing and %q", c.args, code, out, errOut, exitUsage, want)
		}
	}
	if code, _, errOut := f.run("", "who-can", "task.view", "/", "-f", "@/p", "--after", ""); code != exitNo {
		t.Errorf("rolecall who-can --after '': got exit code %d and %q, want %d: the first page, which is empty", code, errOut, exitNo)
	}
}

// What is wrong is neither a yes nor a no.
func TestCanWithWrongWords(t *testing.T) {
	f := newFolder(t, map[string]string{"p": studio, "bad": "grant user:ada ghost at /\n"})
	for _, c := range []struct {
		args string
		want int
		says string // in standard error
	}{
		{"user:ada task.viw / -f @/p", 3, `did you mean "task.view"`},
		{"user:ada Task.View / -f @/p", 3, "(invalid)"},
		{"ada task.view alpha -f @/p", 3, `"alpha"`},
		{"robot:r2 task.view / -f @/p", 3, "(unknown)"},
		{"user:ada task.view /planet:x -f @/p", 3, "(unknown)"},
		{"user:ada task.view / -f @/p --given sunny", 3, `"sunny"`},
		{"user:ada task.view / -f @/p --unknown sunny", 3, `"sunny"`},
		{"user:ada task.view / -f @/p --given assigned --unknown assigned", 3, `"assigned"`},
		{"user:ada task.view / -f @/p --roles ghost", 3, `"ghost"`},
		{"user:ada task.view / -f @/p --only task.viw", 3, `"task.viw"`},
		{"user:ada task.view / -f @/p --group vendor", 3, `"vendor"`},
		{"user:ada task.view / -f @/p --actor bob", 3, `"bob"`},
		{"user:ada task.view / -f @/p --now today", 3, `"today"`},
		{"user:ada task.view / -f @/p --now 0001-01-01", 3, `"0001-01-01"`},
		{"user:ada task.view / -f @/bad", 3, "@/bad:1:16: "},
		{"user:ada task.view / -f @/absent", 3, "no such file"},
		{"user:ada task.view /", 2, `"file" not set`},
		{"user:ada task.view -f @/p", 2, "accepts 3 arg(s)"},
		{"user:ada task.view / -f @/p --givn assigned", 2, "unknown flag"},
	} {
		for _, verb := range []string{"can ", "explain "} {
			code, out, errOut := f.run("", strings.Fields(verb+c.args)...)
			if code != c.want || out != "" || !strings.Contains(errOut, c.says) {
				t.Errorf("rolecall %s: got exit code %d, printed %q and %q, want %d, nothing and an error with %s", verb+c.args, code, out, errOut, c.want, c.says)
			}
		}
	}
}

func TestExplain(t *testing.T) {
	f := newFolder(t, map[string]string{"p": studio})
	f.check("explain user:vic task.view /project:beta -f @/p", 0, `allowed: user:vic task.view at /project:beta
  because grant group:vendor viewer at /project:beta (role viewer: allow task.view) through group:vendor: decides
`, "")
	f.check("explain user:vic task.update /project:beta -f @/p", 1, `denied: user:vic task.update at /project:beta (nothing said)
  nothing in the policy speaks of it
`, "")
}

func TestExplainDraws(t *testing.T) {
	f := newFolder(t, map[string]string{"p": studio})
	for form, want := range map[string]string{"svg": "<svg ", "dot": "digraph "} {
		for subject, wantCode := range map[string]int{"user:vic": 0, "user:bob": 1} {
			code, out, errOut := f.run("", "explain", subject, "task.view", "/project:beta", "-o", form, "-f", "@/p")
			if code != wantCode || !strings.HasPrefix(out, want) || !strings.Contains(out, subject) || errOut != "" {
				t.Errorf("rolecall explain %s -o %s: got exit code %d, %q and %q, want %d and %s", subject, form, code, out, errOut, wantCode, want)
			}
		}
	}
}

func TestFmt(t *testing.T) {
	const untidy, tidy, bad = "#  c\nsuspend   user:ada # why\n\n\n", "#  c\nsuspend user:ada  # why\n", "suspend\n"
	const fault = `:1:1: a subject is missing after this: "suspend" (invalid)` + "\n"
	f := newFolder(t, map[string]string{"untidy": untidy, "tidy": tidy, "bad": bad, "loose": untidy})
	f.check("fmt @/untidy", 0, tidy, "")
	f.check("fmt @/untidy @/tidy", 0, tidy+tidy, "")
	f.check("fmt -l @/untidy @/tidy", 0, "@/untidy\n", "")
	f.check("fmt @/bad @/untidy", 3, tidy, "@/bad"+fault)
	f.check("fmt -w", 2, "", "rolecall: -w needs a file\nTry rolecall --help.\n")
	f.checkFile("untidy", untidy)

	if err := os.Symlink("loose", f.path("link")); err != nil {
		t.Fatal(err)
	}
	f.check("fmt -w @/untidy @/bad @/link", 3, "", "@/bad"+fault)
	f.checkFile("untidy", tidy)
	f.checkFile("loose", tidy)
	f.checkFile("bad", bad)
	if info, err := os.Lstat(f.path("link")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("rolecall fmt -w @/link: got %v, %v, want the link to stay a link", info, err)
	}
	if info, err := os.Stat(f.path("untidy")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("rolecall fmt -w @/untidy: got %v, %v, want the permissions to stay", info, err)
	}
	f.check("fmt -l -w @/untidy @/tidy", 0, "", "")
	entries, err := os.ReadDir(f.dir)
	if err != nil || len(entries) != 5 {
		t.Errorf("rolecall fmt -w left %v, %v in the folder, want the five files", entries, err)
	}

	if code, out, errOut := f.run(untidy, "fmt"); code != 0 || out != tidy || errOut != "" {
		t.Errorf("rolecall fmt < untidy: got %d, %q, %q, want 0 and %q", code, out, errOut, tidy)
	}
	if code, out, errOut := f.run(bad, "fmt"); code != 3 || out != "" || errOut != "standard input"+fault {
		t.Errorf("rolecall fmt < bad: got %d, %q, %q, want 3 and the fault", code, out, errOut)
	}
}

func (f folder) checkFile(name, want string) {
	f.t.Helper()
	got, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		f.t.Errorf("file %s: -want +got\n%s", name, diff)
	}
}

func TestUsage(t *testing.T) {
	f := newFolder(t, nil)
	f.check("tset", 2, "", "rolecall: unknown command \"tset\" for \"rolecall\"\n\nDid you mean this?\n\ttest\n\nTry rolecall --help.\n")
	if code, out, _ := f.run("", "test", "--help"); code != 0 || !strings.Contains(out, "Exit codes:") {
		t.Errorf("rolecall test --help: got exit code %d and\n%s\nwant 0 and the exit codes", code, out)
	}
	if code, out, _ := f.run("", "--version"); code != 0 || len(strings.Fields(out)) != 3 || !strings.HasPrefix(out, "rolecall version ") {
		t.Errorf("rolecall --version: got exit code %d and %q, want 0 and the version", code, out)
	}
	if code, out, _ := f.run(""); code != 0 || !strings.Contains(out, "explain") {
		t.Errorf("rolecall: got exit code %d and\n%s\nwant 0 and the commands", code, out)
	}
}
