package admin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

const studio = `clock 2026-03-01
permission task.view
permission task.update
permission budget.view
permission budget.update
condition assigned
kind scope project
kind scope shot
kind subject robot
role viewer
  allow task.view
role artist
  inherits viewer
  allow task.update when assigned
role accountant
  allow budget.*
role manager
  inherits viewer
  allow rolecall.grant.* rolecall.override.* rolecall.scope.*
role root
  allow * rolecall.* rolecall.escalate rolecall.constraint.update
role people
  inherits viewer
  allow rolecall.member.* rolecall.subject.* rolecall.grant.*
grant user:root root at / pierce
grant user:pia manager at /project:alpha
grant user:tess people at /
grant group:finance accountant at /
member user:fin of group:finance
grant user:max artist at /project:alpha eligible
`

var (
	root, pia, tess, max, cleo = rolecall.User("root"), rolecall.User("pia"), rolecall.User("tess"), rolecall.User("max"), rolecall.User("cleo")
	finance, night             = rolecall.Group("finance"), rolecall.Group("night")
	alpha, beta                = rolecall.In("project", "alpha"), rolecall.In("project", "beta")
	shot                       = alpha.In("shot", "010")

	taskView   = rolecall.NewPermission("task.view")
	budgetView = rolecall.NewPermission("budget.view")
)

// A bench is a policy in memory with a clock that stands still.
type bench struct {
	t     *testing.T
	r     *rolecall.Resolver
	store *memstore.Store
}

func newBench(t *testing.T, more ...string) bench {
	t.Helper()
	_, s, err := policy.Load("test", []byte(studio+strings.Join(more, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	store := memstore.With(s)
	r, err := rolecall.Open(context.Background(), store, s.Catalog(), &rolecall.Options{Clock: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return bench{t, r, store}
}

func (b bench) as(who rolecall.Subject, o *admin.Options) *admin.Editor {
	return admin.For(b.r, who, o)
}

// ok returns the revision that an edit made, and ends the test where it made none.
func (b bench) ok(r rolecall.Revision, err error) rolecall.Revision {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("got %v, want no error", err)
	}
	return r
}

func (b bench) snapshot() *rolecall.Snapshot {
	b.t.Helper()
	s, err := b.r.Snapshot()
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// lines returns the policy but roles, one statement a line.
func (b bench) lines() []string {
	var all []string
	for s := range b.snapshot().Statements() {
		if _, isRole := s.(rolecall.Role); !isRole {
			all = append(all, s.String())
		}
	}
	return all
}

func (b bench) mustHave(line string) {
	b.t.Helper()
	if all := b.lines(); !slices.Contains(all, line) {
		b.t.Errorf("the policy has no %q; it is\n%s", line, strings.Join(all, "\n"))
	}
}

func (b bench) mustNotHave(word string) {
	b.t.Helper()
	for _, line := range b.lines() {
		if strings.Contains(line, word) {
			b.t.Errorf("the policy has %q, want nothing of %q", line, word)
		}
	}
}

func (b bench) history() []rolecall.Entry {
	b.t.Helper()
	var all []rolecall.Entry
	for e, err := range b.store.Changes(context.Background(), 0) {
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func must[V any](t testing.TB) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatalf("got %v, want no error", err)
		}
		return v
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func grantOf(s rolecall.Subject, r rolecall.RoleName, at rolecall.Scope) rolecall.Grant {
	return rolecall.Grant{Subject: s, Role: r, Scope: at}
}

func date(text string) time.Time {
	t, err := rolecall.ParseTime(text)
	if err != nil {
		panic(err)
	}
	return t
}

// Each method makes its edit, as one revision, with the actor and the reason in the history.
func TestEachEdit(t *testing.T) {
	ctx := context.Background()
	rule := rolecall.Rule{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"budget.view"}}
	exception := rolecall.Override{Subject: cleo, Effect: rolecall.Deny, Pattern: "task.view", Scope: shot}
	pair := rolecall.Constraint{Name: "pair", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"artist", "accountant"}}
	for _, c := range []struct {
		name  string
		more  string // of the policy
		do    func(*admin.Editor) (rolecall.Revision, error)
		delta string
	}{
		{"CreateRole", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.CreateRole(ctx, rolecall.Role{Name: "new"}) }, "<nil> -> role new"},
		{"UpdateRole", "", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.UpdateRole(ctx, rolecall.Role{Name: "viewer", Title: "V"})
		}, "role viewer\n  allow task.view -> role viewer \"V\""},
		{"CloneRole", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.CloneRole(ctx, "accountant", "cfo", "CFO") }, "<nil> -> role cfo \"CFO\"\n  allow budget.*"},
		{"Inherit", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.Inherit(ctx, "accountant", "viewer") }, "role accountant\n  allow budget.* -> role accountant\n  inherits viewer\n  allow budget.*"},
		{"Disinherit", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.Disinherit(ctx, "artist", "viewer") }, "role artist\n  inherits viewer\n  allow task.update when assigned -> role artist\n  allow task.update when assigned"},
		{"AddRule", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.AddRule(ctx, "viewer", rule) }, "role viewer\n  allow task.view -> role viewer\n  allow budget.view task.view"},
		{"RemoveRule", "role two\n  allow budget.view task.view\n", func(e *admin.Editor) (rolecall.Revision, error) { return e.RemoveRule(ctx, "two", rule) }, "role two\n  allow budget.view task.view -> role two\n  allow task.view"},
		{"DeleteRole", "role new\n", func(e *admin.Editor) (rolecall.Revision, error) { return e.DeleteRole(ctx, "new") }, "role new -> <nil>"},
		{"Grant", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.Grant(ctx, grantOf(cleo, "viewer", alpha)) }, "<nil> -> grant user:cleo viewer at /project:alpha"},
		{"Revoke", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.Revoke(ctx, grantOf(pia, "manager", alpha)) }, "grant user:pia manager at /project:alpha -> <nil>"},
		{"Override", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.Override(ctx, exception) }, "<nil> -> override user:cleo deny task.view at /project:alpha/shot:010"},
		{"RemoveOverride", exception.String(), func(e *admin.Editor) (rolecall.Revision, error) { return e.RemoveOverride(ctx, exception) }, "override user:cleo deny task.view at /project:alpha/shot:010 -> <nil>"},
		{"AddMember", "", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.AddMember(ctx, rolecall.Membership{Member: cleo, Group: night})
		}, "<nil> -> member user:cleo of group:night"},
		{"RemoveMember", "member user:cleo of group:night", func(e *admin.Editor) (rolecall.Revision, error) { return e.RemoveMember(ctx, cleo, night) }, "member user:cleo of group:night -> <nil>"},
		{"Suspend", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.Suspend(ctx, cleo) }, "<nil> -> suspend user:cleo"},
		{"Resume", "suspend user:cleo", func(e *admin.Editor) (rolecall.Revision, error) { return e.Resume(ctx, cleo) }, "suspend user:cleo -> <nil>"},
		{"MakePrivate", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.MakePrivate(ctx, alpha) }, "<nil> -> private /project:alpha"},
		{"Open", "private /project:alpha", func(e *admin.Editor) (rolecall.Revision, error) { return e.Open(ctx, alpha) }, "private /project:alpha -> <nil>"},
		{"Constrain", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.Constrain(ctx, pair) }, "<nil> -> constraint pair static 2 of accountant artist"},
		{"RemoveConstraint", pair.String(), func(e *admin.Editor) (rolecall.Revision, error) { return e.RemoveConstraint(ctx, "pair") }, "constraint pair static 2 of accountant artist -> <nil>"},
		{"ForgetSubject", "", func(e *admin.Editor) (rolecall.Revision, error) { return e.ForgetSubject(ctx, pia) }, "grant user:pia manager at /project:alpha -> <nil>"},
		{"ForgetScope", "private /project:beta/shot:1", func(e *admin.Editor) (rolecall.Revision, error) { return e.ForgetScope(ctx, beta) }, "private /project:beta/shot:1 -> <nil>"},
		{"Do", "", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Do(ctx, rolecall.Put(rolecall.Suspension{Subject: cleo}))
		}, "<nil> -> suspend user:cleo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.more)
			revision, err := c.do(b.as(root, nil).Because("a test"))
			if err != nil || revision != 1 || b.r.Revision() != 1 {
				t.Fatalf("got revision %d, %v, and the resolver is at %d; want 1 and no error", revision, err, b.r.Revision())
			}
			e := b.history()[0]
			if e.Actor != root || e.Reason != "a test" || len(e.Deltas) != 1 {
				t.Fatalf("got the entry %+v, want one delta by root because of a test", e)
			}
			if got := fmt.Sprint(e.Deltas[0].Before, " -> ", e.Deltas[0].After); got != c.delta {
				t.Errorf("got the delta\n%s\nwant\n%s", got, c.delta)
			}
			if _, err := c.do(b.as(cleo, nil)); !errors.Is(err, rolecall.ErrNotPermitted) {
				t.Errorf("by somebody who may not: got %v, want not-permitted", err)
			}
		})
	}
}

