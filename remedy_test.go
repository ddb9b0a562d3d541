package rolecall_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// decide answers a request that is known to be a good one.
func decide(t rapid.TB, s *rolecall.Snapshot, r rolecall.Request) rolecall.Decision {
	d, err := s.Decide(r)
	if err != nil {
		t.Fatalf("Decide: %v, want no error", err)
	}
	return d
}

// drawBlocks draws statements that no single exception gets around, in some of the worlds.
func drawBlocks(t *rapid.T, q question) []rolecall.Statement {
	var list []rolecall.Statement
	for range upToN(3).Draw(t, "blocks") {
		holder := pick(t, append(slices.Clone(groups), q.subject, q.subject, rolecall.Everyone()), "holder")
		pattern := pick(t, append(slices.Clone(patterns), rolecall.Pattern(q.permission.String())), "pattern")
		switch upToN(4).Draw(t, "block") {
		case 0:
			list = append(list, override(holder, rolecall.Forbid, pattern, pick(t, slices.Collect(q.scope.Ancestors()), "at")))
		case 1:
			list = append(list, override(q.subject, rolecall.Deny, pattern, q.scope))
		case 2:
			list = append(list, overrideWhen(override(q.subject, rolecall.Deny, pattern, q.scope), pick(t, conditions, "when")))
		default:
			if holder != rolecall.Everyone() {
				list = append(list, suspend(holder))
			}
		}
	}
	return list
}

// drawSingles draws puts and removals of single statements other than roles and constraints: every removal, existing
// statements with something else about them, and new ones that may bear on the question.
func drawSingles(t *rapid.T, w world, q question) []rolecall.Edit {
	var edits []rolecall.Edit
	for _, s := range w.statements() {
		switch s := s.(type) {
		case rolecall.Role, rolecall.Constraint:
			continue
		case rolecall.Override:
			for _, e := range []rolecall.Effect{rolecall.Allow, rolecall.Deny, rolecall.Forbid} {
				s.Effect = e
				edits = append(edits, rolecall.Put(s))
			}
			s.Window = rolecall.Window{}
			edits = append(edits, rolecall.Put(s))
		case rolecall.Grant:
			for i := range 4 {
				s.Pierce, s.Replace, s.Window = i&1 != 0, i&2 != 0, rolecall.Window{}
				edits = append(edits, rolecall.Put(s))
			}
		case rolecall.Membership:
			s.Window = rolecall.Window{}
			edits = append(edits, rolecall.Put(s))
		}
		edits = append(edits, rolecall.Remove(s))
	}
	for range 20 {
		s := drawStatement(t)
		switch s.(type) {
		case rolecall.Role, rolecall.Constraint:
		default:
			edits = append(edits, rolecall.Put(s))
		}
	}
	holders := append(slices.Clone(groups), q.subject, rolecall.Everyone())
	for range 20 {
		h, at, c := pick(t, holders, "holder"), pick(t, slices.Collect(q.scope.Ancestors()), "at"), pick(t, append([]rolecall.Condition{""}, conditions...), "when")
		pattern := pick(t, append(slices.Clone(patterns), rolecall.Pattern(q.permission.String())), "pattern")
		edits = append(edits, rolecall.Put(overrideWhen(override(h, pick(t, effects, "effect"), pattern, at), c)))
	}
	return edits
}

// remedyTally counts what tests of remedies met, so that they do not pass on nothing.
type remedyTally struct{ allowed, denied, several, none int }

