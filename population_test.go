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
	viewer := func(n int) rolecall.Grant { return grant(user(n), "viewer", place(n)) }
	statements := []rolecall.Statement{roleOf("viewer", "task.view")}
	for n := range users {
		statements = append(statements, viewer(n))
	}
	s := snapshotOf(t, worldCatalog, statements...)
	gone := func(n int) bool { return false }
	mustAnswer := func() {
		t.Helper()
		for n := range users {
			own, other := s.Check(user(n), seeTask, place(n)) == nil, s.Check(user(n), seeTask, place(n+1)) == nil
			if own == gone(n) || other {
				t.Fatalf("%s views %s: %t, and %s: %t; want %t and false", user(n), place(n), own, place(n+1), other, !gone(n))
			}
		}
	}
	mustAnswer()
	gone = func(n int) bool { return n%3 == 0 }
	for from := 0; from < users; from += batch {
		var leave []rolecall.Edit
		for n := from; n < from+batch; n++ {
			if gone(n) {
				leave = append(leave, rolecall.Remove(viewer(n)))
			}
		}
		s = propose(t, s, leave...).Next()
	}
	mustAnswer()
}