func TestRolesByName(t *testing.T) {
	ctx, b := context.Background(), newBench(t)
	e := b.as(root, nil)
	for what, call := range map[string]struct {
		err  func() (rolecall.Revision, error)
		want error
	}{
		"CreateRole of a name that is taken": {func() (rolecall.Revision, error) { return e.CreateRole(ctx, rolecall.Role{Name: "viewer"}) }, rolecall.ErrInvalid},
		"CloneRole to a name that is taken":  {func() (rolecall.Revision, error) { return e.CloneRole(ctx, "viewer", "artist", "") }, rolecall.ErrInvalid},
		"CloneRole of no role":               {func() (rolecall.Revision, error) { return e.CloneRole(ctx, "ghost", "new", "") }, rolecall.ErrUnknown},
		"UpdateRole of no role":              {func() (rolecall.Revision, error) { return e.UpdateRole(ctx, rolecall.Role{Name: "ghost"}) }, rolecall.ErrUnknown},
		"DeleteRole of no role":              {func() (rolecall.Revision, error) { return e.DeleteRole(ctx, "ghost") }, rolecall.ErrUnknown},
		"an edit by nobody": {func() (rolecall.Revision, error) {
			return b.as(rolecall.Subject{}, nil).Grant(ctx, grantOf(cleo, "viewer", alpha))
		}, rolecall.ErrInvalid},
	} {
		_, err := call.err()
		wantErr(t, what, err, call.want)
	}
	if b.r.Revision() != 0 {
		t.Errorf("refused edits made revision %d, want 0", b.r.Revision())
	}
}

