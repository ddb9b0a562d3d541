package rolecall_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// The vocabulary of the examples, as a host declares it.
var (
	TaskView   = rolecall.NewPermission("task.view")
	TaskDelete = rolecall.NewPermission("task.delete")

	ViewerRole = rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{
		{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*.view"}},
	}}
	ArtistRole = rolecall.Role{Name: "artist", Inherits: []rolecall.RoleName{"viewer"}, Rules: []rolecall.Rule{
		{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.update"}},
	}}
)

func vocabulary() *rolecall.Catalog {
	return succeed(rolecall.NewCatalog(rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{
			{Permission: TaskView, Title: "See a task"},
			{Permission: TaskUpdate, Title: "Edit a task"},
			{Permission: TaskDelete, Title: "Delete a task"},
		},
		Conditions: []rolecall.ConditionDecl{{Condition: "assigned", Title: "The subject is assigned to the target"}},
		ScopeKinds: []rolecall.ScopeKindDecl{{Kind: "project"}, {Kind: "shot"}},
	}))
}

// examplePolicy is the two roles and some statements, judged at New Year 2026.
func examplePolicy(statements ...rolecall.Statement) *rolecall.Snapshot {
	s := succeed(rolecall.NewSnapshot(vocabulary(), append(statements, ViewerRole, ArtistRole)...))
	return s.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

func succeed[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// say prints the answer to a check: yes, no and the kind of reason, or that it could not be found out.
func say(question string, err error) {
	var reason rolecall.Reason
	switch {
	case err == nil:
		fmt.Println(question, "yes")
	case errors.As(err, &reason):
		fmt.Println(question, "no,", reason.String())
	default:
		fmt.Println(question, "could not find out:", rolecall.ProblemsOf(err)[0].Code)
	}
}

// The README shows the policy, the program and the output of example_program_test.go.
func TestReadmeShowsTheFirstExample(t *testing.T) {
	readme := string(succeed(os.ReadFile("README.md")))
	source := string(succeed(os.ReadFile("example_program_test.go")))
	for _, part := range []struct{ kind, indent string }{{"rolecall", ""}, {"go", "\t"}, {"text", "\t// "}} {
		_, rest, _ := strings.Cut(readme, "```"+part.kind+"\n")
		block, _, found := strings.Cut(rest, "```")
		if !found {
			t.Fatalf("README.md: got no block of %s, want one", part.kind)
		}
		block = strings.ReplaceAll(part.indent+strings.TrimSpace(block), "\n", "\n"+part.indent)
		if block = strings.ReplaceAll(block, "\n\t\n", "\n\n"); !strings.Contains(source, block) {
			t.Errorf("README.md: its block of %s is not in example_program_test.go:\n%s", part.kind, block)
		}
	}
}

// Check has one way on: nil. A refusal is ErrDenied; a name that nobody declared is another error, never an answer.
func ExampleSnapshot_Check() {
	ada := rolecall.User("ada")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	s := examplePolicy(rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha})
	say("update?", s.Check(ada, TaskUpdate, shot))
	say("delete?", s.Check(ada, TaskDelete, shot))
	say("updaet?", s.Check(ada, rolecall.NewPermission("task.updaet"), shot))
	// Output:
	// update? yes
	// delete? no, nothing said
	// updaet? could not find out: unknown
}

// Decide tells what the answer rests on, and what lost to what.
func ExampleSnapshot_Decide() {
	ada := rolecall.User("ada")
	animation := rolecall.Group("animation")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	s := examplePolicy(
		rolecall.Membership{Member: ada, Group: animation},
		rolecall.Grant{Subject: animation, Role: "artist", Scope: alpha},
		rolecall.Override{Subject: ada, Effect: rolecall.Deny, Pattern: "task.update", Scope: shot},
	)
	decision := succeed(s.Decide(rolecall.Request{Subject: ada, Permission: TaskUpdate, Scope: shot}))
	fmt.Println(decision)
	// Output:
	// denied: user:ada task.update at /project:alpha/shot:010 (overridden)
	//   because override user:ada deny task.update at /project:alpha/shot:010: decides
	//   not     grant group:animation artist at /project:alpha (role artist: allow task.update) through group:animation: is overridden by something nearer: override user:ada deny task.update at /project:alpha/shot:010
}

// What a group has its members have, unless something nearer says otherwise. An override is one exception.
func ExampleOverride() {
	ada, bob := rolecall.User("ada"), rolecall.User("bob")
	animation := rolecall.Group("animation")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	s := examplePolicy(
		rolecall.Membership{Member: ada, Group: animation},
		rolecall.Membership{Member: bob, Group: animation},
		rolecall.Grant{Subject: animation, Role: "artist", Scope: alpha},
		rolecall.Override{Subject: bob, Effect: rolecall.Deny, Pattern: "task.update", Scope: alpha},
	)
	say("ada?", s.Check(ada, TaskUpdate, shot))
	say("bob?", s.Check(bob, TaskUpdate, shot))
	// Output:
	// ada? yes
	// bob? no, overridden
}

// Grants add up. A replace grant says instead: here, this is all there is of what comes from farther.
func ExampleGrant_replace() {
	ada := rolecall.User("ada")
	alpha := rolecall.In("project", "alpha")
	s := examplePolicy(
		rolecall.Grant{Subject: ada, Role: "artist", Scope: rolecall.Global()},
		rolecall.Grant{Subject: ada, Role: "viewer", Scope: alpha, Replace: true},
	)
	beta := rolecall.In("project", "beta")
	say("update on alpha?", s.Check(ada, TaskUpdate, alpha))
	say("update on beta?", s.Check(ada, TaskUpdate, beta))
	// Output:
	// update on alpha? no, overridden
	// update on beta? yes
}

// What is allowed from above does not open a private scope, unless the grant is marked Pierce.
func ExamplePrivateScope() {
	ada, bob := rolecall.User("ada"), rolecall.User("bob")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	s := examplePolicy(
		rolecall.PrivateScope{Scope: alpha},
		rolecall.Grant{Subject: ada, Role: "viewer", Scope: rolecall.Global()},
		rolecall.Grant{Subject: bob, Role: "viewer", Scope: rolecall.Global(), Pierce: true},
	)
	say("ada?", s.Check(ada, TaskView, shot))
	say("bob?", s.Check(bob, TaskView, shot))
	// Output:
	// ada? no, private
	// bob? yes
}

// A condition is a fact that the host knows of this subject and this target. Not knowing never opens a door.
func ExampleFacts() {
	ada := rolecall.User("ada")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	s := examplePolicy(rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha, When: "assigned"})
	offline := rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return false, errors.New("database is down") })
	say("assigned?", s.Check(ada, TaskUpdate, shot, rolecall.Given{"assigned"}))
	say("not assigned?", s.Check(ada, TaskUpdate, shot))
	say("who knows?", s.Check(ada, TaskUpdate, shot, offline))
	// Output:
	// assigned? yes
	// not assigned? no, condition not met
	// who knows? no, condition unknown
}

