package review_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/review"
)

const examplePolicy = `permission task.view
permission task.update
condition assigned
kind scope project
role artist
  allow task.view
  allow task.update when assigned
grant group:animation artist at /project:alpha
member user:ada of group:animation until 2026-06-01
grant user:ben artist at /project:alpha
override user:ben deny task.update at /project:alpha
`

// Who has something on project alpha, through what, and until when.
func ExampleOfScope() {
	_, snapshot, err := policy.Load("studio", []byte(examplePolicy))
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := review.OfScope(snapshot, rolecall.In("project", "alpha"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range report.Rows {
		fmt.Println(row.Subject, row.What(), row.State, "through", row.Path, "gives", row.Gives, "takes", row.Takes)
		if end := row.Window.NotAfter; !end.IsZero() {
			fmt.Println("  until", rolecall.FormatTime(end))
		}
	}
	// Output:
	// user:ada artist active through [user:ada group:animation] gives [task.update when assigned task.view] takes []
	//   until 2026-06-01
	// user:ben artist active through [user:ben] gives [task.view] takes []
	// user:ben deny task.update active through [user:ben] gives [] takes [task.update]
}

// What one person has, for a spreadsheet; what is due is what nobody has looked at for a quarter.
func ExampleReport_WriteCSV() {
	_, snapshot, err := policy.Load("studio", []byte(examplePolicy))
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := review.OfSubject(snapshot, rolecall.User("ada"), &review.Options{
		Every: func(review.Row) time.Duration { return 90 * 24 * time.Hour },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := report.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// subject,through,what,where,state,condition,marks,gives,takes,since,given by,on behalf of,why,given at,revision,joined,role changed,from,expires,last used,review due,statement
	// user:ada,group:animation,artist,/project:alpha,active,,,task.update when assigned; task.view,,,,,,,,,,,2026-06-01,,2026-01-01,grant group:animation artist at /project:alpha
}

// Who held what in March, and what is different now.
func ExampleCompare() {
	ctx := context.Background()
	_, snapshot, err := policy.Load("studio", []byte(examplePolicy))
	if err != nil {
		fmt.Println(err)
		return
	}
	store, now := memstore.With(snapshot), time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	resolver, err := rolecall.Open(ctx, store, snapshot.Catalog(), &rolecall.Options{Clock: func() time.Time { return now }})
	if err != nil {
		fmt.Println(err)
		return
	}
	deny := rolecall.Override{Subject: rolecall.User("ben"), Effect: rolecall.Deny, Pattern: "task.update", Scope: rolecall.In("project", "alpha")}
	if _, err = resolver.Edit(ctx, rolecall.Meta{Reason: "the deny was a mistake"}, rolecall.Remove(deny)); err != nil {
		fmt.Println(err)
		return
	}
	march, err := review.AsOf(ctx, store, snapshot.Catalog(), time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	present, err := review.AsOf(ctx, store, snapshot.Catalog(), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	comparison, err := review.Compare(march, present)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(comparison)
	// Output:
	// - override user:ben deny task.update at /project:alpha
	//   user:ben gains task.update at /project:alpha when assigned, but not in private scopes inside
	//   user:ada loses task.update at /project:alpha when assigned, but not in private scopes inside
	//   user:ada loses task.view at /project:alpha, but not in private scopes inside
}

// What became of a role, and the edits that make it as it was made.
func ExampleRestore() {
	_, snapshot, err := policy.Load("studio", []byte(examplePolicy))
	if err != nil {
		fmt.Println(err)
		return
	}
	preset := []rolecall.Role{{Name: "artist", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.view"}}}}}
	list, err := review.CompareWithPreset(snapshot, preset)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(list[0].Added, list[0].Gained)
	edits, err := review.Restore(snapshot, preset)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := snapshot.Plan(rolecall.Change{Edits: edits})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan)
	// Output:
	// [allow task.update when assigned] [task.update when assigned]
	// plan for revision 0
	//   group:animation loses task.update at /project:alpha when assigned, but not in private scopes inside
	//   user:ada loses task.update at /project:alpha when assigned, but not in private scopes inside
}
