package ftrack_test

import (
	"fmt"
	"log"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

// The preset as the policy of a host: its vocabulary, its roles, and who holds them where.
func Example() {
	catalog, err := rolecall.NewCatalog(ftrack.Declarations())
	if err != nil {
		log.Fatal(err)
	}
	statements := []rolecall.Statement{
		rolecall.Grant{Subject: rolecall.User("ada"), Role: ftrack.User, Scope: ftrack.AllOpenProjects()},
	}
	for _, role := range ftrack.Roles() {
		statements = append(statements, role)
	}
	statements = append(statements, ftrack.NewPrivateProject(ftrack.Project("secret"), rolecall.User("pia"), ftrack.ProjectManager)...)
	policy, err := rolecall.NewSnapshot(catalog, statements...)
	if err != nil {
		log.Fatal(err)
	}
	policy = policy.At(now)
	fmt.Println(policy.Check(rolecall.User("ada"), ftrack.ProjectView, ftrack.Project("alpha")))
	fmt.Println(policy.Check(rolecall.User("ada"), ftrack.ProjectView, ftrack.Project("secret")))
	fmt.Println(policy.Check(rolecall.User("pia"), ftrack.ProjectView, ftrack.Project("secret")))
	// Output:
	// <nil>
	// denied: private
	// <nil>
}

// A role may set the status "approved" of shots on which the lead has finished, and may not reopen a shot that is omitted.
func ExampleWorkflow_Allow() {
	w := ftrack.Workflow{Schema: "film", Kind: "shot", Statuses: []string{"open", "lead_done", "approved", "omitted"}}
	role, err := w.Allow(rolecall.Role{Name: "supervisor"}, "", ftrack.StatusTable{
		"approved": {"lead_done"},
		"open":     {ftrack.New, "lead_done", "approved"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(role)
	// Output:
	// role supervisor
	//   allow status.film.shot.lead_done.set status.film.shot.omitted.set
	//   allow status.film.shot.open.set when from.new
	//   allow status.film.shot.open.set status.film.shot.approved.set when from.lead_done
	//   allow status.film.shot.open.set when from.approved
}

// A studio to try things on, the same one each time.
func ExampleStudio() {
	studio := ftrack.Studio(ftrack.Small, 1)
	fmt.Println(len(studio.Staff), "people,", len(studio.Open), "open projects,", len(studio.Private), "private ones")
	fmt.Println(studio.Cast.Artist, "works on", studio.Cast.Task)
	// Output:
	// 20 people, 7 open projects, 2 private ones
	// user:ada works on /project:alpha/sequence:sq010/shot:sh0100/task:anim
}
