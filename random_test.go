package rolecall_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// who lists, by asking each, the subjects that a policy names and that are allowed, and asks for one it does not name.
func (w world) who(q question) (named []rolecall.Subject, everyone bool) {
	for _, s := range w.named() {
		if w.decide(question{&asker{subject: s, now: q.now}, q.permission, q.scope, q.facts}) == allowed {
			named = append(named, s)
		}
	}
	return named, w.decide(question{&asker{subject: stranger, now: q.now}, q.permission, q.scope, q.facts}) == allowed
}

// may lists, by asking for each, the permissions of the catalog that q's asker has at q's scope.
func (w world) may(q question) []rolecall.Permission {
	var all []rolecall.Permission
	for p := range worldCatalog.Permissions() {
		if w.decide(question{q.asker, p, q.scope, q.facts}) == allowed {
			all = append(all, p)
		}
	}
	return all
}

func textsOf[S interface{ String() string }](all []S) []string {
	var out []string
	for _, s := range all {
		out = append(out, s.String())
	}
	return out
}

// rounds is how many times a full run takes rapid's number of checks.
const rounds = 20

// many checks a property on many random worlds; a short run and one under the race detector take fewer.
func many(t *testing.T, property func(*rapid.T)) {
	n := rounds
	if testing.Short() || raceDetector {
		n = 1
	}
	for range n {
		rapid.Check(t, property)
	}
}

// TestRandomWorlds compares Decide, Check and View.Check with the naive evaluator on random worlds.
func TestRandomWorlds(t *testing.T) {
	many(t, func(t *rapid.T) {
		b := newBench(t, drawWorld(t))
		for _, q := range drawQuestions(t) {
			b.mustAgree(t, q)
		}
	})
}

// TestRandomBatches compares View.CheckAll with the naive evaluator on random worlds.
func TestRandomBatches(t *testing.T) {
	many(t, func(t *rapid.T) {
		b := newBench(t, drawWorld(t))
		a := drawAsker(t)
		v := b.view(a)
		if v.err != nil {
			t.Skip("the asker's session is refused")
		}
		var targets []rolecall.Target
		var asked []question
		for range rapid.IntRange(0, 12).Draw(t, "targets") {
			q := question{a, seeTask, pick(t, scopes, "at"), drawFacts(t)}
			targets = append(targets, rolecall.Target{Scope: q.scope, Facts: q.facts})
			asked = append(asked, q)
		}
		some := rapid.SliceOf(rapid.SampledFrom(permissions)).Draw(t, "permissions")
		answers, err := v.CheckAll(targets, some...)
		if err != nil {
			t.Fatalf("CheckAll(%v, %v) of %v: %v, want no error; policy:\n%s", targets, some, a.subject, err, b.world)
		}
		for i, q := range asked {
			for j, p := range some {
				q.permission = p
				got, want := answers.Allowed(i, j), b.world.decide(q) == allowed
				if got != want {
					t.Fatalf("CheckAll(…).Allowed(%d, %d) of %s = %t, want %t; policy:\n%s", i, j, q, got, want, b.world)
				}
				if reason := answers.Reason(i, j); (reason == rolecall.Granted) != want {
					t.Fatalf("CheckAll(…).Reason(%d, %d) of %s = %s, want granted: %t; policy:\n%s", i, j, q, reason, want, b.world)
				}
			}
		}
	})
}

// TestRandomLists compares View.Permissions and Snapshot.Who with the naive evaluator on random worlds.
func TestRandomLists(t *testing.T) {
	many(t, func(t *rapid.T) {
		b := newBench(t, drawWorld(t))
		q := question{drawAsker(t), pick(t, permissions, "permission"), pick(t, scopes, "at"), drawFacts(t)}
		if v := b.view(q.asker); v.err == nil {
			got, err := v.Permissions(q.scope, q.facts)
			if err != nil {
				t.Fatalf("Permissions(%s): %v, want no error; policy:\n%s", q, err, b.world)
			}
			if diff := cmp.Diff(textsOf(b.world.may(q)), textsOf(got)); diff != "" {
				t.Fatalf("Permissions(%s): -want +got:\n%s\npolicy:\n%s", q, diff, b.world)
			}
		}
		got, everyone, err := b.now(q.now).Who(q.permission, q.scope, q.facts)
		if err != nil {
			t.Fatalf("Who(%s): %v, want no error; policy:\n%s", q, err, b.world)
		}
		want, wantEveryone := b.world.who(q)
		if diff := cmp.Diff(textsOf(want), textsOf(got)); diff != "" || everyone != wantEveryone {
			t.Fatalf("Who(%s): everyone %t, want %t; -want +got:\n%s\npolicy:\n%s", q, everyone, wantEveryone, diff, b.world)
		}
	})
}

