package decisionlog_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/decisionlog"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

const watched = `
permission task.view
kind scope project
role viewer
  allow task.view
grant user:ada viewer at /project:alpha
`

// Every answer of a resolver is counted and written by a slog.Handler.
func Example() {
	ctx, end := context.WithCancel(context.Background())
	decisions := decisionlog.New(slog.NewTextHandler(os.Stdout, nil), &decisionlog.Options{
		Clock: func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) },
	})
	_, snapshot, err := policy.Load("studio.rolecall", []byte(watched))
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := rolecall.Open(ctx, memstore.With(snapshot), snapshot.Catalog(), &rolecall.Options{Observe: decisions.Observe})
	if err != nil {
		log.Fatal(err)
	}
	for _, project := range []string{"alpha", "beta"} {
		_ = resolver.Check(ctx, rolecall.User("ada"), rolecall.NewPermission("task.view"), rolecall.In("project", project))
	}
	end() // Run, in a goroutine of its own in a program, writes what waits and returns
	fmt.Println(decisions.Run(ctx))
	fmt.Println(decisions.Counters().Allowed, "allowed", decisions.Counters().Denied, "denied")
	// Output:
	// time=2026-03-02T09:00:00.000Z level=INFO msg=decision subject=user:ada permission=task.view scope=/project:alpha allowed=true reason=granted revision=0
	// time=2026-03-02T09:00:00.000Z level=INFO msg=decision subject=user:ada permission=task.view scope=/project:beta allowed=false reason="nothing said" revision=0
	// context canceled
	// 1 allowed 1 denied
}
