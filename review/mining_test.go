package review_test

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
	"pgregory.net/rapid"
)

var hostPermissions = []rolecall.Permission{taskView, taskUpdate, shotView}

// drawUses draws things that are allowed when all conditions hold, as a meter tells of them.
func drawUses(t *rapid.T, s *rolecall.Snapshot) (uses []rolecall.Use) {
	for range rapid.IntRange(0, 12).Draw(t, "uses") {
		u := rolecall.Use{Subject: pick(t, subjects, "who"), Permission: pick(t, hostPermissions, "what"), Scope: pick(t, []rolecall.Scope{global, alpha, beta}, "where")}
		if s.Check(u.Subject, u.Permission, u.Scope, rolecall.Given(conditions)) == nil && !slices.Contains(uses, u) {
			uses = append(uses, u)
		}
	}
	return uses
}

// TestUseIsNeverMissed checks on random policies that nothing is called unused which was used, through any role that
// decided so, and that everybody keeps what was used whatever is proposed.
func TestUseIsNeverMissed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, s := drawLintSnapshot(t)
		uses := drawUses(t, s)
		usage := review.NewUsage(rolecall.Reading{From: day(1), Until: s.Now(), Uses: uses})
		report, err := review.ReportUse(s, usage, day(2))
		if err != nil {
			t.Fatal(err)
		}
		unused := map[string]bool{}
		for _, r := range report.Roles {
			for _, p := range r.Unused {
				unused[fmt.Sprint("role ", r.Role, p)] = true
			}
		}
		for _, one := range report.Subjects {
			for _, p := range one.Unused {
				unused[fmt.Sprint(one.Subject, p)] = true
			}
			for _, g := range one.Grants {
				unused[rolecall.KeyOf(g).String()] = true
			}
		}
		for _, u := range uses {
			d, err := s.Decide(rolecall.Request{Subject: u.Subject, Permission: u.Permission, Scope: u.Scope, Facts: rolecall.Given(conditions)})
			if err != nil {
				t.Fatal(err)
			}
			wrong := []string{fmt.Sprint(u.Subject, u.Permission)}
			for _, f := range d.Deciding() {
				if g, is := f.Statement.(rolecall.Grant); is {
					wrong = append(wrong, fmt.Sprint("role ", g.Role, u.Permission), fmt.Sprint("role ", f.Role, u.Permission), rolecall.KeyOf(g).String())
				}
			}
			for _, what := range wrong {
				if unused[what] {
					t.Fatalf("%v was used, and ReportUse calls %s unused; policy:\n%s", u, what, text(all))
				}
			}
		}
		mustKeepUses(t, s, usage, uses, text(all))
	})
}

func mustKeepUses(t *rapid.T, s *rolecall.Snapshot, usage *review.Usage, uses []rolecall.Use, policy string) {
	proposals, err := review.ProposeRoles(s, usage, day(2))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proposals {
		proposal, err := s.Propose(rolecall.Change{Edits: p.Edits})
		if err != nil {
			t.Fatalf("%s: Propose(%v): %v; policy:\n%s", p, p.Edits, err, policy)
		}
		for _, at := range []time.Time{s.Now(), day(12), day(15), day(20), day(30)} {
			before, after := s.At(at), proposal.Next().At(at)
			for _, given := range allFacts() {
				for _, u := range uses {
					if before.Check(u.Subject, u.Permission, u.Scope, given) == nil && after.Check(u.Subject, u.Permission, u.Scope, given) != nil {
						t.Fatalf("%s: %v, which was used, is lost on %s given %v by %v; policy:\n%s", p, u, at, given, p.Edits, policy)
					}
				}
				who, what, where := pick(t, subjects, "who"), pick(t, hostPermissions, "what"), pick(t, scopes, "where")
				if before.Check(who, what, where, given) != nil && after.Check(who, what, where, given) == nil {
					t.Fatalf("%s: %s gains %s at %s on %s given %v by %v; policy:\n%s", p, who, what, where, at, given, p.Edits, policy)
				}
			}
		}
	}
}