// A refusal lists what is missing, gathered place by place, and who could make the change.
func TestEscalationTellsWhatAndWho(t *testing.T) {
	b := newBench(t)
	_, err := b.as(pia, nil).Grant(context.Background(), grantOf(cleo, "accountant", alpha))
	var refusal *admin.Refusal
	if !errors.As(err, &refusal) || !errors.Is(err, rolecall.ErrEscalation) {
		t.Fatalf("Grant(accountant at alpha) by pia: got %v, want a *Refusal for escalation", err)
	}
	const want = `user:pia would give what they may not do: budget.update, budget.view and what is declared later at /project:alpha (escalation)
this could be done by user:root`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(refusal.Lacks) != 1 || refusal.Lacks[0].Scope != alpha || !refusal.Lacks[0].Later || len(refusal.Lacks[0].Permissions) != 2 {
		t.Errorf("got the lacks %v, want the two budget permissions at alpha", refusal.Lacks)
	}
	if !slices.Equal(refusal.Able, []rolecall.Subject{root}) {
		t.Errorf("got %v able, want root: fin may do it but not give it", refusal.Able)
	}
	if rolecall.ProblemsOf(err)[0].Missing == nil {
		t.Errorf("ProblemsOf(%v) has no Missing, want what the core said", err)
	}
}

// Whoever is not permitted gets the same refusal whatever stands, from every call that looks at the policy.
func TestNotPermittedLearnsNothing(t *testing.T) {
	ctx := context.Background()
	bare := newBench(t)
	full := newBench(t, `role secret
role heir
  inherits secret
grant user:cleo root at /project:beta
grant user:cleo secret at /
member user:cleo of group:night
member user:cleo of group:finance
grant robot:r2 viewer at /project:beta
constraint pair static 2 of secret artist
`)
	stranger := rolecall.User("stranger")
	for name, call := range map[string]func(*admin.Editor) (rolecall.Revision, error){
		"CreateRole": func(e *admin.Editor) (rolecall.Revision, error) {
			return e.CreateRole(ctx, rolecall.Role{Name: "secret"})
		},
		"UpdateRole": func(e *admin.Editor) (rolecall.Revision, error) {
			return e.UpdateRole(ctx, rolecall.Role{Name: "secret"})
		},
		"CloneRole":         func(e *admin.Editor) (rolecall.Revision, error) { return e.CloneRole(ctx, "secret", "heir", "") },
		"AddRule":           func(e *admin.Editor) (rolecall.Revision, error) { return e.AddRule(ctx, "secret", rolecall.Rule{}) },
		"DeleteRole":        func(e *admin.Editor) (rolecall.Revision, error) { return e.DeleteRole(ctx, "secret") },
		"DeleteRoleAndUses": func(e *admin.Editor) (rolecall.Revision, error) { return e.DeleteRoleAndUses(ctx, "secret") },
		"DeleteGroup":       func(e *admin.Editor) (rolecall.Revision, error) { return e.DeleteGroup(ctx, night) },
		"DropScopeKind":     func(e *admin.Editor) (rolecall.Revision, error) { return e.DropScopeKind(ctx, "shot") },
		"DropSubjectKind":   func(e *admin.Editor) (rolecall.Revision, error) { return e.DropSubjectKind(ctx, "robot") },
		"Onboard": func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Onboard(ctx, admin.Arrival{Subject: cleo, Groups: []rolecall.Subject{night}})
		},
		"Offboard": func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Offboard(ctx, admin.Departure{Subject: cleo, Heir: pia})
		},
		"HandOver": func(e *admin.Editor) (rolecall.Revision, error) { return e.HandOver(ctx, cleo, pia) },
		"SyncGroups": func(e *admin.Editor) (rolecall.Revision, error) {
			return e.SyncGroups(ctx, cleo, admin.GroupMap{"n": night}, []string{"n"})
		},
		"Revoke": func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Revoke(ctx, grantOf(cleo, "secret", rolecall.Global()))
		},
		"Constrain":   func(e *admin.Editor) (rolecall.Revision, error) { return e.RemoveConstraint(ctx, "pair") },
		"ForgetScope": func(e *admin.Editor) (rolecall.Revision, error) { return e.ForgetScope(ctx, beta) },
	} {
		_, without := call(bare.as(stranger, nil))
		_, with := call(full.as(stranger, nil))
		if !errors.Is(without, rolecall.ErrNotPermitted) || with == nil || with.Error() != without.Error() {
			t.Errorf("%s by a stranger: got\n%v\nwhere nothing stands and\n%v\nwhere something does, want the same refusal", name, without, with)
		}
	}
}

// Hooks see what is judged; one that objects stops it, and those after it only hear of what was committed.
func TestHooks(t *testing.T) {
	ctx, b := context.Background(), newBench(t)
	var log []string
	objection := errors.New("not on a Sunday")
	e := b.as(root, &admin.Options{
		Before: []func(context.Context, admin.Event) error{func(_ context.Context, event admin.Event) error {
			log = append(log, fmt.Sprintf("before %d: %v", event.Entry.Revision, event.Entry.Deltas[0].Key()))
			if event.Next.Check(cleo, budgetView, beta) == nil && event.Base.Check(cleo, budgetView, beta) != nil {
				return objection
			}
			return nil
		}},
		After: []func(context.Context, admin.Event){func(_ context.Context, event admin.Event) {
			log = append(log, fmt.Sprintf("after %d", event.Entry.Revision))
		}},
	})
	b.ok(e.Grant(ctx, grantOf(cleo, "viewer", beta)))
	_, err := e.Grant(ctx, grantOf(cleo, "accountant", beta))
	var veto *admin.VetoError
	if !errors.As(err, &veto) || !errors.Is(err, objection) {
		t.Errorf("Grant(accountant): got %v, want a *VetoError of the hook's objection", err)
	}
	if revision := b.ok(e.Grant(ctx, grantOf(cleo, "viewer", beta))); revision != 1 {
		t.Errorf("Grant of what stands: got revision %d, want 1", revision)
	}
	_, err = b.as(pia, &admin.Options{After: []func(context.Context, admin.Event){func(context.Context, admin.Event) { log = append(log, "wrong") }}}).Suspend(ctx, cleo)
	wantErr(t, "Suspend by pia", err, rolecall.ErrNotPermitted)
	want := []string{
		"before 1: grant user:cleo viewer at /project:beta", "after 1",
		"before 2: grant user:cleo accountant at /project:beta",
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("hooks were told: -want +got\n%s", diff)
	}
}