// mustRemedy fails unless each remedy turns the answer and needs all its edits, they are in order, and no single edit of
// those given that turns the answer gives less than the first, or takes less where nothing is to be given.
func mustRemedy(t rapid.TB, w world, s *rolecall.Snapshot, q question, singles []rolecall.Edit, tally *remedyTally) {
	r := q.request()
	could := decide(t, s, r).Allowed()
	turns := func(edits ...rolecall.Edit) *rolecall.Plan {
		plan, err := s.Plan(rolecall.Change{Edits: edits})
		if err != nil || decide(t, plan.Proposal().Next(), r).Allowed() == could {
			return nil
		}
		return plan
	}
	list, complete, err := s.Remedies(r, nil)
	if err != nil {
		t.Fatalf("Remedies(%s): %v, want no error; policy:\n%s", q, err, w)
	}
	for i, m := range list {
		plan := turns(m.Edits...)
		if plan == nil || m.Plan == nil {
			t.Fatalf("Remedies(%s) has %v with the plan %v, which does not turn the answer; policy:\n%s", q, m.Edits, m.Plan, w)
		}
		if m.Gained != plan.Gain() || m.Lost != plan.Loss() || m.Plan.String() != plan.String() {
			t.Fatalf("Remedies(%s) has %v with\n%s\nwant\n%s", q, m.Edits, m.Plan, plan)
		}
		if i > 0 && list[i-1].Gained.Compare(m.Gained) > 0 {
			t.Fatalf("Remedies(%s) has what gives %s before what gives %s", q, list[i-1].Gained, m.Gained)
		}
		for drop := range m.Edits {
			if less := slices.Delete(slices.Clone(m.Edits), drop, drop+1); len(less) > 0 && turns(less...) != nil {
				t.Fatalf("Remedies(%s) has %v, of which %v is enough; policy:\n%s", q, m.Edits, less, w)
			}
		}
		tally.several += len(m.Edits) / 2
	}
	tally.count(could, len(list))
	if !q.plain() || q.subject.IsGroup() || !slices.Contains(w.named(), q.subject) || len(list) == 0 && !complete {
		return
	}
	for _, e := range singles {
		plan := turns(e)
		if plan == nil {
			continue
		}
		if len(list) == 0 {
			t.Fatalf("Remedies(%s) = none, but %s is one; policy:\n%s", q, e, w)
		}
		first := list[0]
		if order := first.Gained.Compare(plan.Gain()); order > 0 || order == 0 && could && first.Lost.Compare(plan.Loss()) > 0 {
			t.Fatalf("Remedies(%s) begins with what gives %v and takes %v: %v; but %s gives %v and takes %v; policy:\n%s",
				q, first.Gained, first.Lost, first.Edits, e, plan.Gain(), plan.Loss(), w)
		}
	}
}

func (y *remedyTally) count(could bool, found int) {
	switch {
	case found == 0:
		y.none++
	case could:
		y.allowed++
	default:
		y.denied++
	}
}

func (y *remedyTally) check(t *testing.T) {
	if y.allowed == 0 || y.denied == 0 || y.several == 0 || y.none == 0 {
		t.Errorf("remedies of %d allowed and %d denied requests, %d of several edits, none for %d, want some of each", y.allowed, y.denied, y.several, y.none)
	}
}

func TestRemediesInRandomWorlds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		q := question{drawAsker(t), pick(t, permissions, "permission"), pick(t, scopes, "at"), drawFacts(t)}
		for _, s := range drawBlocks(t, q) {
			w = w.put(s)
		}
		if w.decide(q) == separation {
			t.Skip("the request is refused")
		}
		var singles []rolecall.Edit
		if !raceDetector { // which finds nothing more in them
			singles = drawSingles(t, w, q)
		}
		mustRemedy(t, w, w.snapshot(t).At(q.now), q, singles, new(remedyTally))
	})
}

// TestRemediesInSmallWorlds tries a sample of all small worlds, a smaller one under the race detector, with every removal and every override on the way.
func TestRemediesInSmallWorlds(t *testing.T) {
	first, every := 25, 1999
	if raceDetector {
		first, every = 8, 9973
	}
	var tally remedyTally
	for _, a := range []alphabet{allEffects(), allNearness(), allPrivacy(), allConditions(), allWindows(), allSuspension(), allAtOnePoint(), allNarrowing()} {
		n := 0
		for w := range a.worlds {
			if n++; n > first && n%every != 0 {
				continue
			}
			s := w.snapshot(t)
			for i, q := range a.questions {
				if i%5 == n%5 && w.decide(q) != separation {
					mustRemedy(t, w, s.At(q.now), q, singlesOf(w, q), &tally)
				}
			}
		}
	}
	tally.check(t)
}