// Two roles become one only where that gives nobody anything and takes nothing that was used, now or later.
func TestMergeRolesIsNoGain(t *testing.T) {
	const both = "role painter\n  allow task.*\nrole boss\n  allow budget.view\n"
	uses := []string{"user:ada task.view /project:alpha", "user:ada task.update /project:alpha", "user:eve task.view /project:alpha", "user:eve task.update /project:alpha"}
	for name, c := range map[string]struct {
		policy string
		merges bool
	}{
		"one each":               {"grant user:ada artist at /project:alpha\ngrant user:eve painter at /project:alpha\n", true},
		"both end alike":         {"grant user:ada artist at /project:alpha until 2026-06-10\ngrant user:ada painter at /project:alpha until 2026-06-10\n", true},
		"both alike":             {"grant user:ada artist at /project:alpha\ngrant user:ada painter at /project:alpha\n", true},
		"the first one ends":     {"grant user:ada artist at /project:alpha until 2026-06-10\ngrant user:ada painter at /project:alpha\n", false},
		"the second one ends":    {"grant user:ada artist at /project:alpha\ngrant user:ada painter at /project:alpha until 2026-06-10\n", false},
		"the second replaces":    {"grant user:ada boss at /\ngrant user:ada artist at /project:alpha\ngrant user:ada painter at /project:alpha replace\n", false},
		"the second pierces":     {"grant user:ada artist at /project:alpha\ngrant user:ada painter at /project:alpha pierce\n", false},
		"the first begins later": {"grant user:ada painter at /project:alpha when assigned\ngrant user:ada artist at /project:alpha when assigned from 2026-07-01\ngrant user:ben artist at /project:alpha\n", false},
	} {
		proposals, err := review.ProposeRoles(lintPolicy(t, both+c.policy), usageOf(t, uses...), day(2))
		if err != nil {
			t.Fatal(err)
		}
		merges := slices.ContainsFunc(proposals, func(p review.RoleProposal) bool { return p.Kind == review.MergeRoles })
		if merges != c.merges {
			t.Errorf("%s: ProposeRoles = %v, want a merge: %t", name, proposals, c.merges)
		}
	}
}

// A role that somebody will have by a membership of next month keeps what that somebody uses already.
func TestNarrowRolesForLater(t *testing.T) {
	s := lintPolicy(t, "role guide\n  allow task.view note.create\nmember user:ada of group:g from 2026-07-01\ngrant group:g guide at /project:alpha\ngrant user:ben guide at /project:alpha\ngrant user:ada artist at /project:alpha until 2026-07-02\n")
	proposals, err := review.ProposeRoles(s, usageOf(t, "user:ada task.view /project:alpha", "user:ada task.update /project:alpha"), day(2))
	if err != nil || len(proposals) != 1 || proposals[0].String() != "narrow: nobody used note.create through role guide" {
		t.Errorf("ProposeRoles = %v, %v, want to take note.create alone out of role guide", proposals, err)
	}
}

// What does not cover the time is refused.
func TestReportUseRefuses(t *testing.T) {
	s := lintPolicy(t, "grant user:ada artist at /project:alpha\n")
	for name, r := range map[string]rolecall.Reading{
		"it began later":    {From: day(3), Until: s.Now()},
		"something dropped": {From: day(1), Until: s.Now(), Dropped: 1},
		"it ended before":   {From: day(0), Until: day(1)},
		"it ended long ago": {From: day(1), Until: s.Now().AddDate(0, 0, -2)},
	} {
		if got, err := review.ReportUse(s, review.NewUsage(r), day(2)); got != nil || !errors.Is(err, rolecall.ErrInvalid) {
			t.Errorf("%s: ReportUse = %v, %v, want %s", name, got, err, rolecall.ErrInvalid)
		}
		if got, err := review.ProposeRoles(s, review.NewUsage(r), day(2)); got != nil || !errors.Is(err, rolecall.ErrInvalid) {
			t.Errorf("%s: ProposeRoles = %v, %v, want %s", name, got, err, rolecall.ErrInvalid)
		}
	}
}

const minedPolicy = `permission tool.use
role house
  allow task.* note.create
role pay
  allow budget.view note.create
role wages
  allow budget.view note.create tool.use
member user:ada of group:animation
member user:ben of group:animation
grant group:animation house at /project:alpha
grant user:cleo house at /project:alpha
grant user:dan house at /project:alpha
grant user:dan house at /project:beta
grant user:pia pay at /project:alpha
grant user:eve wages at /project:alpha
`

