package rolecall_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"pgregory.net/rapid"
)

// traced commits each list of statements as a change of its own, and traces the whole.
func traced(t *testing.T, changes ...[]rolecall.Statement) (*rolecall.Snapshot, *rolecall.Provenance) {
	store := memstore.New()
	r := succeed(rolecall.Open(t.Context(), store, worldCatalog, nil))
	for i, list := range changes {
		var edits []rolecall.Edit
		for _, s := range list {
			edits = append(edits, rolecall.Put(s))
		}
		m := rolecall.Meta{Reason: []string{"set up", "crew", "leaves the show"}[i], Time: day(i)}
		succeed(r.Edit(t.Context(), m, edits...))
	}
	s := succeed(r.Snapshot())
	return s.At(day(5)), succeed(rolecall.Trace(t.Context(), store, s))
}

// A role that depends on a condition is told of where the condition stops it, with the rule, and with the cause where nobody
// can say; so is a role that denies since nobody can say.
func TestConditionsOfRolesAreExplained(t *testing.T) {
	allows, denies := role("r0", rule(rolecall.Allow, "own", "task.view")), role("r1", rule(rolecall.Deny, "own", "task.view"))
	heir, trimmed := rolecall.Role{Name: "r2", Inherits: []rolecall.RoleName{"r0"}}, role("r3", rule(rolecall.Allow, "", "task.*"), rule(rolecall.Except, "own", "task.view"))
	down := rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return false, errors.New("the database is down") })
	for _, c := range []struct {
		grant rolecall.Grant
		facts rolecall.Facts
		want  string
	}{
		{grant(ann, "r0", project), nil, "(condition not met)\n  not     grant user:ann r0 at /project:p (role r0: allow task.view when own): depends on a condition that does not hold"},
		{grant(ann, "r2", project), nil, "(condition not met)\n  not     grant user:ann r2 at /project:p (role r0: allow task.view when own): depends on a condition that does not hold"},
		{grant(ann, "r0", project), down, "(condition unknown)\n  not     grant user:ann r0 at /project:p (role r0: allow task.view when own): depends on a condition nobody can say (condition own: the database is down)"},
		{grant(ann, "r1", project), down, "\n  because grant user:ann r1 at /project:p (role r1: deny task.view when own): decides (condition own: the database is down)"},
		{grant(ann, "r3", project), down, "(condition unknown)\n  not     grant user:ann r3 at /project:p (role r3: except task.view when own): depends on a condition nobody can say (condition own: the database is down)"},
		{grant(ann, "r3", project), rolecall.Given{"own"}, "(nothing said)\n  nothing in the policy speaks of it"},
		{grant(ann, "r1", project), nil, "(nothing said)\n  nothing in the policy speaks of it"},
		{replacing(grant(ann, "r0", project)), down, "(condition unknown)\n  not     grant user:ann r0 at /project:p replace (role r0: allow task.view when own): depends on a condition nobody can say (condition own: the database is down)"},
		{until(grant(ann, "r0", project), 1), nil, "(expired or not yet valid)\n  not     grant user:ann r0 at /project:p until 2026-03-02 (role r0: allow task.view when own): is not valid now"},
		{until(grant(ann, "r1", project), 1), nil, "(nothing said)\n  nothing in the policy speaks of it"},
		{grantWhen(grant(ann, "r0", project), "assigned"), nil, "(condition not met)\n  not     grant user:ann r0 at /project:p when assigned (role r0: allow task.view when own): depends on a condition that does not hold"},
	} {
		s := succeed(rolecall.NewSnapshot(worldCatalog, allows, denies, heir, trimmed, c.grant)).At(day(5))
		d := decide(t, s, rolecall.Request{Subject: ann, Permission: seeTask, Scope: project, Facts: c.facts})
		if _, got, _ := strings.Cut(d.String(), "task.view at /project:p"); strings.TrimPrefix(got, " ") != c.want {
			t.Errorf("Decide with %s: got %q, want %q", c.grant, got, c.want)
		}
		if err := s.Check(ann, seeTask, project, c.facts); !errors.Is(err, d.Reason()) {
			t.Errorf("Check with %s: %v, want the reason of Decide: %v", c.grant, err, d.Reason())
		}
	}
	here := grantWhen(replacing(grant(ann, "silent", project)), "own")
	s := succeed(rolecall.NewSnapshot(worldCatalog, trimmed, role("silent"), grant(ann, "r3", rolecall.Global()), here)).At(day(5))
	d := decide(t, s, rolecall.Request{Subject: ann, Permission: rolecall.NewPermission("task.update"), Scope: project, Facts: down})
	if want := "is replaced: " + here.String() + " (condition own: the database is down)"; !strings.HasSuffix(d.String(), want) {
		t.Errorf("Decide with %s: got %s, want it to end in %q", here, d, want)
	}
}

