package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A File is what a file in the text form says: a policy, and the steps of a scenario if it has some. It is read-only
// after Parse and may then be used by several goroutines at once.
type File struct {
	Name         string
	Declarations rolecall.Declarations
	Statements   []rolecall.Statement // in the order of the file; what is said twice is here once
	Clock        time.Time            // of the clock line; zero where there is none
	Steps        []Step

	source       string
	places       []place // of the statements
	declarations []declared
}

// A place is where a line starts.
type place struct {
	line   int
	offset int
}

// declared is one declaration by itself and its place.
type declared struct {
	rolecall.Declarations
	place
	word   string
	column int
}

// Now returns the instant at which the file's steps are judged where they name none: that of its clock line, or the
// first of January 2026.
func (f *File) Now() time.Time {
	if f.Clock.IsZero() {
		return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return f.Clock
}

// Lines returns on which line of the file each statement starts. What was not read from a text has none.
func (f *File) Lines() map[rolecall.StatementKey]int {
	lines := make(map[rolecall.StatementKey]int, len(f.places))
	for i, s := range f.Statements[:min(len(f.Statements), len(f.places))] {
		lines[rolecall.KeyOf(s)] = f.places[i].line
	}
	return lines
}

// Catalog returns the catalog of what the file declares. The error is an Errors with the places of all bad declarations.
func (f *File) Catalog() (*rolecall.Catalog, error) {
	c, errs := f.catalog()
	if err := errs.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// catalog returns the catalog of the good declarations and what is wrong with the others.
func (f *File) catalog() (*rolecall.Catalog, Errors) {
	c, err := rolecall.NewCatalog(f.Declarations)
	if err == nil {
		return c, nil
	}
	var errs Errors
	var good rolecall.Declarations
	for _, d := range f.declarations {
		_, fault := rolecall.NewCatalog(d.Declarations)
		if fault == nil {
			good = join(good, d.Declarations)
			continue
		}
		for _, p := range rolecall.ProblemsOf(fault) {
			errs = append(errs, &Error{f.Name, d.line, d.column, d.word, p.Code, p.Detail})
		}
	}
	if len(errs) == 0 { // a fault of all together, or declarations that were not read from a text
		for _, p := range rolecall.ProblemsOf(err) {
			errs = append(errs, f.withoutPlace(p))
		}
	}
	if c, err = rolecall.NewCatalog(good); err != nil {
		return nil, errs
	}
	return c, errs
}

func join(a, b rolecall.Declarations) rolecall.Declarations {
	a.Permissions = append(a.Permissions, b.Permissions...)
	a.Conditions = append(a.Conditions, b.Conditions...)
	a.ScopeKinds = append(a.ScopeKinds, b.ScopeKinds...)
	a.SubjectKinds = append(a.SubjectKinds, b.SubjectKinds...)
	return a
}

// Snapshot builds the file's policy, judged at the file's clock. The error is an Errors that tells every problem of the
// declarations and the statements at its place: names that are not declared, cycles, limits, roles held by the wrong
// kind of subject, broken separation of duty.
func (f *File) Snapshot() (*rolecall.Snapshot, error) {
	s, errs := f.snapshot(false)
	if err := errs.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// snapshot builds the policy. Where the form of the file is faulty, or anything else is wrong, it tells all that is.
func (f *File) snapshot(faulty bool) (*rolecall.Snapshot, Errors) {
	c, errs := f.catalog()
	if c == nil {
		return nil, errs
	}
	s, err := rolecall.NewSnapshot(c, f.Statements...)
	if err == nil && !faulty && len(errs) == 0 {
		return s.At(f.Now()), nil
	}
	problems := rolecall.ProblemsOf(err)
	if err != nil && len(problems) == 0 {
		return nil, append(errs, &Error{File: f.Name, Code: rolecall.ErrInvalid, Msg: err.Error()})
	}
	names, problems := f.unknownNames(c, problems)
	return nil, slices.Concat(errs, names, f.locate(problems))
}

// locate finds the places of problems.
func (f *File) locate(problems []*rolecall.Problem) Errors {
	where := f.indexes(problems)
	errs := make(Errors, 0, len(problems))
	for _, p := range problems {
		i := -1
		if p.Statement != nil {
			i = where[rolecall.KeyOf(p.Statement)]
		}
		if i < 0 {
			errs = append(errs, f.withoutPlace(p))
			continue
		}
		errs = append(errs, f.withPlace(p, f.Statements[i], f.places[i]))
	}
	return errs
}

// indexes returns the numbers of the statements that problems are about, -1 for one that has no place in the file.
func (f *File) indexes(problems []*rolecall.Problem) map[rolecall.StatementKey]int {
	where := map[rolecall.StatementKey]int{}
	for _, p := range problems {
		if p.Statement != nil {
			where[rolecall.KeyOf(p.Statement)] = -1
		}
	}
	if len(where) == 0 {
		return where
	}
	for i, s := range f.Statements[:min(len(f.Statements), len(f.places))] {
		key := rolecall.KeyOf(s)
		if first, wanted := where[key]; wanted && first < 0 {
			where[key] = i
		}
	}
	return where
}

// withPlace returns the error of a problem with a statement that starts at that place.
func (f *File) withPlace(p *rolecall.Problem, s rolecall.Statement, at place) *Error {
	_, isRole := s.(rolecall.Role)
	e := &Error{File: f.Name, Word: p.Word, Code: p.Code, Msg: p.Detail}
	e.Line, e.Column = f.find(at, isRole, &e.Word)
	return e
}

func (f *File) withoutPlace(p *rolecall.Problem) *Error {
	msg := p.Detail
	if p.Place != "" {
		msg = fmt.Sprintf("%s: %s", p.Place, msg)
	}
	return &Error{File: f.Name, Word: p.Word, Code: p.Code, Msg: msg}
}

// find returns the line and the column of the word in the statement that starts at a place, those of the statement
// itself where the word is not in it. An empty word becomes the first one of the statement, or all of one to remove.
func (f *File) find(at place, isRole bool, word *string) (line, column int) {
	text, rest := cutLine(f.source[at.offset:])
	tokens, _, _ := splitLine(text, nil)
	first := tokens[0]
	switch {
	case *word == "" && first.is("remove"):
		last := tokens[len(tokens)-1]
		*word = text[tokens[1].column-1 : last.column-1+len(last.text)]
		return at.line, tokens[1].column
	case *word == "":
		*word = first.text
		return at.line, first.column
	}
	for line = at.line; ; line++ {
		for _, t := range tokens {
			if n := t.indexOf(*word); n >= 0 {
				return line, t.column + n
			}
		}
		if !isRole || rest == "" {
			return at.line, first.column
		}
		text, rest = cutLine(rest)
		tokens, _, _ = splitLine(text, tokens[:0])
		if len(tokens) > 0 && !isBodyWord(tokens[0]) {
			return at.line, first.column
		}
	}
}