// singlesOf lists every removal, and overrides for every holder at every place on the way.
func singlesOf(w world, q question) []rolecall.Edit {
	var edits []rolecall.Edit
	for _, s := range w.statements() {
		switch s.(type) {
		case rolecall.Role, rolecall.Constraint:
		default:
			edits = append(edits, rolecall.Remove(s))
		}
	}
	for at := range q.scope.Ancestors() {
		for _, h := range []rolecall.Subject{q.subject, crowds, everyone} {
			for _, p := range []rolecall.Pattern{rolecall.Pattern(q.permission.String()), "task.*"} {
				edits = append(edits, rolecall.Put(override(h, rolecall.Allow, p, at)), rolecall.Put(override(h, rolecall.Deny, p, at)))
			}
		}
	}
	return edits
}

// What stands in the way can be mended where it stands.
func TestRemedyForms(t *testing.T) {
	sees := role("sees", rule(rolecall.Allow, "", "task.view"))
	silent := role("silent", rule(rolecall.Allow, "", "shot.view"))
	closed := rolecall.Window{NotAfter: day(0)}
	expired := grant(ann, "sees", project)
	expired.Window = closed
	later := &rolecall.RemedyOptions{Until: day(3), Meta: rolecall.Meta{Reason: "to look"}}
	for _, c := range []struct {
		name  string
		world world
		o     *rolecall.RemedyOptions
		want  string // one of the remedies
	}{
		{"nothing said", world{}, nil, "override user:ann allow task.view at /project:p/shot:s"},
		{"nothing said, for a time", world{}, later, "override user:ann allow task.view at /project:p/shot:s until 2026-03-04"},
		{"nothing said, by a role", world{}, later, "grant user:ann sees at /project:p/shot:s until 2026-03-04"},
		{"nothing said, by a group", world{}.add(grant(crowds, "sees", project)), nil, "member user:ann of group:crowds"},
		{"privacy, by piercing", world{}.add(grant(ann, "sees", global), private(project)), nil, "grant user:ann sees at / pierce"},
		{"privacy, by opening", world{}.add(grant(ann, "sees", global), private(project)), nil, "remove private /project:p"},
		{"two private places", world{}.add(override(ann, rolecall.Allow, "task.view", global), private(project), private(shot)), nil, "remove private /project:p/shot:s\nremove private /project:p"},
		{"a suspended subject", world{}.add(grant(ann, "sees", project), suspend(ann)), nil, "remove suspend user:ann"},
		{"a suspended group", world{}.add(grant(crowds, "sees", project), member(ann, crowds), suspend(crowds)), nil, "remove suspend group:crowds"},
		{"a window", world{}.add(expired), later, "grant user:ann sees at /project:p until 2026-03-04"},
		{"a condition", world{}.add(grantWhen(grant(ann, "sees", project), "own")), nil, "grant user:ann sees at /project:p"},
		{"a replace", world{}.add(grant(ann, "sees", global), replacing(grant(ann, "silent", project))), nil, "grant user:ann silent at /project:p"},
		{"a replace, by removal", world{}.add(grant(ann, "sees", global), replacing(grant(ann, "silent", project))), nil, "remove grant user:ann silent at /project:p replace"},
		{"an eligible grant", world{}.add(eligible(grant(ann, "sees", project))), later, `activate user:ann sees at /project:p/shot:s until 2026-03-04 "to look"`},
		{"a deny", world{}.add(grant(ann, "sees", global), override(ann, rolecall.Deny, "*", shot)), nil, "remove override user:ann deny * at /project:p/shot:s"},
		{"a forbid of a group", world{}.add(grant(ann, "sees", global), member(ann, crowds), override(crowds, rolecall.Forbid, "*", global)), nil, "override group:crowds deny * at /"},
		{"a forbid of a group, by leaving", world{}.add(grant(ann, "sees", global), member(ann, crowds), override(crowds, rolecall.Forbid, "*", global)), nil, "remove member user:ann of group:crowds"},
		{"what an actor may do", world{}.add(role("boss", rule(rolecall.Allow, "", "task.*", "rolecall.*")), grant(ben, "boss", project)),
			&rolecall.RemedyOptions{Meta: rolecall.Meta{Actor: ben}}, "grant user:ann sees at /project:p/shot:s"},
	} {
		s := c.world.add(sees, silent).snapshot(t).At(day(1))
		list, complete, err := s.Remedies(rolecall.Request{Subject: ann, Permission: seeTask, Scope: shot}, c.o)
		if err != nil || !complete {
			t.Errorf("%s: Remedies: complete %t, %v; want all of them and no error", c.name, complete, err)
		}
		if texts := textsOf(list); !slices.Contains(texts, c.want) {
			t.Errorf("%s: Remedies = %q, want %q among them", c.name, texts, c.want)
		}
	}
}

