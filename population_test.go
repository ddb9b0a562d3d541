package rolecall_test

import (
	"fmt"
	"slices"
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
	hub := rolecall.In("project", "hub") // of few among many
	few := func(n int) bool { return n%100 == 0 }
	for n := 0; n < users; n += 100 {
		statements = append(statements, grant(user(n), "viewer", hub))
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
	left := func(n int) bool { return n%700 == 0 || n > 10_000 && n < 30_000 }
	for from := 0; from < users; from += batch {
		var leave []rolecall.Edit
		for n := from; n < from+batch; n++ {
			if gone(n) {
				leave = append(leave, rolecall.Remove(viewer(n)))
			}
			if few(n) && left(n) {
				leave = append(leave, rolecall.Remove(grant(user(n), "viewer", hub)))
			}
		}
		s = propose(t, s, leave...).Next()
	}
	mustAnswer()
	standing := map[rolecall.Scope]int{hub: 0}
	for n := range users {
		if few(n) && !left(n) {
			standing[hub]++
		}
		if !gone(n) {
			standing[place(n)]++
		}
	}
	below := s.Below(rolecall.Global())
	if !slices.IsSortedFunc(below, func(a, b rolecall.Statement) int { return rolecall.KeyOf(a).Compare(rolecall.KeyOf(b)) }) {
		t.Error("Below(/) is not in the order of keys")
	}
	for _, one := range below {
		standing[one.(rolecall.Grant).Scope]--
	}
	for at, n := range standing {
		if n != 0 {
			t.Errorf("Below(/) has %d grants at %s too few", n, at)
		}
	}
	for one := range s.Statements() {
		if _, found := s.Find(rolecall.KeyOf(one)); !found {
			t.Fatalf("Find(%s): none", rolecall.KeyOf(one))
		}
	}
}