// TestRandomWorldsAreWorthAsking keeps the generators honest: both answers come up often, and every kind of statement
// decides something.
func TestRandomWorldsAreWorthAsking(t *testing.T) {
	count := map[verdict]int{}
	matters := map[string]bool{}
	type drawn struct {
		world
		questions []question
	}
	draw := rapid.Custom(func(t *rapid.T) drawn { return drawn{drawWorld(t), drawQuestions(t)} })
	for seed := range 200 { // always the same ones: this is about the generators, not about luck
		d := draw.Example(seed)
		var were []verdict
		for i, q := range d.questions {
			were = append(were, d.decide(q))
			count[were[i]]++
		}
		for _, s := range d.statements() {
			if _, isRole := s.(rolecall.Role); isRole || matters[word(s)] {
				continue
			}
			without := d.without(s)
			for i, q := range d.questions {
				matters[word(s)] = matters[word(s)] || without.decide(q) != were[i]
			}
		}
	}
	if total := count[allowed] + count[denied]; count[allowed]*20 < total || count[denied]*20 < total {
		t.Errorf("random worlds answer %v, want each of allowed and denied in a twentieth of the questions", count)
	}
	for _, kind := range []string{"grant", "override", "member", "suspend", "private", "constraint"} {
		if !matters[kind] {
			t.Errorf("no %s statement ever changed an answer, want one", kind)
		}
	}
}

// word is the first word of the statement's text form.
func word(s rolecall.Statement) string {
	first, _, _ := strings.Cut(s.String(), " ")
	return first
}

// An Allow that does not count, beside one that does, must not keep a check from looking at what the groups deny.
func TestDoubtDoesNotHideDenials(t *testing.T) {
	allows := roleOf("r0", "task.view")
	base := worldOf([]rolecall.Statement{allows, member(ann, studio), grant(ann, "r0", project)})
	doubts := map[string][]rolecall.Statement{
		"an expired grant":       {rolecall.Grant{Subject: ann, Role: "r0", Scope: global, Window: rolecall.Window{NotAfter: day(0)}}},
		"a grant above privacy":  {private(project), grant(ann, "r0", global)},
		"a grant not yet valid":  {rolecall.Grant{Subject: ann, Role: "r0", Scope: shot, Window: rolecall.Window{NotBefore: day(3)}}},
		"an expired group grant": {until(grant(crowds, "r0", global), 0), member(ann, crowds)},
	}
	for name, doubt := range doubts {
		for _, holder := range []rolecall.Subject{studio, everyone} {
			w := base.add(doubt...).add(override(holder, rolecall.Forbid, "task.view", global))
			if err := w.snapshot(t).At(day(1)).Check(ann, seeTask, shot); !errors.Is(err, rolecall.ErrDenied) {
				t.Errorf("with %s and a forbid on %s: Check: %v, want denied; policy:\n%s", name, holder, err, w)
			}
		}
	}
}

// What a group far above says counts, however long the way to it is, whatever windows are on it, and whatever ends beside it.
func TestLongWaysUp(t *testing.T) {
	group := func(n int) rolecall.Subject { return rolecall.Group(fmt.Sprint(n)) }
	for _, length := range []int{1, 2, 31, 32, 33, 34, 60} {
		for _, closed := range []int{-1, 0, length - 1} { // the membership that is over
			w := world{}.add(role("r0", rule(rolecall.Allow, "", "task.view")), member(ann, group(0)), grant(ben, "r0", project), member(ben, group(0)))
			for n := range length {
				m := member(group(n), group(n+1))
				m.NotBefore = day(0)
				if n == closed {
					m.Window = rolecall.Window{NotAfter: day(1)}
				}
				w = w.add(m)
			}
			for _, end := range []string{"a", "z"} { // from here it is nowhere up any more
				w = w.add(member(group(0), rolecall.Group(end)), memberUntil(member(rolecall.Group(end), group(length)), 1))
			}
			for _, s := range []rolecall.Statement{grant(group(length), "r0", project), override(group(length), rolecall.Forbid, "task.view", project)} {
				b := newBench(t, w.add(s))
				for _, who := range []rolecall.Subject{ann, ben} {
					b.mustAgree(t, question{now(who), seeTask, shot, nil})
				}
			}
		}
	}
}

// What a group says is found everywhere but where it was taken back.
func TestGroupLeavesAPlace(t *testing.T) {
	w := world{}.add(role("r0", rule(rolecall.Allow, "", "task.view")), member(ann, crowds), member(ben, crowds), grant(ben, "r0", global))
	for _, at := range neighbours {
		w = w.add(grant(crowds, "r0", at), override(crowds, rolecall.Deny, "task.view", at.In("shot", "s")))
	}
	before := w.snapshot(t).At(day(1))
	for _, left := range neighbours {
		given, denied := grant(crowds, "r0", left), override(crowds, rolecall.Deny, "task.view", left.In("shot", "s"))
		after := newBench(t, w.without(given).without(denied))
		after.snapshot = propose(t, before, rolecall.Remove(given), rolecall.Remove(denied)).Next()
		for _, at := range neighbours {
			for _, place := range []rolecall.Scope{at, at.In("shot", "s"), at.In("shot", "t")} {
				after.mustAgree(t, question{now(ann), seeTask, place, nil})
				after.mustAgree(t, question{now(ben), seeTask, place, nil})
			}
		}
	}
}
