package rolecall_test

import (
	"testing"

	"github.com/rolecall-go/rolecall"
)

// A view stays as it was made, whatever becomes of the caller's slice.
func TestViewKeepsItsGroups(t *testing.T) {
	s := world{}.add(role("r0", rule(rolecall.Allow, "", "*")), grant(crowds, "r0", global)).snapshot(t).At(day(1))
	groups := []rolecall.Subject{crowds}
	v, err := s.For(stranger, &rolecall.ViewOptions{Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	groups[0] = layout
	if d, err := v.Decide(seeTask, project, nil); err != nil || !d.Allowed() || v.Check(seeTask, project) != nil {
		t.Errorf("Decide and Check once the caller's groups are others: %v, %v, %v, want both to allow", d.Allowed(), err, v.Check(seeTask, project))
	}
}

// An answer that was not asked for is not that to another question.
func TestAnswersBeyondWhatWasAsked(t *testing.T) {
	v, err := world{}.add(role("r0", rule(rolecall.Allow, "", "*")), grant(ann, "r0", shot)).snapshot(t).At(day(1)).For(ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := v.CheckAll([]rolecall.Target{{Scope: project}, {Scope: shot}}, seeTask)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][2]int{{0, 1}, {1, 1}, {2, 0}, {0, -1}, {-1, 1}} {
		func() {
			defer func() { _ = recover() }()
			t.Errorf("Allowed(%d, %d) of two targets and one permission = %t, want a panic", at[0], at[1], answers.Allowed(at[0], at[1]))
		}()
	}
}
