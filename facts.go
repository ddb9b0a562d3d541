package rolecall

import (
	"fmt"
	"slices"
)

// Facts answer, for the subject and the target of one request, whether a condition holds. An error means that it
// cannot be said, as does a panic; what cannot be said never opens a door. An implementation is asked at most once a
// condition and decision, and at most once a condition for all the permissions that a View answers at one target together;
// only for conditions that matter, from the goroutine that asks. A nil Facts says that no condition holds.
type Facts interface {
	Holds(Condition) (bool, error)
}

// Given is the plain set of conditions that hold; every other one does not. A name that the catalog does not declare
// is an error of the request.
type Given []Condition

// Holds says whether c is in the set.
func (g Given) Holds(c Condition) (bool, error) { return slices.Contains(g, c), nil }

// A FactFunc is a function as Facts.
type FactFunc func(Condition) (bool, error)

// Holds calls f.
func (f FactFunc) Holds(c Condition) (bool, error) { return f(c) }

// truth is the three-valued answer to a condition. The zero value has not been asked.
type truth uint8

const (
	unasked = truth(iota)
	holds
	fails
	unknown
)

// inlineConditions answers are remembered without an allocation.
const inlineConditions = 32

// answers asks Facts once a condition and remembers what they said.
type answers struct {
	facts  Facts
	inline [inlineConditions]truth
	more   map[uint16]truth
	causes map[uint16]error
	asked  bool // some condition had a part in the answer
}

// ask returns the answer to the condition of that number; number 0 is no condition, which holds.
func (a *answers) ask(c *Catalog, number uint16) truth {
	if number == 0 {
		return holds
	}
	a.asked = true
	if a.facts == nil {
		return fails
	}
	if t := a.known(number); t != unasked {
		return t
	}
	t, cause := askFacts(a.facts, c.conditionOf[number])
	if cause != nil {
		if a.causes == nil {
			a.causes = map[uint16]error{}
		}
		a.causes[number] = cause
	}
	a.tell(number, t)
	return t
}

// tell keeps the answer to a condition, which is not asked for any more then.
func (a *answers) tell(number uint16, t truth) {
	if number < inlineConditions {
		a.inline[number] = t
		return
	}
	if a.more == nil {
		a.more = map[uint16]truth{}
	}
	a.more[number] = t
}

func (a *answers) known(number uint16) truth {
	if number < inlineConditions {
		return a.inline[number]
	}
	return a.more[number]
}

func askFacts(f Facts, c Condition) (t truth, cause error) {
	ok, err := askHost(f, c)
	switch {
	case err != nil:
		return unknown, fmt.Errorf("condition %s: %w", c, err)
	case ok:
		return holds, nil
	}
	return fails, nil
}

// askHost turns a panic of the host's code into an error: it cannot say.
func askHost(f Facts, c Condition) (ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			ok, err = false, fmt.Errorf("panic: %v", r)
		}
	}()
	return f.Holds(c)
}

// askedOnce remembers what Facts say of each condition, for several answers at one target that are to agree.
type askedOnce struct {
	facts Facts
	said  []saidOf
}

type saidOf struct {
	condition Condition
	holds     bool
	err       error
}

// of returns facts that are asked once until it is called again. Those that cost nothing to ask are left as they are.
func (a *askedOnce) of(facts Facts) Facts {
	switch facts.(type) {
	case nil, Given:
		return facts
	}
	a.facts, a.said = facts, a.said[:0]
	return a
}

// Holds says whether c holds.
func (a *askedOnce) Holds(c Condition) (bool, error) {
	i := slices.IndexFunc(a.said, func(s saidOf) bool { return s.condition == c })
	if i < 0 {
		ok, err := askHost(a.facts, c)
		i, a.said = len(a.said), append(a.said, saidOf{c, ok, err})
	}
	return a.said[i].holds, a.said[i].err
}

// joinFacts returns the only facts, or all of them as one.
func joinFacts(facts []Facts) Facts {
	if len(facts) == 1 {
		return facts[0]
	}
	return severalFacts(facts)
}

// severalFacts holds where one of them holds, and cannot say where one cannot and none holds.
type severalFacts []Facts

// Holds asks each in turn.
func (s severalFacts) Holds(c Condition) (bool, error) {
	var cause error
	for _, f := range s {
		if f == nil {
			continue
		}
		ok, err := askHost(f, c)
		if ok && err == nil {
			return true, nil
		}
		if err != nil && cause == nil {
			cause = err
		}
	}
	return false, cause
}
