package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

// head declares what the files of the tests name.
const head = `permission task.view
kind scope project
condition assigned
role viewer
  allow task.view
`

// Each bad file is refused with all its errors, at their places, and in nothing but that.
func TestBadFiles(t *testing.T) {
	for _, c := range []struct {
		src  string // after head, which has five lines
		want string // one error a line
	}{
		// Lines and words.
		{`expekt allow`, `f:6:1: a line does not start with this (did you mean "expect"?): "expekt" (invalid)`},
		{`permissions task.edit`, `f:6:1: a line does not start with this (did you mean "permission"?): "permissions" (invalid)`},
		{`alow task.view`, `f:6:1: a line does not start with this (did you mean "allow"?): "alow" (invalid)`},
		{`overide user:a deny task.view at /`, `f:6:1: a line does not start with this (did you mean "override"?): "overide" (invalid)`},
		{`scope project`, `f:6:1: a line does not start with this (did you mean "kind scope"?): "scope" (invalid)`},
		{`subjects vendor`, `f:6:1: a line does not start with this (did you mean "kind subject"?): "subjects" (invalid)`},
		{`remove grant user:a viewer at /`, `f:6:1: a line does not start with this (did you mean "do remove"?): "remove" (invalid)`},
		{`forgot user:a`, `f:6:1: a line does not start with this (did you mean "do forget"?): "forgot" (invalid)`},
		{`group group:a`, `f:6:1: a line does not start with this: "group" (invalid)`},
		{`task.view`, `f:6:1: a line does not start with this: "task.view" (invalid)`},
		{strings.Repeat("grant", 40000), `f:6:1: a line does not start with this: "` + strings.Repeat("grant", 40000) + `" (invalid)`},
		{`"role" x`, `f:6:1: a line does not start with this: "\"role\"" (invalid)`},
		{"grant user:a viewer at /\r  ", `f:6:24: a carriage return ends a line, and stands before its line feed only: "/\r" (invalid)`},
		{"role x # view only\r  deny task.view", `f:6:8: only a line feed breaks a line; a comment has no other break in it: "# view only\r  deny task.view" (invalid)`},
		{"role x\n  # a\u2028  deny task.view\n# b\fprivate /", `f:7:3: only a line feed breaks a line; a comment has no other break in it: "# a\u2028  deny task.view" (invalid)` + "\n" +
			`f:8:1: only a line feed breaks a line; a comment has no other break in it: "# b\fprivate /" (invalid)`},
		{"role x # \xff", `f:6:8: a comment is valid UTF-8: "# \xff" (invalid)`},
		{"role x \"a\rdeny task.view\"", `f:6:8: only a line feed breaks a line; in a string other breaks are escaped: "\"a\rdeny task.view\"" (invalid)`},
		{`role x "open`, `f:6:8: the quoted string has no end on its line: "\"open" (invalid)`},
		{`role x "a"b`, `f:6:8: a blank must follow the quoted string: "\"a\"b" (invalid)`},
		{`role x "\q"`, `f:6:8: not a double-quoted Go string: "\"\\q\"" (invalid)`},
		{"role x \"\xff\"", `f:6:8: not a double-quoted Go string: "\"\xff\"" (invalid)`},
		{`role x "\xff"`, `f:6:8: a string says valid UTF-8 without NUL: "\"\\xff\"" (invalid)`},
		{`permission a.b group "\x00"`, `f:6:22: a string says valid UTF-8 without NUL: "\"\\x00\"" (invalid)`},
		{`role x "a" "b"`, `f:6:12: given twice: "\"b\"" (invalid)`},
		{`role x title`, `f:6:8: unexpected here; what may follow is a title, holders, scopes: "title" (invalid)`},
		{`role`, `f:6:1: a name is missing after this: "role" (invalid)`},
		{`role "x"`, `f:6:6: must be a name, not a quoted string: "\"x\"" (invalid)`},
		{"private /project:x # y\n#c\nprivate", `f:8:1: a scope is missing after this: "private" (invalid)`},

		// Declarations.
		{`permission Task.View`, `f:6:12: a permission is two to eight dotted segments of a-z, 0-9, '_' and '-', each starting with a letter or digit: "Task.View" (invalid)`},
		{`permission rolecall.x`, `f:6:12: permissions that start with rolecall. are built in: "rolecall.x" (invalid)`},
		{`permission task.view "other"`, `f:6:12: line 1 declares it in other words: "task.view" (invalid)`},
		{`permission a.b group G`, `f:6:22: must be a double-quoted string: "G" (invalid)`},
		{`kind planet mars`, `f:6:6: a kind is of a subject or a scope: "planet" (invalid)`},
		{`kind scope`, `f:6:6: a name is missing after this: "scope" (invalid)`},
		{`kind scope at`, `f:6:12: a scope kind cannot be a reserved word: "at" (invalid)`},
		{"clock 2026-01-01\nclock 2026-01-02", `f:7:7: line 6 sets the clock to another time: "2026-01-02" (invalid)`},
		{`clock now`, `f:6:7: a time is RFC 3339 or a date, for example 2026-03-01T09:00:00Z or 2026-03-01: "now" (invalid)`},
		{`clock 0001-01-01`, `f:6:7: a time lies in the years 0 to 9999, in UTC, and is not the first instant of year 1: "0001-01-01" (invalid)`},

		// Statements.
		{`grant user:a at /`, `f:6:7: a role is missing after this: "user:a" (invalid)`},
		{`grant user:a viewer`, `f:6:14: "at" is missing after this: "viewer" (invalid)`},
		{`grant user:a viewer at`, `f:6:21: a word is missing after this: "at" (invalid)`},
		{`grant user:a viewer at / at /`, `f:6:26: given twice: "at" (invalid)`},
		{`grant user:a viewer at / sometimes`, `f:6:26: unexpected here; what may follow is at, replace, pierce, eligible, when, from, until: "sometimes" (invalid)`},
		{`grant a viewer at b`, `f:6:7: a subject is written kind:id, or everyone: "a" (invalid)` + "\n" +
			`f:6:19: a scope is written / or /kind:id/kind:id: "b" (invalid)`},
		{`grant user:a%2f viewer at /`, `f:6:7: % is followed by two upper-case hex digits: "user:a%2f" (invalid)`},
		{`grant user:a ghost at /`, `f:6:14: no such role is defined: "ghost" (unknown)`},
		{`grant user:a viewer at /planet:x when sunny`, `f:6:24: no scope kind "planet" is declared: "/planet:x" (unknown)` + "\n" +
			`f:6:39: no such condition is declared: "sunny" (unknown)`},
		{`grant user:a viewer at / until 2026-02-30`, `f:6:32: a time is RFC 3339 or a date, for example 2026-03-01T09:00:00Z or 2026-03-01: "2026-02-30" (invalid)`},
		{`grant user:a viewer at / until 0001-01-01`, `f:6:32: a time lies in the years 0 to 9999, in UTC, and is not the first instant of year 1: "0001-01-01" (invalid)`},
		{"grant user:a viewer at /\ngrant user:a viewer at / replace", `f:7:7: line 6 says something else of the same grant user:a viewer at /: "user:a" (invalid)`},
		{"role viewer\n  allow task.*", `f:6:6: line 4 says something else of the same role viewer: "viewer" (invalid)`},
		{`override user:a allows task.view at /`, `f:6:17: an effect is allow, deny or forbid: "allows" (invalid)`},
		{`override user: allows task.edit at /planet:x when sunny`, `f:6:10: an id has at least one byte: "user:" (invalid)` + "\n" +
			`f:6:16: an effect is allow, deny or forbid: "allows" (invalid)` + "\n" +
			`f:6:23: no such permission is declared (did you mean "task.view"?): "task.edit" (unknown)` + "\n" +
			`f:6:36: no scope kind "planet" is declared: "/planet:x" (unknown)` + "\n" +
			`f:6:51: no such condition is declared: "sunny" (unknown)`},
		{`override user: task.view at /`, `f:6:10: an id has at least one byte: "user:" (invalid)` + "\n" +
			`f:6:16: an effect is allow, deny or forbid: "task.view" (invalid)`},
		{`constraint c statik two of ghost`, `f:6:14: a constraint is static or dynamic: "statik" (invalid)` + "\n" +
			`f:6:21: a constraint limits to a whole number of roles: "two" (invalid)` + "\n" +
			`f:6:28: no such role is defined: "ghost" (unknown)`},
		{`override user:a allow at /`, `f:6:17: a pattern is missing after this: "allow" (invalid)`},
		{`member user:a group:b`, `f:6:15: unexpected here; what may follow is of, from, until: "group:b" (invalid)`},
		{`member user:a of`, `f:6:15: a word is missing after this: "of" (invalid)`},
		{`suspend user:a user:b`, `f:6:16: unexpected here: "user:b" (invalid)`},
		{`constraint c often 2 of viewer viewer`, `f:6:14: a constraint is static or dynamic: "often" (invalid)`},
		{`constraint c static two of viewer viewer`, `f:6:21: a constraint limits to a whole number of roles: "two" (invalid)`},
		{`constraint c static 2 viewer viewer`, `f:6:23: of is expected here, and then the roles: "viewer" (invalid)`},
		{"member group:a of group:b\nmember group:b of group:a", `f:6:8: the groups contain each other in a circle: group:a in group:b in group:a: "group:a" (cycle)`},

		// Bodies.
		{"suspend user:a\n  allow task.view", `f:7:3: this belongs to a role, and there is none above it: "allow" (invalid)`},
		{`allow when assigned`, `f:6:1: a pattern is missing after this: "allow" (invalid)`},
		{`allow task.view when`, `f:6:17: a condition is missing after this: "when" (invalid)`},
		{`allow task.view when assigned own`, `f:6:31: unexpected after the condition: "own" (invalid)`},
		{`allow task.view if assigned`, `f:6:17: a condition follows the word when: "if" (invalid)`},
		{`allow if assigned`, `f:6:7: a condition follows the word when: "if" (invalid)`},
		{`allow task.view if sunny`, `f:6:17: a condition follows the word when: "if" (invalid)` + "\n" + `f:6:20: no such condition is declared: "sunny" (unknown)`},
		{`allow task.view given assigned now`, `f:6:17: a condition follows the word when: "given" (invalid)` + "\n" + `f:6:32: unexpected after the condition: "now" (invalid)`},
		{`allow task.view if`, `f:6:17: a condition follows the word when: "if" (invalid)` + "\n" + `f:6:17: a condition is missing after this: "if" (invalid)`},
		{`allow task.view assigned`, `f:6:17: a permission has two to eight dotted segments, this one has 1; a condition follows the word when: "assigned" (invalid)`},
		{`deny user:ada task.view at /`, `f:6:6: a rule names no subject, and this one belongs to the role of line 4; a single exception is written override user:ada deny …: "user:ada" (invalid)`},
		{`deny user:ada task.viw at /`, `f:6:6: a rule names no subject, and this one belongs to the role of line 4; a single exception is written override user:ada deny …: "user:ada" (invalid)` + "\n" +
			`f:6:15: no such permission is declared (did you mean "task.view"?): "task.viw" (unknown)`},
		{`allow task.view at /project:x when assigned`, `f:6:17: a rule names no scope; the grant of its role does: "at" (invalid)`},
		{`allow /project:x task.view`, `f:6:7: a rule names no scope; the grant of its role does: "/project:x" (invalid)`},
		{"suspend user:b\nforbid everyone task.view at /", `f:7:1: this belongs to a role, and there is none above it; a single exception is written override everyone forbid …: "forbid" (invalid)`},
		{`except user:ada task.view`, `f:6:8: a rule names no subject, and this one belongs to the role of line 4; a single exception is written override user:ada deny …: "user:ada" (invalid)`},
		{`allow task.viw`, `f:6:7: no such permission is declared (did you mean "task.view"?): "task.viw" (unknown)`},
		{`description`, `f:6:1: a description is one double-quoted string: "description" (invalid)`},
		{`description words "b"`, `f:6:13: a description is one double-quoted string: "words" (invalid)`},
		{`description "a" words`, `f:6:17: a description is one double-quoted string: "words" (invalid)`},
		{"description \"\"\ndescription \"b\"", `f:7:1: given twice: "description" (invalid)`},
		{"description \"a\"\ndescription \"b\"", `f:7:1: given twice: "description" (invalid)`},
		{`inherits`, `f:6:1: a role is missing after this: "inherits" (invalid)`},
		{`inherits viewer`, `f:4:6: a role cannot inherit from itself: "viewer" (cycle)`},
		{`role x holders user, group`, `f:6:22: unexpected here; what may follow is a title, holders, scopes: "group" (invalid)`},
		{`role x holders user,,group`, `f:6:16: kinds are separated by single commas, without blanks: "user,,group" (invalid)`},
		{`role x holders user,robot`, `f:6:21: no such subject kind is declared: "robot" (unknown)`},

		// Every name that is not known, at its own place, whatever else is wrong with the line.
		{`grant user:a sunny at / when sunny`, `f:6:14: no such role is defined: "sunny" (unknown)` + "\n" + `f:6:30: no such condition is declared: "sunny" (unknown)`},
		{"role sunny\ngrant user:a sunny at / when sunny", `f:7:30: no such condition is declared: "sunny" (unknown)`},
		{`grant robot:a ghost at /planet:x when sunny until 2026-02-30`, `f:6:7: no subject kind "robot" is declared: "robot:a" (unknown)` + "\n" +
			`f:6:15: no such role is defined: "ghost" (unknown)` + "\n" + `f:6:24: no scope kind "planet" is declared: "/planet:x" (unknown)` + "\n" +
			`f:6:39: no such condition is declared: "sunny" (unknown)` + "\n" +
			`f:6:51: a time is RFC 3339 or a date, for example 2026-03-01T09:00:00Z or 2026-03-01: "2026-02-30" (invalid)`},
		{`member robot:x of robot:x`, `f:6:8: no subject kind "robot" is declared: "robot:x" (unknown)` + "\n" +
			`f:6:8: only a group has members: "robot:x" (invalid)` + "\n" + `f:6:19: no subject kind "robot" is declared: "robot:x" (unknown)`},
		{"role x holders sunny scopes sunny\n  inherits sunny\n  allow task.sunny when sunny\n  deny task.sunny", `f:6:16: no such subject kind is declared: "sunny" (unknown)` + "\n" +
			`f:6:29: no such scope kind is declared: "sunny" (unknown)` + "\n" + `f:7:12: no such role is defined: "sunny" (unknown)` + "\n" +
			`f:8:9: no such permission is declared: "task.sunny" (unknown)` + "\n" + `f:8:25: no such condition is declared: "sunny" (unknown)` + "\n" +
			`f:9:8: no such permission is declared: "task.sunny" (unknown)`},
		{"override robot:a deny task.viw at /\nconstraint c static 2 of viewer ghost", `f:6:10: no subject kind "robot" is declared: "robot:a" (unknown)` + "\n" +
			`f:6:23: no such permission is declared (did you mean "task.view"?): "task.viw" (unknown)` + "\n" + `f:7:33: no such role is defined: "ghost" (unknown)`},

		// Steps.
		{`expect`, `f:6:1: what is expected is missing after this: "expect" (invalid)`},
		{`expect maybe user:a task.view at /`, `f:6:8: expected is allow, deny, error, scopes, subjects or permissions: "maybe" (invalid)`},
		{`expect allow user:a at /`, `f:6:14: a permission is missing after this: "user:a" (invalid)`},
		{`expect allow user:a task.view`, `f:6:21: "at" is missing after this: "task.view" (invalid)`},
		{`expect allow user:a task.view at / given`, `f:6:36: a word is missing after this: "given" (invalid)`},
		{`expect allow user:a task.view at / given unknown`, `f:6:42: a word is missing after this: "unknown" (invalid)`},
		{`expect allow user:a task.view at / given a b`, `f:6:44: unexpected here; what may follow is at, given, with, roles, only, now, actor: "b" (invalid)`},
		{`expect allow user:a task.view at / given a given unknown a`, `f:6:58: each condition is given once: "a" (invalid)`},
		{`expect allow user:a task.view at / with`, `f:6:36: a word is missing after this: "with" (invalid)`},
		{`expect allow user:a task.view at / with roles x`, `f:6:47: a word is missing after this: "x" (invalid)`},
		{`expect allow user:a task.view at / now yesterday`, `f:6:40: a time is RFC 3339 or a date, for example 2026-03-01T09:00:00Z or 2026-03-01: "yesterday" (invalid)`},
		{`expect error user:a task.view at /`, `f:6:14: no such code; the codes are invalid unknown limit not-permitted cycle in-use holder separation escalation not-eligible last-admin: "user:a" (invalid)`},
		{`expect scopes user:a task.view among /`, `f:6:38: = and the expected list are missing after this: "/" (invalid)`},
		{`expect scopes user:a task.view at / = none`, `f:6:32: unexpected here; what may follow is among, given, with, roles, only, now, actor: "at" (invalid)`},
		{`expect subjects task.view at / =`, `f:6:32: the expected list is missing after this; an empty one is written none: "=" (invalid)`},
		{`expect subjects task.view at / = none user:a`, `f:6:34: none stands alone: "none" (invalid)`},
		{`expect subjects task.view at / = user:a now 2026-01-01`, `f:6:41: this stands before the =: "now" (invalid)`},
		{`do`, `f:6:1: an edit is missing after this: "do" (invalid)`},
		{`do by user:a`, `f:6:7: an edit is missing after this: "user:a" (invalid)`},
		{`do permission a.b`, `f:6:4: an edit is a statement, remove and a statement, forget or activate: "permission" (invalid)`},
		{`do remove`, `f:6:4: a statement is missing after this: "remove" (invalid)`},
		{`do remove forget user:a`, `f:6:11: an edit is a statement, remove and a statement, forget or activate: "forget" (invalid)`},
		{`do grant user:a viewer`, `f:6:17: "at" is missing after this: "viewer" (invalid)`},
		{`do activate user:a viewer at / from 2026-01-01`, `f:6:32: unexpected here; what may follow is at, until, a reason: "from" (invalid)`},
		{`refuse denied suspend user:a`, `f:6:8: no such code; the codes are invalid unknown limit not-permitted cycle in-use holder separation escalation not-eligible last-admin: "denied" (invalid)`},
		{"do suspend user:a\ngrant user:a viewer at /", `f:7:1: the policy stands before the steps; a step that changes it starts with do: "grant" (invalid)`},

		// One fault does not bring others: the role and the permission are known, although their lines are wrong.
		{"role x \"open\n  allow a.b\ngrant user:a x at /\npermission a.b title", `f:6:8: the quoted string has no end on its line: "\"open" (invalid)` + "\n" +
			`f:9:16: unexpected here; what may follow is a title, group: "title" (invalid)`},
		// But all that is wrong is told, form and meaning alike.
		{"grant\nsuspend robot:r2\nexpect\ngrant user:a ghost at /", "f:6:1: a subject is missing after this: \"grant\" (invalid)\n" +
			"f:7:9: no subject kind \"robot\" is declared: \"robot:r2\" (unknown)\n" +
			"f:8:1: what is expected is missing after this: \"expect\" (invalid)\n" +
			"f:9:1: the policy stands before the steps; a step that changes it starts with do: \"grant\" (invalid)"},
	} {
		f, s, err := policy.Load("f", []byte(head+c.src))
		if f != nil || s != nil || err == nil {
			t.Errorf("Load(%q): got a file or no error, want %s", c.src, c.want)
			continue
		}
		if diff := cmp.Diff(c.want, err.Error()); diff != "" {
			t.Errorf("Load(%q): -want +got\n%s", c.src, diff)
		}
		checkTyped(t, c.src, err)
	}
}