// TestReasonsAgree: whoever is refused by a check and asks why gets the same kind of answer.
func TestReasonsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		s := w.snapshot(t)
		for _, q := range drawQuestions(t) {
			if q.request().Narrow.IsZero() && q.actor.IsZero() && q.groups == nil {
				err := s.At(q.now).Check(q.subject, q.permission, q.scope, q.facts)
				d, decideErr := s.Decide(q.request())
				if decideErr != nil || err != nil && !errors.Is(err, d.Reason()) || (err == nil) != d.Allowed() {
					t.Fatalf("Check: %v; Decide: %v, %v, want the same reason; policy:\n%s", err, d, decideErr, w)
				}
			}
		}
	})
}

func TestExplanation(t *testing.T) {
	s, p := traced(t,
		[]rolecall.Statement{role("r0", rule(rolecall.Allow, "", "task.*")), grant(studio, "r0", project), private(shot)},
		[]rolecall.Statement{member(layout, studio), grant(crowds, "r0", shot)},
		[]rolecall.Statement{override(ann, rolecall.Deny, "task.view", shot)},
	)
	d := decide(t, s, rolecall.Request{Subject: ann, Permission: seeTask, Scope: shot, Groups: []rolecall.Subject{layout, crowds}})
	for _, c := range []struct {
		name string
		from *rolecall.Provenance
		want []string
	}{
		{"traced", p, []string{
			"denied: user:ann task.view at /project:p/shot:s (overridden)",
			"  because override user:ann deny task.view at /project:p/shot:s: decides",
			"          revision 3, by the host, 2026-03-03: leaves the show",
			"  not     grant group:ann r0 at /project:p (role r0: allow task.*) through group:layout in group:ann: does not reach into the private scope /project:p/shot:s",
			"          revision 1, by the host, 2026-03-01: set up",
			"          member user:ann of group:layout: vouched for by the caller",
			"          member group:layout of group:ann: revision 2, by the host, 2026-03-02: crew",
			"          role r0: revision 1, by the host, 2026-03-01: set up",
			"          private /project:p/shot:s: revision 1, by the host, 2026-03-01: set up",
			"  not     grant group:crowds r0 at /project:p/shot:s (role r0: allow task.*) through group:crowds: is overridden by something nearer: override user:ann deny task.view at /project:p/shot:s",
			"          revision 2, by the host, 2026-03-02: crew",
			"          member user:ann of group:crowds: vouched for by the caller",
		}},
		{"with nothing known", nil, []string{
			"denied: user:ann task.view at /project:p/shot:s (overridden)",
			"  because override user:ann deny task.view at /project:p/shot:s: decides",
			"          origin not known",
		}},
	} {
		lines := strings.Split(d.Explain(c.from).String(), "\n")
		if diff := cmp.Diff(c.want, lines[:min(len(lines), len(c.want))]); diff != "" {
			t.Errorf("Explain %s: -want +got\n%s", c.name, diff)
		}
	}
	nothing := decide(t, s, rolecall.Request{Subject: ben, Permission: seeShot, Scope: sibling})
	if got := nothing.Explain(p).String(); got != nothing.String() {
		t.Errorf("Explain(%s) = %q, want the same", nothing, got)
	}
}

