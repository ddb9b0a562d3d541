package rolecall_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// The studio of the allocation guards: a user with grants of its own and through nested groups, on a path four deep.
func guardedStudio(t *testing.T, more ...rolecall.Statement) *rolecall.Snapshot {
	t.Helper()
	s, err := rolecall.NewSnapshot(worldCatalog, append([]rolecall.Statement{
		rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*.view"}}}},
		rolecall.Role{Name: "artist", Inherits: []rolecall.RoleName{"viewer"}, Rules: []rolecall.Rule{
			{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.update"}},
			{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.status.update"}, When: "assigned"},
		}},
		rolecall.Membership{Member: ann, Group: crowds},
		rolecall.Membership{Member: crowds, Group: layout},
		rolecall.Grant{Subject: layout, Role: "viewer", Scope: global},
		rolecall.Grant{Subject: ann, Role: "artist", Scope: project},
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s.At(day(1))
}

// What is in play beside the plain grants: everything that sends a check the long way.
var strictThings = []rolecall.Statement{
	rolecall.Override{Subject: layout, Effect: rolecall.Deny, Pattern: "task.*", Scope: project},
	rolecall.Override{Subject: ann, Effect: rolecall.Forbid, Pattern: "shot.view", Scope: sibling},
	rolecall.Grant{Subject: ann, Role: "viewer", Scope: shot, Replace: true},
	rolecall.PrivateScope{Scope: shot},
	rolecall.Membership{Member: ann, Group: animation, Window: rolecall.Window{NotAfter: day(9)}},
	rolecall.Grant{Subject: animation, Role: "artist", Scope: shot, Window: rolecall.Window{NotBefore: day(0)}},
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

// A resolver allocates nothing to say yes, and its error to say no.
func TestResolverAllocates(t *testing.T) {
	ctx := context.Background()
	r, err := rolecall.Open(ctx, memstore.With(guardedStudio(t)), worldCatalog, &rolecall.Options{
		MaxStaleness: time.Hour, Clock: func() time.Time { return day(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	allocates(t, "Resolver.Check that allows", 0, func() { _ = r.Check(ctx, ann, editTask, task) })
	allocates(t, "Resolver.Check that denies", 1, func() { _ = r.Check(ctx, ben, editTask, task) })
}
