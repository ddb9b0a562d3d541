package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// An Error is one thing wrong with a file. errors.Is(err, err.Code) holds.
type Error struct {
	File   string
	Line   int    // counted from 1; 0 where the problem has no place of its own in the file
	Column int    // of the first byte of Word, counted from 1
	Word   string // the offending word, as written; all of a statement that is not there to remove
	Code   rolecall.Code
	Msg    string // what is wrong and what would be right
}

// Error returns file:line:column: message: "word" (code).
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		b.WriteByte(':')
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(e.Msg)
	if e.Word != "" {
		fmt.Fprintf(&b, ": %q", e.Word)
	}
	fmt.Fprintf(&b, " (%s)", string(e.Code))
	return b.String()
}

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

// Errors are all the things wrong with a file, in the order of their places. errors.Is finds the code of each.
type Errors []*Error

// Error returns one error a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// err returns the errors in order without repetitions, nil where there are none.
func (es Errors) err() error {
	if len(es) == 0 {
		return nil
	}
	slices.SortStableFunc(es, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(es, func(a, b *Error) bool { return *a == *b })
}

// codes are the codes that the text form knows.
func codes() []rolecall.Code {
	return []rolecall.Code{
		rolecall.ErrInvalid, rolecall.ErrUnknown, rolecall.ErrLimit, rolecall.ErrNotPermitted, rolecall.ErrCycle,
		rolecall.ErrInUse, rolecall.ErrHolder, rolecall.ErrSeparation, rolecall.ErrEscalation, rolecall.ErrNotEligible,
		rolecall.ErrLastAdmin,
	}
}