func TestOnBehalf(t *testing.T) {
	ctx, b := context.Background(), newBench(t)
	_, err := b.as(root, &admin.Options{OnBehalf: pia}).Grant(ctx, grantOf(cleo, "accountant", alpha))
	wantErr(t, "Grant by root for pia", err, rolecall.ErrEscalation)
	b.ok(b.as(root, &admin.Options{OnBehalf: pia}).Grant(ctx, grantOf(cleo, "viewer", alpha)))
	if e := b.history()[0]; e.Actor != root || e.OnBehalf != pia {
		t.Errorf("got the entry %+v, want root on behalf of pia", e)
	}
}

func TestRoleInUse(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, "role heir\n  inherits accountant\nconstraint pair static 2 of accountant artist\nconstraint more static 2 of accountant artist viewer\ngrant user:eli accountant at /project:beta eligible\n")
	_, err := b.as(root, nil).DeleteRole(ctx, "accountant")
	var refusal *admin.Refusal
	if !errors.As(err, &refusal) || !errors.Is(err, rolecall.ErrInUse) {
		t.Fatalf("DeleteRole(accountant): got %v, want a *Refusal for in-use", err)
	}
	var uses []string
	for _, use := range refusal.Uses {
		uses = append(uses, rolecall.KeyOf(use).String())
	}
	slices.Sort(uses)
	want := []string{"constraint more", "constraint pair", "grant group:finance accountant at /", "grant user:eli accountant at /project:beta eligible", "role heir"}
	if diff := cmp.Diff(want, uses); diff != "" {
		t.Errorf("uses: -want +got\n%s", diff)
	}
	revision := b.ok(b.as(root, nil).DeleteRoleAndUses(ctx, "accountant"))
	if _, found := b.snapshot().Role("accountant"); found || revision != 1 {
		t.Errorf("DeleteRoleAndUses: the role is there: %v, revision %d; want it gone in revision 1", found, revision)
	}
	if heir, _ := b.snapshot().Role("heir"); heir.Inherits != nil {
		t.Errorf("role heir inherits %v, want nothing", heir.Inherits)
	}
	b.mustHave("constraint more static 2 of artist viewer")
	b.mustNotHave("constraint pair")
	b.mustNotHave("accountant")
}

func TestGroupInUse(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, "member group:night of group:finance\n")
	_, err := b.as(root, nil).DeleteGroup(ctx, finance)
	wantErr(t, "DeleteGroup(finance)", err, rolecall.ErrInUse)
	var refusal *admin.Refusal
	if !errors.As(err, &refusal) || len(refusal.Uses) != 3 {
		t.Errorf("DeleteGroup(finance): got %v, want its grant and its two members", err)
	}
	b.ok(b.as(root, nil).DeleteGroup(ctx, night))
	b.mustNotHave("group:night")
	_, err = b.as(root, nil).DeleteGroup(ctx, cleo)
	wantErr(t, "DeleteGroup(user:cleo)", err, rolecall.ErrInvalid)
	b.ok(b.as(root, nil).ForgetSubject(ctx, finance))
	b.mustNotHave("finance")
}

// A kind goes with everything that names it; then a catalog without it fits.
func TestDropKinds(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, `role drone holders robot,user scopes shot,project
grant robot:r2 drone at /project:alpha/shot:010
override user:cleo deny task.view at /project:alpha/shot:010
private /project:alpha/shot:020
role lone scopes shot
role bot holders robot
`)
	e := b.as(root, nil)
	_, err := e.DropScopeKind(ctx, "shot")
	wantErr(t, "DropScopeKind with a role that is limited to it", err, rolecall.ErrInUse)
	_, err = e.DropSubjectKind(ctx, "robot")
	wantErr(t, "DropSubjectKind with a role that is limited to it", err, rolecall.ErrInUse)
	b.ok(e.DeleteRole(ctx, "lone"))
	b.ok(e.DeleteRole(ctx, "bot"))
	if got := len(admin.UsesOfScopeKind(b.snapshot(), "shot")); got != 4 {
		t.Errorf("UsesOfScopeKind(shot): got %d, want 4", got)
	}
	b.ok(e.DropSubjectKind(ctx, "robot"))
	b.ok(e.DropScopeKind(ctx, "shot"))
	if rest := append(admin.UsesOfScopeKind(b.snapshot(), "shot"), admin.UsesOfSubjectKind(b.snapshot(), "robot")...); rest != nil {
		t.Errorf("after dropping both kinds: got %v in use, want nothing", rest)
	}
	d := b.snapshot().Catalog().Declarations()
	d.ScopeKinds, d.SubjectKinds = d.ScopeKinds[:1], nil
	d.ScopeKinds[0] = rolecall.ScopeKindDecl{Kind: "project"}
	smaller, err := rolecall.NewCatalog(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rolecall.NewSnapshot(smaller, slices.Collect(b.snapshot().Statements())...); err != nil {
		t.Errorf("the policy with a catalog without the kinds: %v, want no error", err)
	}
}

