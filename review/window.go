package review

import (
	"time"

	"github.com/rolecall-go/rolecall"
)

// overlap returns the window in which both are open; it is empty where they do not meet.
func overlap(a, b rolecall.Window) rolecall.Window {
	return rolecall.Window{NotBefore: later(a.NotBefore, b.NotBefore), NotAfter: earlier(a.NotAfter, b.NotAfter)}
}

// earlier returns the earlier of two ends, of which the zero Time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// later returns the later of two beginnings, of which the zero Time is none.
func later(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.After(a) {
		return b
	}
	return a
}
