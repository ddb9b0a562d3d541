package rolecall_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"pgregory.net/rapid"
)

// drawChanges draws changes to a world: new statements, changed ones, removals.
func drawChanges(t *rapid.T, w world) []rolecall.Edit {
	var edits []rolecall.Edit
	all := w.statements()
	for range 1 + upToN(4).Draw(t, "edits") {
		switch upToN(10).Draw(t, "op") {
		case 0, 1, 2:
			edits = append(edits, rolecall.Remove(pick(t, all, "removed")))
		case 3, 4:
			edits = append(edits, rolecall.Put(drawRole(t, upToN(len(roleNames)).Draw(t, "role"))))
		case 5:
			edits = append(edits, rolecall.ForgetSubject(pick(t, subjects, "forgotten")))
		default:
			edits = append(edits, rolecall.Put(drawStatement(t)))
		}
	}
	return edits
}

// read answers from the differences that a plan lists, as its doc comments say.
func read(p *rolecall.Plan, list []rolecall.Difference, who rolecall.Subject, permission rolecall.Permission, t rolecall.Scope, f rolecall.Facts) bool {
	next := p.Proposal().Next()
	if !slices.Contains(slices.Collect(p.Apart()), who) {
		if _, suspended := next.Find(rolecall.KeyOf(rolecall.Suspension{Subject: who})); suspended {
			return false
		}
		who = everyone
	}
	var inner rolecall.Difference
	for _, d := range list {
		if d.Subject == who && d.Permission == permission && d.Scope.Contains(t) && (inner.Scope.IsZero() || inner.Scope.Contains(d.Scope)) {
			inner = d
		}
	}
	if inner.Scope.IsZero() {
		return false
	}
	for at := range t.Ancestors() {
		if at == inner.Scope {
			break
		}
		if _, private := next.Find(rolecall.KeyOf(rolecall.PrivateScope{Scope: at})); private {
			return inner.Private.Holds(f)
		}
	}
	return inner.When.Holds(f)
}

// TestPlanIsTheDifference compares a plan with the checks before and after, for everybody and everywhere.
func TestPlanIsTheDifference(t *testing.T) {
	gains, losses := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if often(t, 30, "more elsewhere") {
			w = w.put(drawElsewhere(t)...)
		}
		before := w.snapshot(t).At(pick(t, instants, "now"))
		edits := drawChanges(t, w)
		if often(t, 30, "for everyone") {
			edits = append(edits, rolecall.Put(override(everyone, pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Deny, rolecall.Forbid}, "effect"), drawPattern(t), drawScope(t))))
		}
		plan, err := before.Plan(rolecall.Change{Edits: edits})
		if err != nil {
			t.Skip("the change is refused")
		}
		after := plan.Proposal().Next()
		gained, lost := slices.Collect(plan.Gained()), slices.Collect(plan.Lost())
		if apart := slices.Collect(plan.Apart()); !slices.IsSortedFunc(apart, rolecall.Subject.Compare) || slices.Contains(apart, everyone) {
			t.Fatalf("Apart() = %v, want the order of subjects and nothing of everyone", apart)
		}
		any := false
		mustTell := func(who rolecall.Subject, p rolecall.Permission, at rolecall.Scope, f rolecall.Facts) {
			could, can := before.Check(who, p, at, f) == nil, after.Check(who, p, at, f) == nil
			for what, c := range map[string]struct{ got, want bool }{
				"Gains":            {plan.Gains(who, p, at, f), can && !could},
				"Loses":            {plan.Loses(who, p, at, f), could && !can},
				"read from Gained": {read(plan, gained, who, p, at, f), can && !could},
				"read from Lost":   {read(plan, lost, who, p, at, f), could && !can},
			} {
				if c.got != c.want {
					t.Fatalf("%s: %t, want %t: %s may %s at %s given %v: %t before, %t after; edits %v; policy:\n%s\ngained %v\nlost %v",
						what, c.got, c.want, who, p, at, f, could, can, edits, w, gained, lost)
				}
			}
			any = any || could != can
			if can && !could {
				gains++
			}
			if could && !can {
				losses++
			}
		}
		for range 3 {
			at, f := pick(t, slices.Concat(scopes, scopes, lookups), "at"), drawFacts(t)
			for _, who := range everybody {
				for _, p := range permissions {
					mustTell(who, p, at, f)
				}
			}
		}
		if any && plan.Empty() {
			t.Fatalf("Empty() = true for a plan with effects; edits %v; policy:\n%s", edits, w)
		}
	})
	if gains == 0 || losses == 0 {
		t.Errorf("%d gains and %d losses were met, want some of each", gains, losses)
	}
}