// A file full of faults is refused with each of them, in time that grows with its length only.
func TestManyFaults(t *testing.T) {
	lines := func(format string) string {
		var b strings.Builder
		for i := range 4000 {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, c := range []struct {
		src  string // after head
		want int
	}{
		{lines("role role-%d\n") + lines("grant user:a rolr-%d at /\n"), 4000},
		{"role x\n" + lines("  allow task.p%d\n"), 4000},
		{lines("permission task.edit-%d\n") + "role x\n  allow" + lines(" task.edti-%d") + "\n", 4000},
		{lines("condition c%d\n") + lines("grant user:a viewer at / when d%d\n"), 4000},
		{"role g holders group\n" + lines("grant user:u%d g at /\n"), 4000},
		{lines("grant user:a viewer at / until 0%d\n"), 4000},
		{lines("bad%d\n"), 4000},
	} {
		_, _, err := policy.Load("f", []byte(head+c.src))
		var all policy.Errors
		if !errors.As(err, &all) || len(all) != c.want {
			t.Errorf("Load(%.60q…): got %d errors, want %d", c.src, len(all), c.want)
		}
	}
}

// Every error has its place and its code, and the word stands where it says.
func checkTyped(t *testing.T, src string, err error) {
	t.Helper()
	var all policy.Errors
	if !errors.As(err, &all) {
		t.Fatalf("Load(%q): got a %T, want policy.Errors", src, err)
	}
	lines := strings.Split(head+src, "\n")
	for _, e := range all {
		if !errors.Is(err, e.Code) || !errors.Is(e, e.Code) {
			t.Errorf("Load(%q): errors.Is does not find %q in %v", src, e.Code, err)
		}
		if at := lines[e.Line-1][e.Column-1:]; !strings.HasPrefix(at, e.Word) {
			t.Errorf("Load(%q): %q is said to stand before %q", src, e.Word, at)
		}
	}
}

// However a file is spelled, the same is read.
func TestSpellings(t *testing.T) {
	const plain = head + "grant user:a viewer at /project:x replace pierce when assigned from 2026-01-01 until 2026-07-01\n"
	want, err := policy.Parse("f", []byte(plain))
	if err != nil {
		t.Fatalf("Parse(%q): %v", plain, err)
	}
	for _, src := range []string{
		"\uFEFF" + plain,
		strings.ReplaceAll(plain, "\n", "\r\n"),
		strings.TrimSuffix(plain, "\n"),
		strings.ReplaceAll(plain, " ", " \t "),
		strings.ReplaceAll(plain, "\n", "   # comment \"with a quote\n\n# another\n"),
		plain + plain,
		head + "grant user:a viewer until 2026-07-01T02:00:00+02:00 when assigned from 2026-01-01T00:00:00.0Z pierce replace at /project:x",
		"grant user:a viewer at /project:x replace pierce when assigned from 2026-01-01 until 2026-07-01\n" + head,
	} {
		got, err := policy.Parse("f", []byte(src))
		if err != nil {
			t.Errorf("Parse(%q): %v", src, err)
			continue
		}
		checkSame(t, want, got, fmt.Sprintf("Parse(%q)", src))
	}
}

// checkSame fails unless two files declare and say the same.
func checkSame(t interface {
	Helper()
	Errorf(string, ...any)
}, want, got *policy.File, called string) {
	t.Helper()
	a, b := policy.Format(want.Declarations, want.Statements), policy.Format(got.Declarations, got.Statements)
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("%s says something else: -want +got\n%s", called, diff)
	}
	if !got.Clock.Equal(want.Clock) || len(got.Steps) != len(want.Steps) {
		t.Errorf("%s: got clock %v and %d steps, want %v and %d", called, got.Clock, len(got.Steps), want.Clock, len(want.Steps))
	}
}

func TestFileClock(t *testing.T) {
	for src, want := range map[string]time.Time{
		"":                           time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"clock 2027-02-03T04:05:06Z": time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC),
	} {
		f, s, err := policy.Load("f", []byte(src))
		if err != nil {
			t.Fatalf("Load(%q): %v", src, err)
		}
		if !f.Now().Equal(want) || !s.Now().Equal(want) {
			t.Errorf("Load(%q): got the clock %v and a snapshot at %v, want %v", src, f.Now(), s.Now(), want)
		}
	}
}