func TestUsesOfNames(t *testing.T) {
	s := newBench(t, "override user:cleo deny budget.view at /\ngrant user:cleo viewer at / when assigned\n").snapshot()
	if got := admin.UsesOfPermission(s, budgetView); len(got) != 1 {
		t.Errorf("UsesOfPermission(budget.view): got %v, want the override", got)
	}
	if got := admin.UsesOfCondition(s, "assigned"); len(got) != 2 {
		t.Errorf("UsesOfCondition(assigned): got %v, want a role and a grant", got)
	}
}

func activate(who rolecall.Subject, at rolecall.Scope) rolecall.Activation {
	return rolecall.Activation{Subject: who, Role: "artist", Scope: at, Until: date("2026-03-02")}
}

// Where a second person is needed there is no way around: not by a bare edit, not by the holder, not by two who are one.
func TestApproval(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, "role opener\n  allow rolecall.grant.activate\ngrant user:olga opener at /\ngrant user:max opener at /\nsuspend user:sid\ngrant user:sid artist at /project:alpha eligible\nmember user:olga of group:night\ngrant group:night artist at /project:alpha eligible\n")
	o := &admin.Options{NeedsApproval: func(_ *rolecall.Snapshot, a rolecall.Activation) bool { return a.Role == "artist" }}
	olga := rolecall.User("olga")
	a := activate(max, shot)
	a.Reason = "covering"

	_, err := b.as(max, o).Activate(ctx, a)
	wantErr(t, "Activate by the holder", err, admin.ErrNeedsApproval)
	_, err = b.as(olga, o).Activate(ctx, a)
	wantErr(t, "Activate by who may approve", err, admin.ErrNeedsApproval)
	_, err = b.as(max, o).Do(ctx, rolecall.Activate(a))
	wantErr(t, "Do(activate) by the holder", err, admin.ErrNeedsApproval)
	_, err = b.as(cleo, o).Activate(ctx, a)
	wantErr(t, "Activate by a stranger", err, rolecall.ErrNotPermitted)
	_, err = b.as(cleo, o).Ask(activate(max, shot))
	wantErr(t, "Ask for another", err, rolecall.ErrInvalid)
	_, err = b.as(max, o).Because("x").Ask(activate(max, beta))
	wantErr(t, "Ask for what one is not eligible for", err, rolecall.ErrNotEligible)

	request := must[admin.ActivationRequest](t)(b.as(max, o).Ask(a))
	if b.r.Revision() != 0 {
		t.Fatalf("asking made revision %d, want 0", b.r.Revision())
	}
	_, err = b.as(max, o).Approve(ctx, request)
	wantErr(t, "Approve by the holder, who may activate there", err, admin.ErrNeedsApproval)
	_, err = b.as(olga, &admin.Options{OnBehalf: max}).Approve(ctx, request)
	wantErr(t, "Approve for the holder", err, admin.ErrNeedsApproval)
	_, err = b.as(olga, &admin.Options{OnBehalf: root}).Approve(ctx, request)
	wantErr(t, "Approve for somebody else", err, rolecall.ErrInvalid)
	_, err = b.as(cleo, o).Approve(ctx, request)
	wantErr(t, "Approve by who may not", err, rolecall.ErrNotPermitted)
	forged := request
	forged.Activation.Subject = cleo
	_, err = b.as(olga, o).Approve(ctx, forged)
	wantErr(t, "Approve of a forged request", err, rolecall.ErrNotEligible)
	suspended := request
	suspended.Activation.Subject = rolecall.User("sid")
	_, err = b.as(olga, o).Approve(ctx, suspended)
	wantErr(t, "Approve for a holder who is suspended", err, rolecall.ErrNotPermitted)
	for _, all := range []rolecall.Subject{night, rolecall.Everyone()} {
		for _, who := range []rolecall.Subject{olga, root} {
			request := admin.ActivationRequest{Activation: withReason(activate(all, alpha))}
			_, err = b.as(who, o).Approve(ctx, request)
			wantErr(t, fmt.Sprintf("Approve for %s by %s", all, who), err, admin.ErrNeedsApproval)
		}
	}

	b.ok(b.as(olga, o).Approve(ctx, request))
	b.mustHave("grant user:max artist at /project:alpha/shot:010 until 2026-03-02")
	if e := b.history()[0]; e.Actor != olga || e.OnBehalf != max || e.Reason != "covering" {
		t.Errorf("got the entry %+v, want olga on behalf of max", e)
	}
}

func TestBreakGlass(t *testing.T) {
	ctx, b := context.Background(), newBench(t)
	var alarms, told int
	o := &admin.Options{
		NeedsApproval: func(*rolecall.Snapshot, rolecall.Activation) bool { return true },
		BreakGlass:    []func(context.Context, admin.Event){func(context.Context, admin.Event) { alarms++ }},
		After:         []func(context.Context, admin.Event){func(context.Context, admin.Event) { told++ }},
	}
	_, err := b.as(max, o).BreakGlass(ctx, activate(max, shot))
	wantErr(t, "BreakGlass without a reason", err, rolecall.ErrInvalid)
	_, err = b.as(cleo, o).Because("fire").BreakGlass(ctx, activate(max, shot))
	wantErr(t, "BreakGlass by a stranger", err, rolecall.ErrNotPermitted)
	b.ok(b.as(max, o).Because("the render farm is on fire").BreakGlass(ctx, activate(max, shot)))
	if e := b.history()[0]; !admin.IsBreakGlass(e) || e.Actor != max || !strings.HasSuffix(e.Reason, "the render farm is on fire") {
		t.Errorf("got the entry %+v, want break-glass by max", e)
	}
	b.ok(b.as(root, o).Because("break-glass: break-glass: not really").Suspend(ctx, cleo))
	if e := b.history()[1]; admin.IsBreakGlass(e) {
		t.Errorf("got %+v as break-glass, want only what is", e)
	}
	if alarms != 1 || told != 2 {
		t.Errorf("got %d alarms and %d other calls, want 1 and 2", alarms, told)
	}
}

