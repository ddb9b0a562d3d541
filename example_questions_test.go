package rolecall_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// A set of scopes reads as people say it: everything open, but for those; and where a condition decides.
func ExampleView_Scopes() {
	ada := rolecall.User("ada")
	s := examplePolicy(
		rolecall.Grant{Subject: ada, Role: "viewer", Scope: rolecall.Global()},
		rolecall.Override{Subject: ada, Effect: rolecall.Deny, Pattern: "*", Scope: rolecall.In("project", "alpha")},
		rolecall.Override{Subject: ada, Effect: rolecall.Deny, Pattern: "*", Scope: rolecall.In("project", "beta"), When: "assigned"},
		rolecall.PrivateScope{Scope: rolecall.In("project", "secret")},
	)
	set := succeed(succeed(s.For(ada, nil)).Scopes("project", TaskView))
	list := succeed(set.In(rolecall.Global()))
	fmt.Println("every other open one:", list.Default(), list.OnlyOpen())
	for project, rule := range list.Exceptions(rolecall.Scope{}) {
		fmt.Println(project, rule)
	}
	yours := []rolecall.Scope{rolecall.In("project", "alpha"), rolecall.In("project", "never heard of")}
	fmt.Println("of yours:", slices.Collect(set.Among(slices.Values(yours), nil)))
	// Output:
	// every other open one: always true
	// /project:alpha never
	// /project:beta when not assigned
	// /project:secret never
	// of yours: [/project:never%20heard%20of]
}

// Pages of what the policy itself names go on after where the last one ended.
func ExampleScopeSet_Named() {
	ada := rolecall.User("ada")
	var statements []rolecall.Statement
	for _, id := range []string{"gamma", "alpha", "delta", "beta"} {
		statements = append(statements, rolecall.Grant{Subject: ada, Role: "viewer", Scope: rolecall.In("project", id)})
	}
	set := succeed(succeed(examplePolicy(statements...).For(ada, nil)).Scopes("project", TaskView))
	for last, more := (rolecall.Scope{}), true; more; {
		more = false
		var page []rolecall.Scope
		for at := range set.Named(last, nil) {
			if len(page) == 3 {
				more = true
				break
			}
			page = append(page, at)
		}
		fmt.Println(page)
		last = page[len(page)-1]
	}
	// Output:
	// [/project:alpha /project:beta /project:delta]
	// [/project:gamma]
}

// Who may, through what, and who has it as granted.
func ExampleSnapshot_Audience() {
	ada, crew, alpha := rolecall.User("ada"), rolecall.Group("crew"), rolecall.In("project", "alpha")
	s := examplePolicy(
		rolecall.Membership{Member: ada, Group: crew},
		rolecall.Membership{Member: rolecall.User("ben"), Group: crew},
		rolecall.Grant{Subject: crew, Role: "artist", Scope: alpha},
		rolecall.Override{Subject: rolecall.User("ben"), Effect: rolecall.Deny, Pattern: "task.update", Scope: alpha},
	)
	audience := succeed(s.Audience(TaskUpdate, alpha.In("shot", "010"), nil))
	for who := range audience.Subjects(rolecall.Subject{}) {
		for _, finding := range succeed(audience.Decide(who)).Deciding() {
			fmt.Println(who, "through", finding.Path[1:], "by", finding.Statement)
		}
	}
	fmt.Println("as granted:", slices.Collect(audience.Holders(rolecall.Subject{})), "anybody:", audience.Everyone())
	// Output:
	// user:ada through [group:crew] by grant group:crew artist at /project:alpha
	// as granted: [group:crew] anybody: false
}

// One event, and everybody who listens.
func ExampleSnapshot_Reach() {
	alpha := rolecall.In("project", "alpha")
	s := examplePolicy(
		rolecall.Grant{Subject: rolecall.User("ada"), Role: "viewer", Scope: alpha},
		rolecall.Grant{Subject: rolecall.User("ben"), Role: "viewer", Scope: alpha, When: "assigned"},
	)
	reach := succeed(s.Reach(TaskView, alpha.In("shot", "010"), nil))
	fmt.Println(reach.Allows(rolecall.User("ada")), reach.Allows(rolecall.User("ben")), reach.Allows(rolecall.User("ben"), rolecall.Given{"assigned"}))
	// Output: true false true
}

// What a subject may do at a place, and what more under which condition.
func ExampleView_Rules() {
	ada, alpha := rolecall.User("ada"), rolecall.In("project", "alpha")
	view := succeed(examplePolicy(rolecall.Grant{Subject: ada, Role: "viewer", Scope: alpha}, rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha, When: "assigned"}).For(ada, nil))
	fmt.Println(succeed(view.Permissions(alpha, nil)))
	for permission, rule := range succeed(view.Rules(alpha)) {
		fmt.Println(permission, rule)
	}
	// Output:
	// [task.view]
	// task.update when assigned
	// task.view always
}

// A plan says what a change would do, and is applied as it was made or not at all.
func ExampleSnapshot_Plan() {
	ctx := context.Background()
	ada, crew, alpha := rolecall.User("ada"), rolecall.Group("crew"), rolecall.In("project", "alpha")
	resolver := succeed(rolecall.Open(ctx, memstore.With(examplePolicy(rolecall.Membership{Member: ada, Group: crew})), vocabulary(), nil))
	plan := succeed(succeed(resolver.Snapshot()).Plan(rolecall.Change{
		Meta:  rolecall.Meta{Reason: "the show begins"},
		Edits: []rolecall.Edit{rolecall.Put(rolecall.Grant{Subject: crew, Role: "artist", Scope: alpha, Pierce: true})},
	}))
	fmt.Println(plan)
	fmt.Println("applied:", succeed(resolver.Apply(ctx, plan)))
	_, err := resolver.Apply(ctx, plan)
	fmt.Println("again is a conflict:", errors.Is(err, rolecall.ErrConflict))
	// Output:
	// plan for revision 0
	//   group:crew gains task.update task.view at /project:alpha
	//   user:ada gains task.update task.view at /project:alpha
	// applied: 1
	// again is a conflict: true
}

// The teams of another system become the edits that lead there.
func ExampleSnapshot_Sync() {
	crew := rolecall.Group("hr-crew")
	s := examplePolicy(
		rolecall.Membership{Member: rolecall.User("ada"), Group: crew},
		rolecall.Membership{Member: rolecall.User("ben"), Group: crew},
		rolecall.Membership{Member: rolecall.User("ben"), Group: rolecall.Group("friends")},
	)
	desired := []rolecall.Statement{rolecall.Membership{Member: rolecall.User("ada"), Group: crew}, rolecall.Membership{Member: rolecall.User("cleo"), Group: crew}}
	edits := succeed(s.Sync(slices.Values(desired), func(one rolecall.Statement) bool {
		m, ok := one.(rolecall.Membership)
		return ok && m.Group == crew
	}))
	for _, e := range edits {
		fmt.Println(e)
	}
	// Output:
	// remove member user:ben of group:hr-crew
	// member user:cleo of group:hr-crew
}