// minedUntil is the clock of the lint policies.
var minedUntil = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// usageOf reads uses written as subject permission place.
func usageOf(t *testing.T, lines ...string) *review.Usage {
	r := rolecall.Reading{From: day(1), Until: minedUntil}
	for _, line := range lines {
		words := strings.Fields(line)
		who, err := rolecall.ParseSubject(words[0])
		at, err2 := rolecall.ParseScope(words[2])
		if err != nil || err2 != nil {
			t.Fatalf("%s: %v, %v", line, err, err2)
		}
		r.Uses = append(r.Uses, rolecall.Use{Subject: who, Permission: rolecall.NewPermission(words[1]), Scope: at})
	}
	return review.NewUsage(r)
}

func TestReportUse(t *testing.T) {
	s := lintPolicy(t, minedPolicy)
	u := usageOf(t, "user:ada task.view /project:alpha", "user:dan note.create /project:beta", "user:pia budget.view /project:alpha", "user:zoe task.update /project:alpha")
	report, err := review.ReportUse(s, u, day(2))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range report.Roles {
		got = append(got, fmt.Sprintf("role %s held by %d: used %v, unused %v", r.Role, r.Holders, r.Used, r.Unused))
	}
	for _, one := range report.Subjects {
		line := fmt.Sprintf("%s: used %v, unused %v", one.Subject, one.Used, one.Unused)
		for _, g := range one.Grants {
			line += ", never " + rolecall.KeyOf(g).String()
		}
		got = append(got, line)
	}
	// Zoe is in the group by a token, perhaps: what she used is not called unused.
	want := []string{
		"role house held by 4: used [note.create task.update task.view], unused []",
		"role pay held by 1: used [budget.view], unused [note.create]",
		"role wages held by 1: used [], unused [budget.view note.create tool.use]",
		"user:ada: used [task.view], unused [note.create task.update]",
		"user:ben: used [], unused [note.create task.update task.view]",
		"user:cleo: used [], unused [note.create task.update task.view], never grant user:cleo house at /project:alpha",
		"user:dan: used [note.create], unused [task.update task.view], never grant user:dan house at /project:alpha",
		"user:eve: used [], unused [budget.view note.create tool.use], never grant user:eve wages at /project:alpha",
		"user:pia: used [budget.view], unused [note.create]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReportUse: -want +got:\n%s", diff)
	}
}

// What many use of whom the policy knows nothing is looked for in the groups once: twice the strangers and the groups take
// about twice the work.
func TestReportUseOfManyStrangers(t *testing.T) {
	work := func(n int) float64 {
		says := []rolecall.Statement{sees}
		var uses []rolecall.Use
		for i := range n {
			says = append(says, rolecall.Grant{Subject: rolecall.Group(fmt.Sprint("g", i)), Role: "viewer", Scope: global})
			uses = append(uses, rolecall.Use{Subject: rolecall.User(fmt.Sprint("u", i)), Permission: taskView, Scope: alpha})
		}
		s := snapshotOf(t, says...)
		usage := review.NewUsage(rolecall.Reading{From: day(1), Until: s.Now(), Uses: uses})
		return testing.AllocsPerRun(1, func() {
			if _, err := review.ReportUse(s, usage, day(2)); err != nil {
				t.Errorf("ReportUse of %d strangers: %v, want no error", n, err)
			}
		})
	}
	if once, twice := work(200), work(400); twice > 3*once {
		t.Errorf("ReportUse allocates %v times for 200 strangers and as many groups, %v times for 400; want about twice as often", once, twice)
	}
}

// What was used as a group, or as everyone, was used through what it has, and through what its groups have.
func TestReportUseOfGroups(t *testing.T) {
	s := lintPolicy(t, minedPolicy+"member group:animation of group:studio\ngrant group:studio pay at /project:alpha\ngrant everyone wages at /project:beta\n")
	u := usageOf(t, "group:animation task.view /project:alpha", "group:animation budget.view /project:alpha", "everyone tool.use /project:beta")
	report, err := review.ReportUse(s, u, day(2))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range report.Roles {
		got = append(got, fmt.Sprintf("role %s held by %d: used %v", r.Role, r.Holders, r.Used))
	}
	want := []string{"role house held by 4: used [task.view]", "role pay held by 3: used [budget.view]", "role wages held by 6: used [tool.use]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReportUse: -want +got:\n%s", diff)
	}
	for _, one := range report.Subjects {
		if one.Subject.IsGroup() {
			t.Errorf("ReportUse tells of %s as of a subject", one.Subject)
		}
	}
}

