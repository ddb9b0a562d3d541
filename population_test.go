package rolecall_test

import (
	"fmt"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// A policy of thousands answers as a small one does: everybody is found by name, before and after some of them leave, and
// each has what it was given and nothing of the others. Small worlds never fill what the index is made of.
func TestThousands(t *testing.T) {
	const users, batch = 60_000, 5_000
	user := func(n int) rolecall.Subject { return rolecall.User(fmt.Sprintf("u%d", n)) }
	place := func(n int) rolecall.Scope { return rolecall.In("project", fmt.Sprintf("p%d", n%5_000)) }
	grant := func(n int) rolecall.Grant {
		return rolecall.Grant{Subject: user(n), Role: "viewer", Scope: place(n)}
	}
	statements := []rolecall.Statement{
		rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.view"}}}},
	}
	for n := range users {
		statements = append(statements, grant(n))
	}
	s, err := rolecall.NewSnapshot(worldCatalog, statements...)
	if err != nil {
		t.Fatalf("NewSnapshot: %v, want no error", err)
	}
	gone := func(n int) bool { return false }
	mustAnswer := func() {
		t.Helper()
		asked := s.At(day(1))
		for n := range users {
			own, other := asked.Check(user(n), seeTask, place(n)) == nil, asked.Check(user(n), seeTask, place(n+1)) == nil
			if own == gone(n) || other {
				t.Fatalf("%s views %s: %t, and %s: %t; want %t and false", user(n), place(n), own, place(n+1), other, !gone(n))
			}
		}
	}
	mustAnswer()
	gone = func(n int) bool { return n%3 == 0 }
	for from := 0; from < users; from += batch {
		c := rolecall.Change{}
		for n := from; n < from+batch; n++ {
			if gone(n) {
				c.Edits = append(c.Edits, rolecall.Remove(grant(n)))
			}
		}
		p, err := s.At(day(1)).Propose(c)
		if err != nil {
			t.Fatalf("Propose: %v, want no error", err)
		}
		s = p.Next()
	}
	mustAnswer()
}