// Options bound what is proposed.
func TestRemedyOptions(t *testing.T) {
	s := world{}.add(role("sees", rule(rolecall.Allow, "", "task.view")), eligible(grant(ann, "sees", project)), grant(crowds, "sees", project)).snapshot(t).At(day(1))
	asks := rolecall.Request{Subject: ann, Permission: seeTask, Scope: shot}
	narrowed := asks
	narrowed.Narrow = rolecall.ToPatterns("shot.view")
	for _, c := range []struct {
		name string
		r    rolecall.Request
		o    rolecall.RemedyOptions
		want []string
	}{
		{"no options", asks, rolecall.RemedyOptions{}, []string{
			"grant user:ann sees at /project:p/shot:s", "override user:ann allow task.view at /project:p/shot:s", "member user:ann of group:crowds"}},
		{"a limit", asks, rolecall.RemedyOptions{Limit: 1}, []string{"grant user:ann sees at /project:p/shot:s"}},
		{"an actor who may nothing", asks, rolecall.RemedyOptions{Meta: rolecall.Meta{Actor: ben}}, nil},
		{"outside the patterns", narrowed, rolecall.RemedyOptions{}, nil},
	} {
		list, complete, err := s.Remedies(c.r, &c.o)
		if err != nil || !complete || !slices.Equal(textsOf(list), c.want) {
			t.Errorf("%s: Remedies = %q, %t, %v, want %q", c.name, textsOf(list), complete, err, c.want)
		}
	}
	for name, o := range map[string]rolecall.RemedyOptions{
		"by an actor of an undeclared kind":   {Meta: rolecall.Meta{Actor: rolecall.NewSubject("robot", "x")}},
		"for a reason that cannot be written": {Meta: rolecall.Meta{Reason: "a\x00b"}},
		"by a session in no such role":        {Meta: rolecall.Meta{Actor: ben}, Narrow: rolecall.ToRoles("nosuch")},
	} {
		if _, _, err := s.Remedies(asks, &o); err == nil {
			t.Errorf("Remedies %s: no error, want one", name)
		}
	}
	if _, _, err := s.Remedies(asks, &rolecall.RemedyOptions{Until: day(1)}); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Remedies until now: %v, want %s", err, rolecall.ErrInvalid)
	}
	if _, _, err := s.Remedies(rolecall.Request{Subject: ann, Scope: shot}, nil); err == nil {
		t.Error("Remedies of a request without permission: no error, want one")
	}
}

// What concerns very many is offered last, and without a plan.
func TestRemediesThatConcernMany(t *testing.T) {
	statements := []rolecall.Statement{override(everyone, rolecall.Forbid, "*", global)}
	for i := range 500 {
		statements = append(statements, override(artist(i), rolecall.Allow, "task.*", project))
	}
	s := worldOf(statements).snapshot(t).At(day(1))
	list, _, err := s.Remedies(rolecall.Request{Subject: artist(7), Permission: seeTask, Scope: project}, nil)
	if err != nil || len(list) == 0 {
		t.Fatalf("Remedies = %v, %v, want some", list, err)
	}
	for _, m := range list {
		if m.Plan != nil || m.Gained != (rolecall.Breadth{}) {
			t.Errorf("Remedies has %v with the plan %v, want none", m.Edits, m.Plan)
		}
	}
	if plan, err := s.Plan(rolecall.Change{Edits: list[0].Edits}); err != nil || plan.Gain().Subjects < 500 {
		t.Errorf("Plan(%v).Gain() = %v, %v, want 500 subjects at least", list[0].Edits, plan.Gain(), err)
	}
}