func TestProposeRoles(t *testing.T) {
	s := lintPolicy(t, minedPolicy)
	for name, test := range map[string]struct {
		uses []string
		want []string
	}{
		"narrowed": {[]string{"user:ada task.view /project:alpha", "user:cleo task.view /project:alpha"}, []string{
			"narrow: nobody used note.create and task.update through role house",
			"  + role house\n    allow task.view",
			"narrow: nobody used budget.view and note.create through role pay",
			"  + role pay",
			"narrow: nobody used budget.view, note.create and tool.use through role wages",
			"  + role wages",
		}},
		"split": {[]string{
			"user:ada task.view /project:alpha", "user:ada task.update /project:alpha", "user:cleo task.view /project:alpha", "user:cleo task.update /project:alpha",
			"user:dan task.view /project:alpha", "user:dan note.create /project:alpha", "user:dan task.view /project:beta", "user:dan note.create /project:beta",
			"user:pia budget.view /project:alpha", "user:pia note.create /project:alpha", "user:eve budget.view /project:alpha", "user:eve note.create /project:alpha", "user:eve tool.use /project:alpha",
		}, []string{
			"split: the grants of role house are used for different things: 2 use task.update; 2 use note.create",
			"  + role house\n    allow task.view",
			"  + role house-1\n    inherits house\n    allow task.update",
			"  + grant group:animation house-1 at /project:alpha",
			"  + grant user:cleo house-1 at /project:alpha",
			"  + role house-2\n    inherits house\n    allow note.create",
			"  + grant user:dan house-2 at /project:alpha",
			"  + grant user:dan house-2 at /project:beta",
			"  - grant group:animation house at /project:alpha",
			"  - grant user:cleo house at /project:alpha",
			"  - grant user:dan house at /project:alpha",
			"  - grant user:dan house at /project:beta",
		}},
		"merged": {[]string{
			"user:ada task.view /project:alpha", "user:ada task.update /project:alpha", "user:ada note.create /project:alpha",
			"user:pia budget.view /project:alpha", "user:pia note.create /project:alpha", "user:eve budget.view /project:alpha", "user:eve note.create /project:alpha",
		}, []string{
			"narrow: nobody used tool.use through role wages",
			"  + role wages\n    allow budget.view note.create",
			"merge: of roles pay and wages the same is used: budget.view and note.create",
			"  + role pay\n    allow budget.view note.create",
			"  + grant user:eve pay at /project:alpha",
			"  - grant user:eve wages at /project:alpha",
			"  - role wages",
		}},
	} {
		proposals, err := review.ProposeRoles(s, usageOf(t, test.uses...), day(2))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range proposals {
			got = append(got, p.String())
			for _, e := range p.Edits {
				got = append(got, "  "+strings.ReplaceAll(editText(e), "\n", "\n  "))
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: ProposeRoles: -want +got:\n%s", name, diff)
		}
	}
}

// A choice of few roles is the best there is, one of many within its bound.
func TestCoverWithRoles(t *testing.T) {
	var names []rolecall.Permission
	for _, letter := range "abcdefghij" {
		names = append(names, rolecall.NewPermission(string(letter)+".use"))
	}
	tiny := newCatalog(names...)
	rapid.Check(t, func(t *rapid.T) {
		var all []rolecall.Statement
		var sets []int
		for n := range rapid.IntRange(0, pick(t, []int{6, 30}, "most")).Draw(t, "roles") {
			set := rapid.IntRange(0, 1<<len(names)-1).Draw(t, "allows")
			r := rolecall.Role{Name: rolecall.RoleName(fmt.Sprintf("r%02d", n))}
			for i, p := range names {
				if set>>i&1 == 1 {
					r.Rules = append(r.Rules, rule(rolecall.Allow, rolecall.Pattern(p.String())))
				}
			}
			all, sets = append(all, r), append(sets, set)
		}
		built, err := rolecall.NewSnapshot(tiny, all...)
		if err != nil {
			t.Fatal(err)
		}
		need := rapid.IntRange(0, 1<<len(names)-1).Draw(t, "needed")
		var needed []rolecall.Permission
		for i, p := range names {
			if need>>i&1 == 1 {
				needed = append(needed, p)
			}
		}
		got, err := review.CoverWithRoles(built.At(day(1)), needed)
		if err != nil {
			t.Fatal(err)
		}
		mustCoverWell(t, got, sets, need, names)
	})
}

// Roles have no windows, so that no instant is needed. What is not declared is missing, once; what is no permission at all
// is an error.
func TestCoverWithRolesOfAnyPolicy(t *testing.T) {
	built, err := rolecall.NewSnapshot(catalog, rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{allow("*.view")}})
	if err != nil {
		t.Fatal(err)
	}
	gone := rolecall.NewPermission("task.gone")
	got, err := review.CoverWithRoles(built, []rolecall.Permission{taskView, gone, shotView, gone})
	want := review.RoleCover{Roles: []rolecall.RoleName{"viewer"}, Missing: []rolecall.Permission{gone}, Cost: 1, Bound: 1}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b rolecall.Permission) bool { return a == b })); err != nil || diff != "" {
		t.Errorf("CoverWithRoles: %v, -want +got:\n%s", err, diff)
	}
	for name, p := range map[string]rolecall.Permission{"a malformed permission": rolecall.NewPermission("Task"), "the zero permission": {}} {
		if got, err := review.CoverWithRoles(built, []rolecall.Permission{taskView, p}); !errors.Is(err, rolecall.ErrInvalid) || got.Roles != nil {
			t.Errorf("CoverWithRoles of %s: %+v, %v, want %s", name, got, err, rolecall.ErrInvalid)
		}
	}
}

