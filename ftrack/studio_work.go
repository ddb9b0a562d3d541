package ftrack

import (
	"fmt"
	"math/rand/v2"

	"github.com/rolecall-go/rolecall"
)

// A Version is a row of a page of versions: where it is, and who has to do with it. Hosts keep such things in their
// database; here they answer the conditions.
type Version struct {
	Scope    rolecall.Scope
	Assignee rolecall.Subject // of the task
	Author   rolecall.Subject
}

// Facts returns what holds of the version for a subject.
func (v Version) Facts(who rolecall.Subject) rolecall.Given {
	var given rolecall.Given
	if v.Assignee == who {
		given = append(given, Assigned)
	}
	if v.Author == who {
		given = append(given, Own)
	}
	return given
}

// versionsPerTask is how many versions of a task a page shows, about.
const versionsPerTask = 6

// Page returns n versions of tasks on a few projects, the same ones each time. The artist of the cast has to do with
// some thirty of 5,000. The first project is open, the last one is the private one of the cast.
func (w *World) Page(n int) []Version {
	random := rand.New(rand.NewPCG(w.seed, uint64(n)))
	projects := []rolecall.Scope{w.Open[0], w.Open[1], w.Open[2], w.Cast.Backlot}
	departments := []string{"layout", "anim", "fx", "lighting", "comp"}
	page := make([]Version, 0, n)
	for task := 0; len(page) < n; task++ {
		shot := projects[task*len(projects)*versionsPerTask/(n+versionsPerTask*len(projects))%len(projects)].
			In("sequence", fmt.Sprintf("sq%03d", task/40*10)).In("shot", fmt.Sprintf("sh%04d", task/5*10))
		scope := shot.In("task", departments[task%5])
		row := Version{Assignee: w.crew[1+random.IntN(len(w.crew)-1)]}
		if task%150 == 3 {
			row.Assignee = w.Cast.Artist
		}
		row.Author = row.Assignee
		for v := range min(versionsPerTask, n-len(page)) {
			row.Scope = scope.In("version", fmt.Sprintf("v%03d", v+1))
			page = append(page, row)
		}
	}
	return page
}