func TestOnboarding(t *testing.T) {
	ctx, b := context.Background(), newBench(t)
	e := b.as(tess, nil)
	viewer := []rolecall.Grant{{Role: "viewer", Scope: rolecall.Global()}}
	b.ok(e.Onboard(ctx, admin.Arrival{Subject: cleo, Roles: viewer, Groups: []rolecall.Subject{night}}))
	b.mustHave("grant user:cleo viewer at /")
	b.mustHave("member user:cleo of group:night")
	_, err := e.Onboard(ctx, admin.Arrival{Subject: cleo, Roles: viewer})
	wantErr(t, "Onboard again", err, rolecall.ErrInvalid)
	guest := rolecall.Guest("gil")
	_, err = e.Onboard(ctx, admin.Arrival{Subject: guest, Roles: viewer})
	wantErr(t, "Onboard of a guest without an end", err, rolecall.ErrInvalid)
	b.ok(e.Onboard(ctx, admin.Arrival{Subject: guest, Roles: viewer, Groups: []rolecall.Subject{night}, Window: rolecall.Window{NotAfter: date("2026-04-01")}}))
	b.mustHave("grant guest:gil viewer at / until 2026-04-01")
	b.mustHave("member guest:gil of group:night until 2026-04-01")
	gus, later := rolecall.Guest("gus"), rolecall.Window{NotBefore: date("2026-03-05")}
	for what, a := range map[string]admin.Arrival{
		"whose role has a beginning only": {Roles: []rolecall.Grant{{Role: "viewer", Scope: alpha, Window: later}}, Window: rolecall.Window{NotAfter: date("2026-04-01")}},
		"with a window without an end":    {Roles: viewer, Window: later},
		"in a group without an end":       {Groups: []rolecall.Subject{night}},
	} {
		a.Subject = gus
		_, err = e.Onboard(ctx, a)
		wantErr(t, "Onboard of a guest "+what, err, rolecall.ErrInvalid)
	}
	bounded := rolecall.Window{NotBefore: date("2026-03-05"), NotAfter: date("2026-03-09")}
	b.ok(e.Onboard(ctx, admin.Arrival{Subject: gus, Roles: []rolecall.Grant{{Role: "viewer", Scope: alpha, Window: bounded}}}))
	b.mustHave("grant guest:gus viewer at /project:alpha from 2026-03-05 until 2026-03-09")
	_, err = e.Onboard(ctx, admin.Arrival{Subject: rolecall.User("new"), Groups: []rolecall.Subject{finance}})
	wantErr(t, "Onboard into finance by who is not", err, rolecall.ErrEscalation)
}

func TestOffboarding(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, `grant group:managers manager at /project:beta
member user:pia of group:managers
member user:pia of group:night
grant user:pia viewer at /project:beta
grant user:cleo manager at /project:alpha until 2026-04-01
override user:pia allow rolecall.scope.private at /project:gamma
`)
	b.ok(b.as(root, nil).Offboard(ctx, admin.Departure{Subject: pia, Heir: cleo}))
	b.mustHave("suspend user:pia")
	b.mustHave("grant user:cleo manager at /project:alpha")
	b.mustHave("member user:cleo of group:managers")
	b.mustHave("override user:cleo allow rolecall.scope.private at /project:gamma")
	b.mustNotHave("user:cleo of group:night")
	b.mustNotHave("user:cleo viewer")
	if b.r.Revision() != 1 {
		t.Errorf("Offboard made revision %d, want one change", b.r.Revision())
	}
	b.ok(b.as(root, nil).Offboard(ctx, admin.Departure{Subject: pia, Forget: true}))
	b.mustNotHave("user:pia")
	b.ok(b.as(root, nil).Offboard(ctx, admin.Departure{Subject: rolecall.User("by-token"), Heir: cleo}))
	b.mustHave("suspend user:by-token")
	_, err := b.as(tess, nil).HandOver(ctx, root, cleo)
	wantErr(t, "HandOver of root by tess", err, rolecall.ErrEscalation)
	b.ok(b.as(root, nil).ForgetSubject(ctx, tess))
	_, err = b.as(root, nil).Offboard(ctx, admin.Departure{Subject: root})
	wantErr(t, "Offboard of the last administrator", err, rolecall.ErrLastAdmin)
	b.ok(b.as(root, nil).Offboard(ctx, admin.Departure{Subject: root, Heir: cleo, Forget: true}))
	b.mustHave("grant user:cleo root at / pierce")
	b.mustNotHave("user:root")
}

