package memstore_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

const text = `
permission task.update
kind scope project
role artist
  allow task.update
grant user:ada artist at /project:alpha
`

// A store that starts with a policy, changes, and still tells what was before.
func ExampleWith() {
	ctx := context.Background()
	_, snapshot, err := policy.Load("studio.rolecall", []byte(text))
	if err != nil {
		log.Fatal(err)
	}
	store := memstore.With(snapshot)
	resolver, err := rolecall.Open(ctx, store, snapshot.Catalog(), nil)
	if err != nil {
		log.Fatal(err)
	}
	ada, alpha, update := rolecall.User("ada"), rolecall.In("project", "alpha"), rolecall.NewPermission("task.update")
	revision, err := resolver.Edit(ctx, rolecall.Meta{Reason: "on leave"}, rolecall.Put(rolecall.Suspension{Subject: ada}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("revision", revision, resolver.Check(ctx, ada, update, alpha))

	state, err := store.At(ctx, revision-1)
	if err != nil {
		log.Fatal(err)
	}
	before, err := rolecall.LoadSnapshot(snapshot.Catalog(), state)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("before:", before.At(time.Now()).Check(ada, update, alpha))
	// Output:
	// revision 1 denied: user:ada may not task.update at /project:alpha: suspended
	// before: <nil>
}
