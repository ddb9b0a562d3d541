package review_test

import (
	"fmt"
	"os"
	"time"

	"github.com/rolecall-go/rolecall"
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