// What is handed over is found by looking at each group once, however many groups lead to it. Twice the groups take about
// twice the work; four times it were, if each looked at what it has in common with the others.
func TestHandingOverManyGroups(t *testing.T) {
	work := func(n int) float64 {
		var more strings.Builder
		for i := range n {
			fmt.Fprintf(&more, "member user:eve of group:g%d\nmember group:g%d of group:hub\n", i, i)
		}
		e := newBench(t, more.String()).as(root, nil)
		return testing.AllocsPerRun(1, func() {
			if _, err := e.HandOver(context.Background(), rolecall.User("eve"), cleo); err != nil {
				t.Errorf("HandOver of who is in %d groups: %v, want no error", n, err)
			}
		})
	}
	if once, twice := work(100), work(200); twice > 3*once {
		t.Errorf("HandOver of who is in 100 groups allocates %v times, in 200 %v times; want about twice as often", once, twice)
	}
}

// One hands over one's own by what each statement takes where it stands; what is somebody else's takes a permission on the
// instance, so that nobody learns from it who manages what.
func TestHandingOverOnesOwn(t *testing.T) {
	ctx := context.Background()
	for _, tc := range []struct {
		name     string
		more     string
		as, from rolecall.Subject
		only     []rolecall.Pattern // of a session, nil for none
		want     error
	}{
		{"one's own", "", pia, pia, nil, nil},
		{"in a session that may grant", "", pia, pia, []rolecall.Pattern{"rolecall.grant.*", "rolecall.override.*", "rolecall.scope.*", "task.view"}, nil},
		{"in a session that may not", "", pia, pia, []rolecall.Pattern{"task.view"}, rolecall.ErrNotPermitted},
		{"in a session that leaves less than is given", "", pia, pia, []rolecall.Pattern{"rolecall.grant.*"}, rolecall.ErrEscalation},
		{"somebody else's in the same place", "grant user:eve manager at /project:alpha\n", pia, rolecall.User("eve"), nil, rolecall.ErrNotPermitted},
		{"a group that manages, too", "grant group:night manager at /project:beta\nmember user:pia of group:night\n", pia, pia, nil, rolecall.ErrNotPermitted},
		{"nothing", "", max, max, nil, nil},
		{"of whom nothing is said", "", rolecall.User("stranger"), rolecall.User("stranger"), nil, rolecall.ErrUnknown},
	} {
		b := newBench(t, tc.more)
		e := b.as(tc.as, nil)
		if tc.only != nil {
			e = admin.ForSession(b.r, admin.Session{Subject: tc.as, Only: tc.only}, nil)
		}
		_, err := e.HandOver(ctx, tc.from, cleo)
		wantErr(t, "HandOver "+tc.name, err, tc.want)
		if tc.want != nil || tc.from != pia {
			b.mustNotHave("user:cleo")
			continue
		}
		b.mustHave("grant user:cleo manager at /project:alpha")
	}
}

func TestSyncGroups(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, "member user:cleo of group:a\nmember user:cleo of group:b until 2026-04-01\nmember user:cleo of group:own\n")
	m := admin.GroupMap{"idp-a": rolecall.Group("a"), "idp-b": rolecall.Group("b"), "idp-c": rolecall.Group("c"), "also-c": rolecall.Group("c"), "money": finance}
	e := b.as(tess, nil)
	b.ok(e.SyncGroups(ctx, cleo, m, []string{"idp-b", "idp-c", "also-c", "unheard-of"}))
	b.mustNotHave("cleo of group:a")
	b.mustHave("member user:cleo of group:b until 2026-04-01")
	b.mustHave("member user:cleo of group:c")
	b.mustHave("member user:cleo of group:own")
	if revision := b.ok(e.SyncGroups(ctx, cleo, m, []string{"idp-b", "idp-c"})); revision != 1 {
		t.Errorf("SyncGroups again: got revision %d, want 1", revision)
	}
	_, err := e.SyncGroups(ctx, cleo, m, []string{"money"})
	wantErr(t, "SyncGroups into finance by who is not", err, rolecall.ErrEscalation)
	if got := m.Vouched([]string{"also-c", "idp-c", "idp-a", "unheard-of"}); !slices.Equal(got, []rolecall.Subject{rolecall.Group("a"), rolecall.Group("c")}) {
		t.Errorf("Vouched: got %v, want groups a and c once", got)
	}
}