// What an explanation says of a statement is what the provenance says, in words and as data.
func TestExplanationOrigins(t *testing.T) {
	s, p := traced(t, []rolecall.Statement{role("r0", rule(rolecall.Allow, "", "task.*"))}, []rolecall.Statement{grant(ann, "r0", project)})
	e := decide(t, s, rolecall.Request{Subject: ann, Permission: seeTask, Scope: project}).Explain(p)
	for _, key := range e.Decision().Keys() {
		got, err := e.Origin(key)
		if want, wantErr := p.Of(key, s.Revision()); got != want || err != wantErr {
			t.Errorf("Origin(%s) = %v, %v, want %v, %v", key, got, err, want, wantErr)
		}
	}
	if _, err := e.Origin(rolecall.KeyOf(suspend(ann))); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Origin(a statement of another decision): %v, want %s", err, rolecall.ErrInvalid)
	}
	data := succeed(json.Marshal(e))
	var read struct{ Origins map[string]rolecall.Origin }
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for key, origin := range read.Origins {
		got[key] = origin.String()
	}
	want := map[string]string{
		"role r0":                         "revision 1, by the host, 2026-03-01: set up",
		"grant user:ann r0 at /project:p": "revision 2, by the host, 2026-03-02: crew",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("origins read from %s: -want +got\n%s", data, diff)
	}
}

// TestNoticeTellsNothing checks that a notice is a function of what was asked and the reason, and names nothing of the
// policy.
func TestNoticeTellsNothing(t *testing.T) {
	type asked struct {
		permission rolecall.Permission
		scope      rolecall.Scope
		reason     rolecall.Reason
	}
	said, reasons := map[asked]string{}, map[rolecall.Reason]bool{}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		s := w.snapshot(t)
		for _, q := range drawQuestions(t) {
			d, err := s.Decide(q.request())
			if err != nil {
				continue
			}
			got, key := d.Notice(worldCatalog), asked{q.permission, q.scope, d.Reason()}
			if before, known := said[key]; known && before != got {
				t.Fatalf("Notice(%s) = %q, and %q in another policy", q, got, before)
			}
			said[key], reasons[d.Reason()] = got, true
			for _, s := range subjects[:len(subjects)-1] {
				if strings.Contains(got, s.String()) {
					t.Fatalf("Notice(%s) = %q, which names %s", q, got, s)
				}
			}
			if denied, no := errors.AsType[*rolecall.DeniedError](d.Err()); no && denied.Notice(worldCatalog) != got {
				t.Fatalf("DeniedError.Notice(%s) = %q, want %q", q, denied.Notice(worldCatalog), got)
			}
		}
	})
	if len(reasons) < 8 {
		t.Errorf("notices were seen of %d reasons, want most of them", len(reasons))
	}
}

func TestNotice(t *testing.T) {
	denial := func(r rolecall.Reason) *rolecall.DeniedError {
		return &rolecall.DeniedError{Subject: userAda, Permission: TaskUpdate, Scope: projectAlpha, Reason: r}
	}
	const no = "You may not do this: Edit a task at /project:alpha. "
	for r, want := range map[rolecall.Reason]string{
		rolecall.NothingSaid:      no + "It has not been opened to you there.",
		rolecall.Forbidden:        no + "It is closed to you there.",
		rolecall.Private:          no + "It is closed to you there.",
		rolecall.Suspended:        no + "The access that it takes is suspended.",
		rolecall.OutsideWindow:    no + "The access that it takes has ended, or has not begun yet.",
		rolecall.ConditionFails:   no + "It is open to you only under a condition that is not met now.",
		rolecall.ConditionUnknown: no + "It could not be found out whether its condition is met.",
		rolecall.Narrowed:         no + "The session or key that you use does not include it.",
		rolecall.Granted:          "You may do this: Edit a task at /project:alpha.",
		rolecall.Reason(99):       no + "It is not allowed.",
	} {
		if got := denial(r).Notice(vocabulary()); got != want {
			t.Errorf("Notice of %s = %q, want %q", r, got, want)
		}
	}
	if got, want := denial(rolecall.Denied).Notice(nil), "You may not do this: task.update at /project:alpha. It is closed to you there."; got != want {
		t.Errorf("Notice without a catalog = %q, want %q", got, want)
	}
}