// A contract that ends: valid from the first instant of the window, no longer at the last one.
func ExampleWindow() {
	ada := rolecall.User("ada")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	newYear := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := examplePolicy(rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha, Window: rolecall.Window{
		NotBefore: newYear, NotAfter: newYear.AddDate(0, 6, 0),
	}})
	say("the last second of June?", s.At(newYear.AddDate(0, 6, 0).Add(-time.Second)).Check(ada, TaskUpdate, shot))
	say("the first of July?", s.At(newYear.AddDate(0, 6, 0)).Check(ada, TaskUpdate, shot))
	// Output:
	// the last second of June? yes
	// the first of July? no, expired or not yet valid
}

// A session or an API key is a subject narrowed to some roles or some permissions. It only ever takes away.
func ExampleNarrowing() {
	ada := rolecall.User("ada")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	s := examplePolicy(rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha})
	key := succeed(s.For(ada, &rolecall.ViewOptions{Narrow: rolecall.ToPatterns("*.view")}))
	say("view?", key.Check(TaskView, shot))
	say("update?", key.Check(TaskUpdate, shot))
	// Output:
	// view? yes
	// update? no, narrowed
}

// Policy changes while the program runs, in whole steps. A change that is wrong in any part changes nothing.
func ExampleResolver_Edit() {
	ada, bob := rolecall.User("ada"), rolecall.User("bob")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	ctx := context.Background()
	resolver := succeed(rolecall.Open(ctx, memstore.With(examplePolicy()), vocabulary(), nil))
	change := func(reason string, edits ...rolecall.Edit) {
		revision, err := resolver.Edit(ctx, rolecall.Meta{Reason: reason}, edits...)
		if err != nil {
			fmt.Println(reason+": refused:", rolecall.ProblemsOf(err)[0].Code)
			return
		}
		fmt.Println(reason+": revision", revision)
	}
	change("Ada joins", rolecall.Put(rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha}))
	say("ada?", resolver.Check(ctx, ada, TaskUpdate, shot))
	change("tidying up", rolecall.Put(rolecall.Grant{Subject: bob, Role: "viewer", Scope: alpha}), rolecall.Remove(ArtistRole))
	change("Ada leaves", rolecall.ForgetSubject(ada))
	say("ada?", resolver.Check(ctx, ada, TaskUpdate, shot))
	// Output:
	// Ada joins: revision 1
	// ada? yes
	// tidying up: refused: in-use
	// Ada leaves: revision 2
	// ada? no, nothing said
}

