package review

import (
	"time"

	"github.com/rolecall-go/rolecall"
)

// windowOf returns when a statement counts; one that has no window always does.
func windowOf(one rolecall.Statement) rolecall.Window {
	switch one := one.(type) {
	case rolecall.Membership:
		return one.Window
	case rolecall.Grant:
		return one.Window
	case rolecall.Override:
		return one.Window
	}
	return rolecall.Window{}
}

// during returns a statement with another window, if it is of a kind that has one.
func during(w rolecall.Window, one rolecall.Statement) rolecall.Statement {
	switch one := one.(type) {
	case rolecall.Membership:
		one.Window = w
		return one
	case rolecall.Grant:
		one.Window = w
		return one
	case rolecall.Override:
		one.Window = w
		return one
	}
	return one
}

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

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
