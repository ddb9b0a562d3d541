package admin_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

const managed = `
permission task.view
permission budget.view
kind scope project
role artist
  allow task.view
role accountant
  allow budget.view
role manager
  inherits artist
  allow rolecall.grant.*
grant user:pia manager at /project:alpha
`

// A manager gives on her project what she may do there herself, and nothing else.
func ExampleFor() {
	ctx := context.Background()
	_, snapshot, err := policy.Load("studio.rolecall", []byte(managed))
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := rolecall.Open(ctx, memstore.With(snapshot), snapshot.Catalog(), nil)
	if err != nil {
		log.Fatal(err)
	}
	cleo, alpha := rolecall.User("cleo"), rolecall.In("project", "alpha")
	pia := admin.For(resolver, rolecall.User("pia"), nil).Because("joins the show")
	for _, g := range []rolecall.Grant{
		{Subject: cleo, Role: "artist", Scope: alpha},
		{Subject: cleo, Role: "accountant", Scope: alpha},
		{Subject: cleo, Role: "artist", Scope: rolecall.In("project", "beta")},
	} {
		revision, err := pia.Grant(ctx, g)
		fmt.Println(revision, admin.HTTPStatus(err), errors.Is(err, rolecall.ErrEscalation))
		if err != nil {
			fmt.Println(" ", err)
		}
	}
	// Output:
	// 1 200 false
	// 0 403 true
	//   user:pia would give what they may not do: budget.view at /project:alpha (escalation)
	// 0 403 false
	//   change: takes rolecall.grant.create at /project:beta, which the actor does not have: "user:pia" (not-permitted)
}