// A page asks some permissions on many targets at once, with the facts of each row.
func ExampleView_CheckAll() {
	ada := rolecall.User("ada")
	alpha := rolecall.In("project", "alpha")
	s := examplePolicy(
		rolecall.Grant{Subject: ada, Role: "viewer", Scope: alpha},
		rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha, When: "assigned"},
	)
	rows := []rolecall.Target{
		{Scope: alpha.In("shot", "010"), Facts: rolecall.Given{"assigned"}},
		{Scope: alpha.In("shot", "020")},
		{Scope: rolecall.In("project", "beta").In("shot", "010")},
	}
	answers := succeed(succeed(s.For(ada, nil)).CheckAll(rows, TaskView, TaskUpdate))
	for i, row := range rows {
		fmt.Println(row.Scope, "view:", answers.Allowed(i, 0), "update:", answers.Allowed(i, 1))
	}
	// Output:
	// /project:alpha/shot:010 view: true update: true
	// /project:alpha/shot:020 view: true update: false
	// /project:beta/shot:010 view: false update: false
}

// A mistake to avoid: a snapshot that is kept does not learn of changes. Take a new one for each request.
func ExampleResolver_Snapshot_mistake() {
	ada := rolecall.User("ada")
	alpha := rolecall.In("project", "alpha")
	shot := alpha.In("shot", "010")
	ctx := context.Background()
	resolver := succeed(rolecall.Open(ctx, memstore.With(examplePolicy(rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha})), vocabulary(), nil))
	kept := succeed(resolver.Snapshot())
	succeed(resolver.Edit(ctx, rolecall.Meta{}, rolecall.Put(rolecall.Suspension{Subject: ada})))
	say("the kept one?", kept.Check(ada, TaskUpdate, shot))
	say("a new one?", succeed(resolver.Snapshot()).Check(ada, TaskUpdate, shot))
	// Output:
	// the kept one? yes
	// a new one? no, suspended
}