// What is to be taken away and is not there was misspelt, or is gone already: that is told. What is done over and over, by
// jobs that know what is to be and not what is, finds nothing to do.
func TestWhatIsNotThere(t *testing.T) {
	ctx, nobody := context.Background(), rolecall.Subject{}
	typo, empty, unheard := rolecall.User("piaa"), rolecall.Group("nigth"), rolecall.NewSubject("robbot", "r2")
	allow := func(patterns ...rolecall.Pattern) rolecall.Rule {
		return rolecall.Rule{Effect: rolecall.Allow, Patterns: patterns}
	}
	for _, c := range []struct {
		what string
		do   func(*admin.Editor) (rolecall.Revision, error)
		want error
	}{
		{"RemoveRule of a rule that is there otherwise", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.RemoveRule(ctx, "accountant", allow("budget.view"))
		}, rolecall.ErrUnknown},
		{"RemoveRule of which one pattern is there", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.RemoveRule(ctx, "viewer", allow("task.view", "task.update"))
		}, rolecall.ErrUnknown},
		{"RemoveRule without its condition", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.RemoveRule(ctx, "artist", allow("task.update"))
		}, rolecall.ErrUnknown},
		{"RemoveRule without a pattern", func(e *admin.Editor) (rolecall.Revision, error) { return e.RemoveRule(ctx, "viewer", allow()) }, rolecall.ErrInvalid},
		{"RemoveRule of no role", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.RemoveRule(ctx, "ghost", allow("task.view"))
		}, rolecall.ErrUnknown},
		{"Disinherit what is not inherited", func(e *admin.Editor) (rolecall.Revision, error) { return e.Disinherit(ctx, "artist", "accountant") }, rolecall.ErrUnknown},
		{"Disinherit no role", func(e *admin.Editor) (rolecall.Revision, error) { return e.Disinherit(ctx, "artist", "ghost") }, rolecall.ErrUnknown},
		{"DeleteGroup", func(e *admin.Editor) (rolecall.Revision, error) { return e.DeleteGroup(ctx, empty) }, rolecall.ErrUnknown},
		{"DropScopeKind", func(e *admin.Editor) (rolecall.Revision, error) { return e.DropScopeKind(ctx, "projct") }, rolecall.ErrUnknown},
		{"DropScopeKind of the instance", func(e *admin.Editor) (rolecall.Revision, error) { return e.DropScopeKind(ctx, rolecall.GlobalKind) }, rolecall.ErrUnknown},
		{"DropSubjectKind", func(e *admin.Editor) (rolecall.Revision, error) { return e.DropSubjectKind(ctx, "robbot") }, rolecall.ErrUnknown},
		{"Offboard and forget", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Offboard(ctx, admin.Departure{Subject: typo, Forget: true})
		}, rolecall.ErrUnknown},
		{"Offboard nobody", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Offboard(ctx, admin.Departure{Forget: true})
		}, rolecall.ErrInvalid},
		{"Offboard with its own heir", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Offboard(ctx, admin.Departure{Subject: max, Heir: max})
		}, rolecall.ErrInvalid},
		{"Offboard with an heir of no kind", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.Offboard(ctx, admin.Departure{Subject: max, Heir: unheard})
		}, rolecall.ErrUnknown},
		{"HandOver of somebody unheard of", func(e *admin.Editor) (rolecall.Revision, error) { return e.HandOver(ctx, typo, cleo) }, rolecall.ErrUnknown},
		{"HandOver of nobody", func(e *admin.Editor) (rolecall.Revision, error) { return e.HandOver(ctx, nobody, cleo) }, rolecall.ErrInvalid},
		{"HandOver to nobody", func(e *admin.Editor) (rolecall.Revision, error) { return e.HandOver(ctx, pia, nobody) }, rolecall.ErrInvalid},
		{"HandOver to itself", func(e *admin.Editor) (rolecall.Revision, error) { return e.HandOver(ctx, pia, pia) }, rolecall.ErrInvalid},
		{"HandOver of little to a kind of nobody", func(e *admin.Editor) (rolecall.Revision, error) { return e.HandOver(ctx, max, unheard) }, rolecall.ErrUnknown},
		{"SyncGroups of nobody", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.SyncGroups(ctx, nobody, admin.GroupMap{"n": night}, nil)
		}, rolecall.ErrInvalid},
		{"Onboard of nobody", func(e *admin.Editor) (rolecall.Revision, error) { return e.Onboard(ctx, admin.Arrival{}) }, rolecall.ErrInvalid},

		{"ForgetSubject", func(e *admin.Editor) (rolecall.Revision, error) { return e.ForgetSubject(ctx, typo) }, nil},
		{"ForgetScope", func(e *admin.Editor) (rolecall.Revision, error) { return e.ForgetScope(ctx, beta) }, nil},
		{"DropScopeKind that nothing names", func(e *admin.Editor) (rolecall.Revision, error) { return e.DropScopeKind(ctx, "shot") }, nil},
		{"DropSubjectKind that nobody is of", func(e *admin.Editor) (rolecall.Revision, error) { return e.DropSubjectKind(ctx, rolecall.KindGuest) }, nil},
		{"HandOver of who manages nothing", func(e *admin.Editor) (rolecall.Revision, error) { return e.HandOver(ctx, max, cleo) }, nil},
		{"SyncGroups of somebody unheard of", func(e *admin.Editor) (rolecall.Revision, error) {
			return e.SyncGroups(ctx, cleo, admin.GroupMap{"n": night}, nil)
		}, nil},
		{"Inherit what is inherited", func(e *admin.Editor) (rolecall.Revision, error) { return e.Inherit(ctx, "artist", "viewer") }, nil},
		{"AddRule that is there", func(e *admin.Editor) (rolecall.Revision, error) { return e.AddRule(ctx, "viewer", allow("task.view")) }, nil},
	} {
		b := newBench(t)
		revision, err := c.do(b.as(root, nil))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
		if revision != 0 || b.r.Revision() != 0 {
			t.Errorf("%s: got revision %d, and the resolver is at %d; want nothing changed", c.what, revision, b.r.Revision())
		}
		if _, byStranger := c.do(b.as(cleo, nil)); c.want == rolecall.ErrUnknown && !errors.Is(byStranger, rolecall.ErrNotPermitted) {
			t.Errorf("%s by somebody who may not: got %v, want not-permitted", c.what, byStranger)
		}
	}
}

// Somebody of whom one may not say anything is not asked after by an arrival that gives nothing.
func TestAnEmptyArrivalTellsNothing(t *testing.T) {
	b := newBench(t)
	_, known := b.as(cleo, nil).Onboard(context.Background(), admin.Arrival{Subject: pia})
	_, unknown := b.as(cleo, nil).Onboard(context.Background(), admin.Arrival{Subject: rolecall.User("new")})
	if !errors.Is(known, rolecall.ErrNotPermitted) || fmt.Sprint(known) != fmt.Sprint(unknown) {
		t.Errorf("Onboard with nothing by a stranger: got %v for somebody who is there and %v for somebody who is not, want not-permitted for both", known, unknown)
	}
}
