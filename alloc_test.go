package rolecall_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// guardedStudio is a policy with a user's own grants and those through nested groups, on a path four deep.
func guardedStudio(t *testing.T, more ...rolecall.Statement) *rolecall.Snapshot {
	artist := role("artist", rule(rolecall.Allow, "", "task.update"), rule(rolecall.Allow, "assigned", "task.status.update"))
	artist.Inherits = []rolecall.RoleName{"viewer"}
	return snapshotOf(t, worldCatalog, append([]rolecall.Statement{
		artist, roleOf("viewer", "*.view"), member(ann, crowds), member(crowds, layout), grant(layout, "viewer", global), grant(ann, "artist", project),
	}, more...)...).At(day(1))
}

// What is in play beside the plain grants: everything that sends a check the long way.
var strictThings = []rolecall.Statement{
	override(layout, rolecall.Deny, "task.*", project), override(ann, rolecall.Forbid, "shot.view", sibling),
	replacing(grant(ann, "viewer", shot)), private(shot), memberUntil(member(ann, animation), 9), from(grant(animation, "artist", shot), 0),
}

// allocates checks that a call allocates at most so many times.
func allocates(t *testing.T, what string, most float64, call func()) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	if got := testing.AllocsPerRun(200, call); got > most {
		t.Errorf("%s allocates %v times, want at most %v", what, got, most)
	}
}

// A check allocates nothing, whatever the answer and whatever is in play.
func TestCheckAllocatesNothing(t *testing.T) {
	for name, s := range map[string]*rolecall.Snapshot{"plain": guardedStudio(t), "strict": guardedStudio(t, strictThings...)} {
		for _, who := range []rolecall.Subject{ann, ben, stranger, crowds, everyone} {
			for _, at := range []rolecall.Scope{global, project, shot, task, other} {
				for _, p := range []rolecall.Permission{seeTask, editTask, setStatus, rolecall.Escalate} {
					allocates(t, fmt.Sprintf("%s: Check(%v, %v, %v)", name, who, p, at), 0, func() { _ = s.Check(who, p, at) })
				}
			}
		}
	}
}

// Facts that the caller has at hand add nothing.
func TestCheckWithFactsAllocatesNothing(t *testing.T) {
	s := guardedStudio(t, strictThings...)
	facts := []rolecall.Facts{rolecall.Given{"assigned"}}
	allocates(t, "Check with facts", 0, func() { _ = s.Check(ann, setStatus, task, facts...) })
}

// A view allocates nothing once it has seen the places it is asked about.
func TestViewAllocatesNothing(t *testing.T) {
	for name, s := range map[string]*rolecall.Snapshot{"plain": guardedStudio(t), "strict": guardedStudio(t, strictThings...)} {
		v, err := s.For(ann, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 { // enough for the view to have made all that it remembers
			_ = v.Check(editTask, task)
		}
		for _, at := range []rolecall.Scope{project, shot, task} {
			allocates(t, fmt.Sprintf("%s: View.Check(%v, %v)", name, editTask, at), 0, func() { _ = v.Check(editTask, at) })
		}
	}
}

// A resolver allocates nothing to say yes, also where windows are in play, and its error to say no.
func TestResolverAllocates(t *testing.T) {
	ctx := t.Context()
	for name, s := range map[string]*rolecall.Snapshot{"plain": guardedStudio(t), "strict": guardedStudio(t, strictThings...)} {
		r := openResolver(t, memstore.With(s), worldCatalog, &rolecall.Options{MaxStaleness: time.Hour, Clock: func() time.Time { return day(1) }})
		wantAllowed(t, r, ann, seeTask, task)
		wantDenied(t, r, ben, seeTask, task)
		allocates(t, name+": Resolver.Check that allows", 0, func() { _ = r.Check(ctx, ann, seeTask, task) })
		allocates(t, name+": Resolver.Check that denies", 1, func() { _ = r.Check(ctx, ben, seeTask, task) })
	}
}

// Loading allocates what is kept, which grows by doubling, and nothing for each statement besides: there may be millions.
func TestLoadingAllocatesLittle(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	few, more := []rolecall.Statement{roleOf("viewer", "*.view")}, []rolecall.Statement(nil)
	for i := range 40 {
		who := rolecall.User(fmt.Sprint(i))
		few = append(few, grant(who, "viewer", global), grant(ann, "viewer", project.In("shot", fmt.Sprint(i))))
		for j := range 40 {
			more = append(more, grant(who, "viewer", project.In("shot", fmt.Sprint(j))))
		}
	}
	load := func(all []rolecall.Statement) float64 {
		return testing.AllocsPerRun(10, func() { snapshotOf(t, worldCatalog, all...) })
	}
	if got, most := load(append(few, more...))-load(few), float64(len(more)); got > most {
		t.Errorf("NewSnapshot with %d more grants, of subjects and at places that it has, allocates %v times more, want at most %v", len(more), got, most)
	}
}
