package rolecalltest

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// Facts are facts that a test sets, condition by condition. What was not set does not hold. Assertions and matrices refuse
// a condition that the policy does not declare; a check of a resolver cannot look into them. They are safe for concurrent
// use.
type Facts struct {
	mu      sync.Mutex
	answers map[rolecall.Condition]answer
	asked   []rolecall.Condition
}

type answer struct {
	holds bool
	err   error
}

// errCannotSay is the cause that the explanation of a decision gives.
var errCannotSay = errors.New("the test says that nobody can say")

// NewFacts returns facts by which these conditions hold and no other does.
func NewFacts(tb testing.TB, hold ...rolecall.Condition) *Facts {
	tb.Helper()
	f := &Facts{answers: map[rolecall.Condition]answer{}}
	for _, c := range hold {
		f.Hold(c, true)
	}
	return f
}

// Hold says whether c holds from now on.
func (f *Facts) Hold(c rolecall.Condition, holds bool) { f.set(c, answer{holds: holds}) }

// CannotSay makes c a condition of which nobody can say whether it holds.
func (f *Facts) CannotSay(c rolecall.Condition) { f.set(c, answer{err: errCannotSay}) }

func (f *Facts) set(c rolecall.Condition, a answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[c] = a
}

// Holds answers as the test has set it.
func (f *Facts) Holds(c rolecall.Condition) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, c)
	a := f.answers[c]
	return a.holds, a.err
}

// Asked returns the conditions that were asked about so far, in order, repetitions included.
func (f *Facts) Asked() []rolecall.Condition {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// join returns several facts as one, as a check does.
func join(facts []rolecall.Facts) rolecall.Facts {
	switch len(facts) {
	case 0:
		return nil
	case 1:
		return facts[0]
	}
	return several(facts)
}

// several holds where one of them holds, and cannot say where one cannot and none holds.
type several []rolecall.Facts

// Holds asks each in turn.
func (s several) Holds(c rolecall.Condition) (bool, error) {
	var causes []error
	for _, f := range s {
		if f == nil {
			continue
		}
		holds, err := f.Holds(c)
		if holds && err == nil {
			return true, nil
		}
		causes = append(causes, err)
	}
	return false, errors.Join(causes...)
}

// conditions lists those that facts name. Of a function nobody knows.
func conditions(facts rolecall.Facts) rolecall.Given {
	switch facts := facts.(type) {
	case rolecall.Given:
		return facts
	case *Facts:
		facts.mu.Lock()
		defer facts.mu.Unlock()
		return slices.Sorted(maps.Keys(facts.answers))
	case several:
		var names rolecall.Given
		for _, f := range facts {
			names = append(names, conditions(f)...)
		}
		return names
	}
	return nil
}
