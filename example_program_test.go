package rolecall_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

// The policy as text. It may as well be made in Go, or kept in a database.
const policyText = `
permission task.update "Edit a task"
kind scope project
kind scope shot

role artist
  allow task.update

member user:ada of group:crowds
member user:ben of group:crowds
member group:crowds of group:animation

grant    group:animation artist at /project:alpha
override user:ada deny task.update at /project:alpha/shot:010
`

// What the program asks about is a value, which cannot be misspelt.
var TaskUpdate = rolecall.NewPermission("task.update")

// The smallest program: it loads a policy, asks, and tells why.
func Example() {
	ctx := context.Background()
	_, snapshot, err := policy.Load("studio.rolecall", []byte(policyText))
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := rolecall.Open(ctx, memstore.With(snapshot), snapshot.Catalog(), nil)
	if err != nil {
		log.Fatal(err)
	}

	ada, alpha := rolecall.User("ada"), rolecall.In("project", "alpha")
	fmt.Println(resolver.Check(ctx, ada, TaskUpdate, alpha.In("shot", "020")))
	fmt.Println(resolver.Check(ctx, ada, TaskUpdate, alpha.In("shot", "010")))

	decision, err := resolver.Decide(ctx, rolecall.Request{Subject: ada, Permission: TaskUpdate, Scope: alpha.In("shot", "010")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(decision)
	// Output:
	// <nil>
	// denied: user:ada may not task.update at /project:alpha/shot:010: overridden
	// denied: user:ada task.update at /project:alpha/shot:010 (overridden)
	//   because override user:ada deny task.update at /project:alpha/shot:010: decides
	//   not     grant group:animation artist at /project:alpha (role artist: allow task.update) through group:crowds in group:animation: is overridden by something nearer: override user:ada deny task.update at /project:alpha/shot:010
}