func ExampleTrace() {
	ctx := context.Background()
	ada, pia, alpha := rolecall.User("ada"), rolecall.User("pia"), rolecall.In("project", "alpha")
	store := memstore.New()
	resolver := succeed(rolecall.Open(ctx, store, vocabulary(), nil))
	succeed(resolver.Edit(ctx, rolecall.Meta{Reason: "set up", Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		rolecall.Put(ViewerRole), rolecall.Put(ArtistRole),
		rolecall.Put(rolecall.Role{Name: "boss", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*", "rolecall.*"}}}}),
		rolecall.Put(rolecall.Grant{Subject: pia, Role: "boss", Scope: rolecall.Global()})))
	succeed(resolver.Edit(ctx, rolecall.Meta{Actor: pia, Reason: "joins the show", Time: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)},
		rolecall.Put(rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha})))

	snapshot := succeed(resolver.Snapshot())
	decision := succeed(snapshot.Decide(rolecall.Request{Subject: ada, Permission: TaskUpdate, Scope: alpha}))
	p := succeed(rolecall.TraceOnly(ctx, store, snapshot, decision.Keys()...))
	fmt.Println(decision.Explain(p))
	// Output:
	// allowed: user:ada task.update at /project:alpha
	//   because grant user:ada artist at /project:alpha (role artist: allow task.update): decides
	//           revision 2, by user:pia, 2026-03-02T09:00:00Z: joins the show
	//           role artist: revision 1, by the host, 2026-01-01: set up
}

func ExampleDeniedError_Notice() {
	s := examplePolicy(rolecall.Grant{Subject: rolecall.User("ada"), Role: "artist", Scope: rolecall.In("project", "alpha"),
		Window: rolecall.Window{NotAfter: time.Date(2025, 12, 24, 0, 0, 0, 0, time.UTC)}})
	decision := succeed(s.Decide(rolecall.Request{Subject: rolecall.User("ada"), Permission: TaskUpdate, Scope: rolecall.In("project", "alpha")}))
	var denied *rolecall.DeniedError
	if errors.As(decision.Err(), &denied) {
		fmt.Println(denied.Notice(s.Catalog())) // to whoever asked
	}
	// Output:
	// You may not do this: Edit a task at /project:alpha. The access that it takes has ended, or has not begun yet.
}

func ExampleSnapshot_Remedies() {
	ada, alpha := rolecall.User("ada"), rolecall.In("project", "alpha")
	s := examplePolicy(
		rolecall.Grant{Subject: rolecall.Group("crew"), Role: "artist", Scope: rolecall.Global()},
		rolecall.Override{Subject: ada, Effect: rolecall.Forbid, Pattern: "task.*", Scope: rolecall.Global()},
	)
	remedies, complete, err := s.Remedies(rolecall.Request{Subject: ada, Permission: TaskUpdate, Scope: alpha}, &rolecall.RemedyOptions{Limit: 3})
	fmt.Println(complete, err)
	for _, m := range remedies {
		fmt.Println("-", m.Gained)
		fmt.Println(m)
	}
	// Output:
	// true <nil>
	// - 1 subject, 1 permission
	// remove override user:ada forbid task.* at /
	// override user:ada allow task.update at /project:alpha
	// - 1 subject, 1 permission
	// override user:ada deny task.* at /
	// override user:ada allow task.update at /project:alpha
	// - 1 subject, 2 permissions
	// remove override user:ada forbid task.* at /
	// grant user:ada artist at /project:alpha
}

// Where may she do it? On every project, those included of which the policy says nothing, but for one and the private ones.
func ExampleView_Scopes() {
	ada := rolecall.User("ada")
	alpha, beta, secret := rolecall.In("project", "alpha"), rolecall.In("project", "beta"), rolecall.In("project", "secret")
	s := examplePolicy(
		rolecall.Grant{Subject: ada, Role: "viewer", Scope: rolecall.Global()},
		rolecall.Override{Subject: ada, Effect: rolecall.Deny, Pattern: "task.view", Scope: beta},
		rolecall.PrivateScope{Scope: secret},
	)
	view := succeed(s.For(ada, nil))
	set := succeed(view.Scopes("project", TaskView))
	fmt.Println(set.Contains(alpha), set.Contains(beta), set.Contains(secret))

	list := succeed(set.In(rolecall.Global()))
	fmt.Println("otherwise:", list.Default())
	for project, rule := range list.Exceptions(rolecall.Scope{}) {
		fmt.Println(project, rule)
	}
	// Output:
	// true false false
	// otherwise: always
	// /project:beta never
	// /project:secret never
}

// Who may do it here? Those whom the policy names, and whether everybody else may too.
func ExampleSnapshot_Who() {
	ada, crew, alpha := rolecall.User("ada"), rolecall.Group("crew"), rolecall.In("project", "alpha")
	s := examplePolicy(
		rolecall.Membership{Member: ada, Group: crew},
		rolecall.Membership{Member: rolecall.User("bob"), Group: crew},
		rolecall.Grant{Subject: crew, Role: "artist", Scope: rolecall.Global()},
		rolecall.Override{Subject: ada, Effect: rolecall.Deny, Pattern: "task.*", Scope: alpha},
	)
	fmt.Println(s.Who(TaskUpdate, alpha, nil))
	fmt.Println(s.Who(TaskUpdate, rolecall.In("project", "beta"), nil))
	// Output:
	// [user:bob] false <nil>
	// [user:ada user:bob] false <nil>
}

// What would a change do? A plan tells it exactly, and is committed as it was planned or not at all.
func ExampleSnapshot_Plan() {
	ctx := context.Background()
	ada, crew, alpha := rolecall.User("ada"), rolecall.Group("crew"), rolecall.In("project", "alpha")
	policy := examplePolicy(
		rolecall.Grant{Subject: crew, Role: "artist", Scope: alpha},
		rolecall.Grant{Subject: ada, Role: "viewer", Scope: alpha},
	)
	resolver := succeed(rolecall.Open(ctx, memstore.With(policy), vocabulary(), nil))
	snapshot := succeed(resolver.Snapshot())
	plan := succeed(snapshot.Plan(rolecall.Change{Edits: []rolecall.Edit{
		rolecall.Put(rolecall.Membership{Member: ada, Group: crew}),
		rolecall.Put(rolecall.Membership{Member: rolecall.User("bob"), Group: crew}),
	}}))
	fmt.Println(plan)
	fmt.Println(resolver.Apply(ctx, plan))
	// Output:
	// plan for revision 0
	//   user:ada gains task.update at /project:alpha, but not in private scopes inside
	//   user:bob gains task.update task.view at /project:alpha, but not in private scopes inside
	// 1 <nil>
}
