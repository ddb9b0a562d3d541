package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

const managed = studio + `role manager
  inherits viewer
  allow rolecall.grant.create
grant user:pia manager at /project:alpha
constraint hats static 2 of artist manager
`

func TestCanGrant(t *testing.T) {
	f := newFolder(t, map[string]string{"p": managed})
	for _, c := range []struct {
		args string
		want int
		says string // in the answer, or in standard error
	}{
		{"user:pia user:new viewer /project:alpha -f @/p", 0, "yes\n"},
		{"user:pia user:new viewer /project:alpha --until 2026-04-01 --when assigned -f @/p", 0, "yes\n"},
		{"user:pia user:new viewer /project:beta -f @/p", 1, "(not-permitted)"},
		{"user:pia user:new artist /project:alpha -f @/p", 1, "task.update at /project:alpha"},
		{"user:pia user:new artist /project:alpha --eligible -f @/p", 1, "(escalation)"},
		{"user:pia user:ada manager /project:alpha -f @/p", 1, "(separation)"},
		{"user:pia user:new ghost /project:alpha -f @/p", 3, `"ghost"`},
		{"user:pia user:new viewer /project:alpha --when sunny -f @/p", 3, `"sunny"`},
		{"user:pia user:new viewer /project:alpha --from 2026-04-02 --until 2026-04-01 -f @/p", 3, "(invalid)"},
		{"user:pia user:new viewer /project:alpha --until soon -f @/p", 3, `"soon"`},
		{"user:pia user:new viewer alpha -f @/p", 3, `"alpha"`},
		{"user:pia user:new viewer /project:alpha -f @/absent", 3, "no such file"},
		{"user:pia user:new viewer -f @/p", 2, "accepts 4 arg(s)"},
	} {
		code, out, errOut := f.run("", strings.Fields("can-grant "+c.args)...)
		if code != c.want || !strings.Contains(out+errOut, c.says) || (code > 1) != (out == "") {
			t.Errorf("rolecall can-grant %s: got exit code %d, printed %q and %q, want %d and %q", c.args, code, out, errOut, c.want, c.says)
		}
	}
}

// exported writes the history of two changes to managed and returns where its chain ends.
func exported(t *testing.T, name string) string {
	hire := func(who string) rolecall.Change {
		g := rolecall.Grant{Subject: rolecall.User(who), Role: "viewer", Scope: rolecall.In("project", "alpha")}
		return rolecall.Change{Meta: rolecall.Meta{Actor: rolecall.User("pia"), Reason: "hired"}, Edits: []rolecall.Edit{rolecall.Put(g)}}
	}
	return exportedFrom(t, name, managed, hire("new"), hire("other"))
}

