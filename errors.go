package rolecall

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rolecall-go/rolecall/internal/visible"
)

// A Code names one kind of refusal. It is an error itself, so that a caller tests for it with errors.Is:
//
//	if errors.Is(err, rolecall.ErrCycle) { … }
//
// Its text is the word that the text form and scenarios use ("cycle", "in-use", …).
type Code string

// Error returns the code's word.
func (c Code) Error() string { return string(c) }

// The codes of the problems that a request, a policy or a change can have.
const (
	ErrInvalid      Code = "invalid"       // malformed: a name, an id, a window, a combination that has no meaning
	ErrUnknown      Code = "unknown"       // names something that is not declared or not there
	ErrLimit        Code = "limit"         // beyond a limit of the model
	ErrNotPermitted Code = "not-permitted" // the actor may not make this edit there
	ErrCycle        Code = "cycle"         // roles or groups would contain themselves
	ErrInUse        Code = "in-use"        // a role is still named by a grant, a role or a constraint
	ErrHolder       Code = "holder"        // the role may not be held by this subject or at this scope
	ErrSeparation   Code = "separation"    // breaks a separation-of-duty constraint
	ErrEscalation   Code = "escalation"    // would let somebody do what the actor may not
	ErrNotEligible  Code = "not-eligible"  // activates a role that the subject is not eligible for there
	ErrLastAdmin    Code = "last-admin"    // would leave nobody in charge
)

// The outcomes that a caller acts upon.
const (
	// ErrDenied says no: the policy was consulted and does not allow it.
	ErrDenied Code = "denied"
	// ErrConflict says that the policy moved on since the proposal was made. Update retries by itself.
	ErrConflict Code = "conflict"
	// ErrStale says that a resolver can no longer vouch for the freshness of its snapshot, so it gives no answer.
	ErrStale Code = "stale"
	// ErrCompacted says that a store no longer keeps the history asked for: load the whole policy again.
	ErrCompacted Code = "compacted"
)

// A Problem is one thing wrong with a request, a policy or a change. errors.Is(p, p.Code) holds.
type Problem struct {
	Code   Code
	Place  string // what was being looked at: a statement, "request", …
	Word   string // the offending word, as written
	Detail string // what is wrong with it and what would be right
	// Statement is the statement concerned, nil where there is none.
	Statement Statement
	// Missing lists what an actor lacks, for ErrEscalation only.
	Missing []Missing
}

// A Missing names a permission that an actor would have had to hold, and where.
type Missing struct {
	Permission Permission
	Scope      Scope
}

// String returns the permission and its place.
func (m Missing) String() string { return m.Permission.String() + " at " + m.Scope.String() }

// Error returns place, detail, word and code on one line. What would end the line, or act upon a terminal, is written as its
// escape: names come from anybody.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Place != "" {
		b.WriteString(visible.Text(p.Place, ""))
		b.WriteString(": ")
	}
	b.WriteString(visible.Text(p.Detail, ""))
	if p.Word != "" {
		fmt.Fprintf(&b, ": %q", p.Word)
	}
	fmt.Fprintf(&b, " (%s)", string(p.Code))
	return b.String()
}

// Unwrap returns the code.
func (p *Problem) Unwrap() error { return p.Code }

// Problems are all the problems of one input, in a stable order. errors.Is finds the code of each.
type Problems []*Problem

// Error returns one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems as errors.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// err returns nil where there is no problem, so that an empty list never becomes a non-nil error.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// ProblemsOf returns the problems inside err, nil where it holds none.
func ProblemsOf(err error) []*Problem {
	var many Problems
	if errors.As(err, &many) {
		return many
	}
	var one *Problem
	if errors.As(err, &one) {
		return []*Problem{one}
	}
	return nil
}

func problem(code Code, place, word, format string, args ...any) *Problem {
	return &Problem{Code: code, Place: place, Word: word, Detail: fmt.Sprintf(format, args...)}
}

// placed returns the problem that err is, at a place.
func placed(err error, place string) *Problem {
	p := *err.(*Problem)
	p.Place = place
	return &p
}
