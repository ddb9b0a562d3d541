package policy_test

import (
	"fmt"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

const studio = `permission task.update "Edit a task"
kind scope project
role artist
  allow task.update
grant user:ada artist at /project:alpha
expect allow user:ada task.update at /project:alpha
expect allow user:ada task.update at /project:beta
`

// Load a policy and ask it.
func ExampleLoad() {
	_, snapshot, err := policy.Load("studio.rolecall", []byte(studio))
	if err != nil {
		fmt.Println(err)
		return
	}
	update := rolecall.NewPermission("task.update")
	fmt.Println(snapshot.Check(rolecall.User("ada"), update, rolecall.In("project", "alpha")))
	// Output: <nil>
}

// All that is wrong with a file is told at once, each with its place.
func ExampleLoad_errors() {
	_, _, err := policy.Load("studio.rolecall", []byte("grant user:ada artist at\nsuspend everyone\n"))
	fmt.Println(err)
	// Output:
	// studio.rolecall:1:23: a word is missing after this: "at" (invalid)
	// studio.rolecall:2:9: everyone is never suspended: "everyone" (invalid)
}

// Run the steps of a scenario.
func ExampleFile_Run() {
	f, snapshot, err := policy.Load("studio.rolecall", []byte(studio))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range f.Run(snapshot) {
		fmt.Printf("%v, line %d: want %s, got %s\n", r.OK, r.Step.Line, r.Want, r.Got)
	}
	// Output:
	// true, line 6: want allow, got allow
	// false, line 7: want allow, got deny
}

// Edits are written as statements are. A plan tells what they would do, and a problem is told at its place.
func ExampleParseEdits() {
	_, snapshot, err := policy.Load("studio.rolecall", []byte(studio))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"remove grant user:ada artist at /project:alpha", "grant user:bob artst at /project:alpha"} {
		edits, err := policy.ParseEdits("edits", []byte(text))
		if err != nil {
			fmt.Println(err)
			return
		}
		plan, err := snapshot.Plan(rolecall.Change{Edits: edits.List})
		if err != nil {
			fmt.Println(edits.Locate(err))
			continue
		}
		fmt.Println(plan)
	}
	// Output:
	// plan for revision 0
	//   user:ada loses task.update at /project:alpha, but not in private scopes inside
	// edits:1:16: no such role is defined (did you mean "artist"?): "artst" (unknown)
}