// A plan tells of whole places, and of everybody, in one line.
func TestPlanSummary(t *testing.T) {
	sees := role("r0", rule(rolecall.Allow, "", "task.view", "shot.view"))
	team := world{}.add(sees, member(ann, crowds), member(ben, crowds), member(bot, crowds), member(guest, crowds), member(rolecall.User("cleo"), crowds), override(ben, rolecall.Deny, "task.*", project))
	for name, c := range map[string]struct {
		world world
		edit  rolecall.Statement
		want  string
	}{
		"a user":   {world{}.add(sees), grant(ann, "r0", project), "user:ann gains shot.view task.view at /project:p, but not in private scopes inside"},
		"everyone": {world{}.add(sees), piercing(grant(everyone, "r0", global)), "everyone gains shot.view task.view at /"},
		"everyone, but some": {world{}.add(sees, override(ben, rolecall.Deny, "task.*", global), suspend(bot), piercing(grant(ann, "r0", global))), piercing(grant(everyone, "r0", global)),
			"user:ben gains shot.view at /\n  everyone gains shot.view task.view at /\n  everyone is everybody but user:ann user:ben"},
		"everyone, to whom it gives nothing": {world{}.add(sees, role("r1"), piercing(grant(everyone, "r0", global)), replacing(grant(ann, "r1", global))),
			piercing(grant(everyone, "r0", shot)), "user:ann gains shot.view task.view at /project:p/shot:s"},
		"a group, of whom one fares otherwise": {team, piercing(grant(crowds, "r0", project)),
			"group:crowds gains shot.view task.view at /project:p\n  guest:ann service:bot user:ann and 1 more gains shot.view task.view at /project:p\n  user:ben gains shot.view at /project:p"},
		"a group, one of whose subgroups is suspended": {world{}.add(sees, member(ann, layout), member(layout, studio), member(ben, crowds), member(crowds, studio), suspend(crowds)),
			piercing(grant(studio, "r0", project)),
			"group:ann gains shot.view task.view at /project:p\n  group:layout user:ann gains shot.view task.view at /project:p"},
		"a condition": {world{}.add(sees), piercing(grantWhen(grant(ann, "r0", project), "assigned")), "user:ann gains shot.view task.view at /project:p when assigned"},
		"a deny":      {world{}.add(sees, piercing(grant(ann, "r0", global))), override(ann, rolecall.Deny, "task.view", shot), "user:ann loses task.view at /project:p/shot:s"},
		"privacy":     {world{}.add(sees, grant(ann, "r0", global)), private(project), "user:ann loses shot.view task.view at /project:p, but not in private scopes inside"},
		"nothing":     {world{}.add(sees, piercing(grant(ann, "r0", global))), grant(ann, "r0", project), "nobody gains or loses anything"},
		"where it ends": {world{}.add(sees, piercing(grant(ann, "r0", project))), piercing(grant(ann, "r0", global)),
			"user:ann gains shot.view task.view at /\n  user:ann gains shot.view task.view, but not at /project:p"},
		"private scopes alone": {world{}.add(sees, grant(ann, "r0", project)), piercing(grant(ann, "r0", project)), "user:ann gains shot.view task.view at /project:p in private scopes inside only"},
		"private scopes under a condition": {world{}.add(sees, grant(ann, "r0", project)), piercing(grantWhen(grant(ann, "r0", global), "assigned")),
			"user:ann gains shot.view task.view at / when assigned\n  user:ann gains shot.view task.view at /project:p in private scopes inside only, when assigned"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := c.world.snapshot(t).At(day(1)).Plan(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(c.edit)}})
			if err != nil {
				t.Fatalf("Plan(put %s): %v, want no error", c.edit, err)
			}
			if diff := cmp.Diff("plan for revision 0\n  "+c.want, plan.String()); diff != "" {
				t.Errorf("Plan(put %s): -want +got:\n%s", c.edit, diff)
			}
		})
	}
}

// On a snapshot without an instant a plan is made for the time of the change.
func TestPlanAtTheTimeOfTheChange(t *testing.T) {
	w := world{}.add(role("r0", rule(rolecall.Allow, "", "task.view")))
	edit := rolecall.Put(piercing(until(grant(ann, "r0", project), 2)))
	for n, want := range map[int]bool{1: true, 2: false} {
		plan, err := w.snapshot(t).Plan(rolecall.Change{Meta: rolecall.Meta{Time: day(n)}, Edits: []rolecall.Edit{edit}})
		if err != nil || plan.Gains(ann, seeTask, project, nil) != want {
			t.Errorf("Plan(%s) at day %d: %v, %v, want that ann gains: %t", edit, n, plan, err, want)
		}
	}
}

// A plan tells nothing of what is not declared, even where everybody gains.
func TestPlanOfWhatIsNotDeclared(t *testing.T) {
	w := world{}.add(role("r0", rule(rolecall.Allow, "", "task.view")))
	plan, err := w.snapshot(t).At(day(1)).Plan(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(piercing(grant(everyone, "r0", global)))}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who        rolecall.Subject
		permission rolecall.Permission
		at         rolecall.Scope
		facts      rolecall.Facts
		want       bool
	}{
		{stranger, seeTask, project, nil, true},
		{rolecall.NewSubject("robot", "x"), seeTask, project, nil, false},
		{rolecall.Subject{}, seeTask, project, nil, false},
		{stranger, rolecall.NewPermission("task.viw"), project, nil, false},
		{stranger, seeTask, rolecall.In("projekt", "p"), nil, false},
		{stranger, seeTask, rolecall.Scope{}, nil, false},
		{stranger, seeTask, project, rolecall.Given{"misspelled"}, false},
	} {
		if got := plan.Gains(c.who, c.permission, c.at, c.facts); got != c.want {
			t.Errorf("Gains(%s, %s, %s, %v) = %t, want %t", c.who, c.permission, c.at, c.facts, got, c.want)
		}
	}
}