// mustCoverWell checks a cover against the best one, found for every set of permissions that may still be wanted.
func mustCoverWell(t *rapid.T, got review.RoleCover, sets []int, need int, names []rolecall.Permission) {
	can, cost, allowed := 0, 0, 0
	for _, set := range sets {
		can |= set & need
	}
	for _, name := range got.Roles {
		var n int
		fmt.Sscanf(string(name), "r%d", &n)
		cost += 1 + bits.OnesCount(uint(sets[n]&^need))
		allowed |= sets[n]
	}
	if allowed&can != can || len(got.Missing) != bits.OnesCount(uint(need&^can)) || len(got.Excess) != bits.OnesCount(uint(allowed&^need)) || got.Cost != cost {
		t.Fatalf("CoverWithRoles(%b) of %b = %+v: covers %b of %b at cost %d", need, sets, got, allowed&can, can, cost)
	}
	best := make([]int, 1<<len(names))
	for left := 1; left < len(best); left++ {
		best[left] = 1 << 20
		for _, set := range sets {
			if set&left != 0 {
				best[left] = min(best[left], 1+bits.OnesCount(uint(set&^need))+best[left&^set])
			}
		}
	}
	if float64(got.Cost) > got.Bound*float64(best[can])+1e-9 {
		t.Fatalf("CoverWithRoles(%b) of %b = %+v, want at most %v times %d", need, sets, got, got.Bound, best[can])
	}
	if len(sets) <= 16 && got.Bound != 1 {
		t.Fatalf("CoverWithRoles of %d roles: bound %v, want 1", len(sets), got.Bound)
	}
}

func ExampleReportUse() {
	s := examplePolicyFor(`
permission task.view
permission task.update
permission task.delete
kind scope project
role artist
  allow task.*
grant user:ada artist at /project:alpha
`)
	usage := review.NewUsage(rolecall.Reading{From: day(1), Until: s.Now(), Uses: []rolecall.Use{{Subject: ada, Permission: taskView, Scope: alpha}}})
	report, err := review.ReportUse(s, usage, day(2))
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Roles[0].Role, "unused:", report.Roles[0].Unused)
	proposals, err := review.ProposeRoles(s, usage, day(2))
	if err != nil {
		panic(err)
	}
	for _, p := range proposals {
		fmt.Println(p)
		fmt.Println(p.Edits[0])
	}
	// Output:
	// artist unused: [task.delete task.update]
	// narrow: nobody used task.delete and task.update through role artist
	// role artist
	//   allow task.view
}
