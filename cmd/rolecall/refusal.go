package main

import (
	"errors"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

// isRefusal says whether an error is a no to a change: nothing in it is malformed or names what is not there.
func isRefusal(err error) bool {
	for _, code := range []error{rolecall.ErrInvalid, rolecall.ErrUnknown, rolecall.ErrLimit} {
		if errors.Is(err, code) {
			return false
		}
	}
	return len(faultsOf(err)) > 0
}

// A fault is one thing in the way of a change.
type fault struct {
	Code    rolecall.Code `json:"code"`
	File    string        `json:"file,omitempty"`
	Line    int           `json:"line,omitempty"`
	Column  int           `json:"column,omitempty"`
	Word    string        `json:"word,omitempty"`
	Message string        `json:"message"`
	err     error
}

func (f fault) String() string { return f.err.Error() }

// faultsOf returns the faults in an error, none where it has no code.
func faultsOf(err error) []fault {
	var list []fault
	var located policy.Errors
	if errors.As(err, &located) {
		for _, e := range located {
			list = append(list, fault{e.Code, e.File, e.Line, e.Column, e.Word, e.Msg, e})
		}
		return list
	}
	for _, p := range rolecall.ProblemsOf(err) {
		list = append(list, fault{Code: p.Code, Word: p.Word, Message: p.Detail, err: p})
	}
	return list
}
