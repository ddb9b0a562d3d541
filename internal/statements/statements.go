// Package statements tells what statements of several kinds have in common: a place, a window, those whom they are about.
package statements

import "github.com/rolecall-go/rolecall"

// Scope returns where a statement is placed, the zero Scope where it is at no place.
func Scope(one rolecall.Statement) rolecall.Scope {
	switch one := one.(type) {
	case rolecall.Grant:
		return one.Scope
	case rolecall.Override:
		return one.Scope
	case rolecall.PrivateScope:
		return one.Scope
	}
	return rolecall.Scope{}
}

// Subjects returns whom a statement is about.
func Subjects(one rolecall.Statement) []rolecall.Subject {
	switch one := one.(type) {
	case rolecall.Membership:
		return []rolecall.Subject{one.Member, one.Group}
	case rolecall.Grant:
		return []rolecall.Subject{one.Subject}
	case rolecall.Override:
		return []rolecall.Subject{one.Subject}
	case rolecall.Suspension:
		return []rolecall.Subject{one.Subject}
	}
	return nil
}

// Window returns when a statement counts; one that has no window always does.
func Window(one rolecall.Statement) rolecall.Window {
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

// During returns a statement with another window, if it is of a kind that has one.
func During(w rolecall.Window, one rolecall.Statement) rolecall.Statement {
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