// A plan is applied as it was made, or not at all.
func TestPlanApply(t *testing.T) {
	store := memstore.New()
	r, err := rolecall.Open(t.Context(), store, worldCatalog, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s = s.At(day(1))
	sees := rolecall.Put(role("r0", rule(rolecall.Allow, "", "task.view")))
	plan := func(edits ...rolecall.Edit) *rolecall.Plan {
		p, err := s.Plan(rolecall.Change{Edits: edits})
		if err != nil {
			t.Fatalf("Plan: %v, want no error", err)
		}
		return p
	}
	first, second, nothing := plan(sees, rolecall.Put(grant(ann, "r0", project))), plan(sees, rolecall.Put(grant(ben, "r0", project))), plan()
	if at, err := r.Apply(t.Context(), nothing); at != 0 || err != nil {
		t.Errorf("Apply(nothing) = %d, %v, want 0, no error", at, err)
	}
	if at, err := r.Apply(t.Context(), first); at != 1 || err != nil {
		t.Errorf("Apply(first) = %d, %v, want 1, no error", at, err)
	}
	if _, err := r.Apply(t.Context(), nil); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Apply(nil): %v, want %s", err, rolecall.ErrInvalid)
	}
	if err := r.Check(t.Context(), ann, seeTask, project); err != nil {
		t.Errorf("Check after Apply: %v, want no error", err)
	}
	for name, p := range map[string]*rolecall.Plan{"second": second, "nothing": nothing} {
		if _, err := r.Apply(t.Context(), p); !errors.Is(err, rolecall.ErrConflict) {
			t.Errorf("Apply(%s) at revision 1: %v, want %s", name, err, rolecall.ErrConflict)
		}
	}
	if err := r.Check(t.Context(), ben, seeTask, project); !errors.Is(err, rolecall.ErrDenied) {
		t.Errorf("Check after a refused Apply: %v, want %s", err, rolecall.ErrDenied)
	}
}

// TestSync checks that the edits lead from any world to any other, touch nothing that is not owned, and are fewest.
func TestSync(t *testing.T) {
	owned := func(s rolecall.Statement) bool {
		switch s.(type) {
		case rolecall.Grant, rolecall.Membership:
			return true
		}
		return false
	}
	rapid.Check(t, func(t *rapid.T) {
		from, to := drawWorld(t), drawWorld(t)
		var desired []rolecall.Statement
		for _, s := range to.statements() {
			if owned(s) {
				desired = append(desired, s)
			}
		}
		s := from.snapshot(t).At(day(1))
		edits, err := s.Sync(slices.Values(append(desired, desired...)), owned)
		if err != nil {
			t.Fatalf("Sync: %v, want no error", err)
		}
		if !slices.IsSortedFunc(edits, func(a, b rolecall.Edit) int {
			return rolecall.KeyOf(a.Statement).Compare(rolecall.KeyOf(b.Statement))
		}) {
			t.Fatalf("Sync = %v, want the order of keys", edits)
		}
		p, err := s.Propose(rolecall.Change{Edits: edits})
		if err != nil {
			t.Skip("the change is refused")
		}
		if got := len(p.Entry().Deltas); got != len(edits) {
			t.Fatalf("Sync returns %d edits of which %d change anything, want all of them to: %v", len(edits), got, edits)
		}
		want := appendAll(slices.DeleteFunc(from.statements(), owned), desired)
		if diff := cmp.Diff(linesOf(want), linesOf(slices.Collect(p.Next().Statements()))); diff != "" {
			t.Fatalf("after Sync: -want +got:\n%s", diff)
		}
		if again, err := p.Next().Sync(slices.Values(desired), owned); err != nil || len(again) != 0 {
			t.Fatalf("Sync a second time: %v, %v, want no edits and no error", again, err)
		}
	})
	s := world{}.snapshot(t).At(day(1))
	for name, desired := range map[string][]rolecall.Statement{
		"not owned": {suspend(ann)},
		"one key":   {grant(ann, "r0", project), piercing(grant(ann, "r0", project))},
	} {
		if _, err := s.Sync(slices.Values(desired), owned); !errors.Is(err, rolecall.ErrInvalid) {
			t.Errorf("Sync(%s): %v, want %s", name, err, rolecall.ErrInvalid)
		}
	}
}

// linesOf returns the canonical texts, sorted.
func linesOf(all []rolecall.Statement) []string {
	var out []string
	for _, s := range all {
		out = append(out, strings.TrimSpace(rolecall.Canonical(s).String()))
	}
	slices.Sort(out)
	return out
}