// exportedFrom writes the history of a store that begins with a policy, one change a day, and returns where its chain ends.
func exportedFrom(t *testing.T, name, base string, changes ...rolecall.Change) string {
	t.Helper()
	_, s, err := policy.Load("base", []byte(base))
	if err != nil {
		t.Fatal(err)
	}
	store := memstore.With(s)
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	r, err := rolecall.Open(t.Context(), store, s.Catalog(), &rolecall.Options{Clock: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		at = at.Add(24 * time.Hour)
		if _, err := r.Edit(t.Context(), c.Meta, c.Edits...); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	head, err := admin.WriteLog(log, admin.Head{}, admin.Chain(admin.Head{}, store.Changes(t.Context(), 0)))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d:%s", head.Revision, head.Hash)
}

// whole writes the history of a store that began empty and got a policy in its first change.
func whole(t *testing.T, name, text string) {
	t.Helper()
	f, err := policy.Parse("whole", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var change rolecall.Change
	for _, one := range f.Statements {
		change.Edits = append(change.Edits, rolecall.Put(one))
	}
	exportedFrom(t, name, string(policy.Format(f.Declarations, nil)), change)
}

// piped names a pipe through which the text comes, once.
func piped(t *testing.T, text []byte) string {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	_, err = in.Write(text) // which a pipe holds
	if err := errors.Join(err, in.Close()); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/dev/fd/%d", out.Fd())
}

func TestAudit(t *testing.T) {
	f := newFolder(t, nil)
	head := exported(t, f.path("log"))
	text, err := os.ReadFile(f.path("log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for name, content := range map[string]string{
		"edited": strings.Replace(string(text), "user:other", "user:mallory", 1), "cut": lines[0], "torn": string(text)[:20],
	} {
		if err := os.WriteFile(f.path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const (
		first  = "1 2026-03-02T09:00:00Z user:pia added: grant user:new viewer at /project:alpha (hired)\n"
		second = "2 2026-03-03T09:00:00Z user:pia added: grant user:other viewer at /project:alpha (hired)\n"
	)
	end := "whole to " + head + "\n"
	f.check("audit @/log", 0, first+second+end, "")
	f.check("audit @/log --head "+head, 0, first+second+end, "")
	f.check("audit "+piped(t, text), 0, first+second+end, "")
	f.check("audit @/log --about user:other --by user:pia --role viewer --at /project:alpha", 0, second+end, "")
	f.check("audit @/log --until 2026-03-03", 0, first+end, "")
	f.check("audit @/log --since 2026-03-03", 0, second+end, "")
	f.check("audit @/log --break-glass", 0, end, "")
	for args, want := range map[string]int{
		"@/edited": 1, "@/cut --head " + head: 1, "@/log --head 1" + head[1:]: 1, "@/cut": 0,
		"@/torn": 3, "@/absent": 3, "@/log --by ada": 3, "@/log --head 2": 3, "@/log --head 2:ab": 3, "@/log --at alpha": 3,
		"@/log --since soon": 3, "": 2,
	} {
		code, _, errOut := f.run("", strings.Fields("audit "+args)...)
		if code != want || (code == 0) != (errOut == "") {
			t.Errorf("rolecall audit %s: got exit code %d and %q, want %d", args, code, errOut, want)
		}
	}
}

// A head is read whole: what stands before, inside or after one that the log contains is an error, not left out.
func TestHeadsAreReadWhole(t *testing.T) {
	f := newFolder(t, nil)
	head := exported(t, f.path("log"))
	for _, word := range []string{head + " 3:", head + "\n", head + ",", " " + head, "+" + head, "0x" + head, head + head, "2: " + head[2:], "-1" + head[1:], "18446744073709551616" + head[1:], head[2:], ":", "2"} {
		if code, out, errOut := f.run("", "audit", "@/log", "--head", word); code != exitBad || out != "" || strings.Count(errOut, "\n") != 1 {
			t.Errorf("rolecall audit --head %q: got exit code %d, printed %q and %q, want %d, nothing and one error", word, code, out, errOut, exitBad)
		}
	}
}

// Whoever gives a reason writes no lines of the answer, and a statement of several lines is one line of it.
func TestHistoryIsVisible(t *testing.T) {
	const forged = "moved)\n2 2026-03-03T09:00:00Z user:pia removed: grant\x1b[2K (ok"
	f := newFolder(t, map[string]string{"before": managed, "p": managed + "grant user:eve viewer at /project:alpha\nrole idle\n  description \"rests\"\n"})
	eve := rolecall.Grant{Subject: rolecall.User("eve"), Role: "viewer", Scope: rolecall.In("project", "alpha")}
	head := exportedFrom(t, f.path("log"), managed,
		rolecall.Change{Meta: rolecall.Meta{Actor: rolecall.User("pia"), Reason: forged}, Edits: []rolecall.Edit{rolecall.Put(eve)}},
		rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(rolecall.Role{Name: "idle", Description: "rests"})}},
	)
	f.check("audit @/log", 0, `1 2026-03-02T09:00:00Z user:pia added: grant user:eve viewer at /project:alpha (moved)\n2 2026-03-03T09:00:00Z user:pia removed: grant\x1b[2K (ok)
2 2026-03-03T09:00:00Z the host added: role idle\n  description "rests"
whole to `+head+"\n", "")
	f.check("explain user:eve task.view /project:alpha --history-base @/before --history @/log -f @/p", 0, `allowed: user:eve task.view at /project:alpha
  because grant user:eve viewer at /project:alpha (role viewer: allow task.view): decides
          revision 1, by user:pia, 2026-03-02T09:00:00Z: moved)\n2 2026-03-03T09:00:00Z user:pia removed: grant\x1b[2K (ok
          role viewer: origin not known
`, "")
}

// The exported history tells who gave what, if it is whole and has led to the policy.
func TestHistory(t *testing.T) {
	const after = managed + "grant user:new viewer at /project:alpha\ngrant user:other viewer at /project:alpha\n"
	const ghost = "grant user:ghost manager at /project:alpha\n"
	const both = managed + "grant user:sam manager at /project:alpha\n"
	f := newFolder(t, map[string]string{"p": after, "before": managed, "ghost": after + ghost, "both": both, "zoe": both + "grant user:zoe viewer at /project:alpha\n", "otherwise": managed + "grant user:new viewer at /project:alpha replace\n"})
	exported(t, f.path("log"))
	whole(t, f.path("whole"), after)
	exportedFrom(t, f.path("behalf"), both, rolecall.Change{
		Meta:  rolecall.Meta{Actor: rolecall.User("sam"), OnBehalf: rolecall.User("pia"), Reason: "asked to"},
		Edits: []rolecall.Edit{rolecall.Put(rolecall.Grant{Subject: rolecall.User("zoe"), Role: "viewer", Scope: rolecall.In("project", "alpha")})},
	})
	text, err := os.ReadFile(f.path("log"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path("edited"), []byte(strings.Replace(string(text), "hired", "fired", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	const log = "--history-base @/before --history @/log"
	for _, c := range []struct {
		args string
		want int
		says string // in the answer, or in standard error
	}{
		{"explain user:new task.view /project:alpha LOG -f @/p", 0, "revision 1, by user:pia, 2026-03-02T09:00:00Z: hired"},
		{"explain user:new task.view /project:alpha -f @/p --history-base @/before --history " + piped(t, text), 0, "revision 1, by user:pia, 2026-03-02T09:00:00Z: hired"},
		{"explain user:vic task.view /project:beta LOG -f @/p", 0, "origin not known"},
		{"explain user:new task.view /project:alpha LOG -o json -f @/p", 0, `"grant user:new viewer at /project:alpha": {`},
		{"explain user:new task.view /project:alpha LOG -o svg -f @/p", 0, "revision 1, by user:pia"},
		{"explain user:new task.view /project:alpha LOG -o json --fix --limit 1 -f @/p", 0, `"remedies": [`},
		{"review user:other LOG -o csv -f @/p", 0, "user:pia,,hired,2026-03-03T09:00:00Z,2"},
		{"review user:other LOG -f @/p", 0, "2026-03-03T09:00:00Z  user:pia  hired"},
		{"review user:zoe --history-base @/both --history @/behalf -f @/zoe", 0, "2026-03-02T09:00:00Z  user:sam for user:pia  asked to"},
		{"lint LOG -f @/p --least serious", 0, ""},
		{"explain user:new task.view /project:alpha LOG -f @/before", 3, "does not lead to this policy: it leaves another grant user:new viewer at /project:alpha"},
		{"explain user:new task.view /project:alpha LOG -f @/otherwise", 3, "does not lead to this policy: it leaves another grant user:new viewer at /project:alpha"},
		{"explain user:vic task.view /project:beta --history @/whole -f @/p", 0, "revision 1, by the host, 2026-03-02T09:00:00Z"},
		{"explain user:new task.view /project:alpha --history @/whole -f @/ghost", 3, "@/whole does not lead to this policy: it leaves no grant user:ghost manager at /project:alpha (where"},
		{"explain user:new task.view /project:alpha LOG -f @/ghost", 3, "@/log does not lead to this policy: it leaves no grant user:ghost manager at /project:alpha\n"},
		{"explain user:new task.view /project:alpha --history @/log -f @/p", 3, "it leaves no role artist (where the store did not begin empty, --history-base names what it began with)"},
		{"lint --history @/log --history-base @/p -f @/p", 3, "@/log: revision 1 changes another grant user:new viewer at /project:alpha than there was"},
		{"lint --history @/log --history-base @/absent -f @/p", 3, "no such file"},
		{"lint --history-base @/before -f @/p", 2, "--history-base needs --history"},
		{"review user:other --history @/edited -f @/p", 3, "1"},
		{"review user:other --history @/absent -f @/p", 3, "no such file"},
		{"lint --history @/p -f @/p", 3, "1"},
	} {
		code, out, errOut := f.run("", strings.Fields(strings.ReplaceAll(c.args, "LOG", log))...)
		if code != c.want || !strings.Contains(out+errOut, c.says) || (code > 1) != (errOut != "") {
			t.Errorf("rolecall %s: got exit code %d, printed\n%s%s\nwant %d and %q", c.args, code, out, errOut, c.want, c.says)
		}
	}
}