func TestFileLines(t *testing.T) {
	f, err := policy.Parse("f", []byte(head+"# a comment\nsuspend user:a\n\nsuspend user:a\nprivate /project:x"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"role viewer": 4, "suspend user:a": 7, "private /project:x": 10}
	got := map[string]int{}
	for key, line := range f.Lines() {
		got[key.String()] = line
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Lines: -want +got\n%s", diff)
	}
}

// A File put together by hand has no places, but its problems are told all the same.
func TestProblemsWithoutPlaces(t *testing.T) {
	f := &policy.File{Name: "f", Statements: []rolecall.Statement{rolecall.Suspension{Subject: rolecall.NewSubject("robot", "r2")}}}
	_, err := f.Snapshot()
	if !errors.Is(err, rolecall.ErrUnknown) || !strings.Contains(err.Error(), "robot:r2") {
		t.Errorf("Snapshot of a file that suspends robot:r2: got %v, want an error that names it", err)
	}
}

// What a role says that is defined again and again is worked out once: twice the rules and definitions take about twice
// the work.
func TestParseRoleDefinedAgain(t *testing.T) {
	work := func(n int) float64 {
		var src strings.Builder
		src.WriteString("role r\n")
		for i := range n {
			fmt.Fprintf(&src, "  allow a.b when c%d\n", i)
		}
		for range n {
			src.WriteString("role r\n  allow c.d\n")
		}
		return testing.AllocsPerRun(1, func() {
			_, err := policy.Parse("f", []byte(src.String()))
			var all policy.Errors
			if !errors.As(err, &all) || len(all) != n {
				t.Errorf("Parse of a role defined anew %d times: got %d errors, want as many", n, len(all))
			}
		})
	}
	if once, twice := work(100), work(200); twice > 3*once {
		t.Errorf("Parse of a role of 100 rules, defined anew 100 times, allocates %v times, of twice as many %v times; want about twice as often", once, twice)
	}
}
