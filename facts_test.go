package rolecall_test

import (
	"errors"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// What answers conditions may be a database: it is asked once a condition for all that is answered at one target.
func TestFactsAreAskedOnce(t *testing.T) {
	artist := rolecall.Role{Name: "artist", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*"}, When: "assigned"}}}
	ada, alpha, beta := rolecall.User("ada"), rolecall.In("project", "alpha"), rolecall.In("project", "beta")
	s := snapshotOf(t, smallCatalog(t), artist, grant(ada, "artist", rolecall.Global()))
	view, err := s.For(ada, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	flickers := rolecall.FactFunc(func(rolecall.Condition) (bool, error) {
		switch asked++; asked {
		case 1:
			return true, nil
		case 2:
			return true, errors.New("the database is down")
		case 3:
			panic("what next")
		}
		return false, nil
	})
	all := []rolecall.Permission{mayView, mayUpdate, mayDelete}
	targets := []rolecall.Target{{Scope: alpha, Facts: flickers}, {Scope: alpha, Facts: flickers}, {Scope: beta, Facts: flickers}, {Scope: beta, Facts: flickers}}
	answers, err := view.CheckAll(targets, all...)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []rolecall.Reason{rolecall.Granted, rolecall.ConditionUnknown, rolecall.ConditionUnknown, rolecall.ConditionFails} {
		for j, p := range all {
			if got := answers.Reason(i, j); got != want {
				t.Errorf("CheckAll: %s at target %d: %v, want %v", p, i, got, want)
			}
		}
	}
	if asked != len(targets) {
		t.Errorf("CheckAll of %d permissions at %d targets asked %d times, want once a target", len(all), len(targets), asked)
	}
	asked = 0
	if may, err := view.Permissions(alpha, flickers); err != nil || len(may) != len(all) || asked != 1 {
		t.Errorf("Permissions: %v, %v, and asked %d times, want %v and once", may, err, asked, all)
	}
	asked = 0
	if may, err := view.PermissionSet(alpha, flickers); err != nil || may.Len() != len(all) || asked != 1 {
		t.Errorf("PermissionSet: %d permissions, %v, and asked %d times, want %d and once", may.Len(), err, asked, len(all))
	}
}

// A condition holds where one of several facts says so, and cannot be said where none does and one cannot say, be it by an
// error or by a panic.
func TestSeveralFacts(t *testing.T) {
	s := world{}.add(role("r0", rule(rolecall.Allow, "own", "*")), grant(ann, "r0", global)).snapshot(t).At(day(1))
	for _, first := range []truth{no, yes, fails, panics} {
		for _, second := range []truth{no, yes, fails, panics} {
			var want error
			switch {
			case first == yes || second == yes:
			case first == no && second == no:
				want = rolecall.ConditionFails
			default:
				want = rolecall.ConditionUnknown
			}
			if got := s.Check(ann, seeTask, project, facts{"own": first}, facts{"own": second}); got != want {
				t.Errorf("Check with facts that say %d and %d: %v, want %v", first, second, got, want)
			}
		}
	}
}
