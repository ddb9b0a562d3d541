package httpauthz

import (
	"fmt"

	"github.com/rolecall-go/rolecall"
)

// watched are facts that remember their first error: a check says no more than that a condition cannot be said.
type watched struct {
	facts rolecall.Facts
	err   error
}

// watch returns facts that remember, and where. Those that never fail stay as they are, and there is nil.
func watch(facts rolecall.Facts) (rolecall.Facts, *watched) {
	switch facts.(type) {
	case nil, rolecall.Given:
		return facts, nil
	}
	w := &watched{facts: facts}
	return w, w
}

// Holds says whether c holds. A panic is an error, as it is to whoever asks.
func (w *watched) Holds(c rolecall.Condition) (ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			ok, err = false, fmt.Errorf("panic: %v", r)
		}
		if err != nil && w.err == nil {
			w.err = fmt.Errorf("condition %s: %w", c, err)
		}
	}()
	return w.facts.Holds(c)
}

// cause returns the first error, nil where there was none.
func (w *watched) cause() error {
	if w == nil {
		return nil
	}
	return w.err
}
