package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// Edits are what a text says about changing a policy: one edit a line, written as after the do of a scenario, a role over
// its following lines.
type Edits struct {
	List []rolecall.Edit

	file   *File   // of the text, without statements
	places []place // of the edits
}

// ParseEdits reads edits. name is what errors call the text. The error is an Errors that tells everything wrong with the
// form of the text; whether the edits can be made is for Snapshot.Propose and Snapshot.Plan to say, and Locate tells
// where in the text their problems are.
func ParseEdits(name string, src []byte) (*Edits, error) {
	p := newParser(name, string(src))
	p.edits = &editLines{}
	p.run()
	if err := p.errs.err(); err != nil {
		return nil, err
	}
	e := &Edits{file: p.file, places: p.edits.places}
	for _, line := range p.edits.list {
		e.List = append(e.List, line.edit)
	}
	return e, nil
}

// editLines collects the edits of a text.
type editLines struct {
	list   []*edit
	places []place
}

// editLine reads a line of a text of edits that starts one.
func (p *parser) editLine() {
	p.closeRole()
	e := &edit{}
	if p.editOf(e, 0) {
		p.edits.list = append(p.edits.list, e)
		p.edits.places = append(p.edits.places, p.at)
	}
}

// Locate returns the problems of err, which a change of exactly these edits had, with their places in the text. A problem
// of no single edit has none. An err without problems is returned as it is.
func (e *Edits) Locate(err error) error {
	problems := rolecall.ProblemsOf(err)
	if len(problems) == 0 {
		return err
	}
	errs := make(Errors, 0, len(problems))
	for _, p := range problems {
		i := e.concerned(p)
		if i < 0 {
			errs = append(errs, e.file.withoutPlace(p))
			continue
		}
		_, isRole := e.List[i].Statement.(rolecall.Role)
		one := &Error{File: e.file.Name, Word: p.Word, Code: p.Code, Msg: p.Detail}
		one.Line, one.Column = e.file.find(e.places[i], isRole, &one.Word)
		errs = append(errs, one)
	}
	return errs.err()
}

// concerned returns the number of the edit that a problem is about, -1 where it is about none.
func (e *Edits) concerned(p *rolecall.Problem) int {
	if n, isEdit := strings.CutPrefix(p.Place, "edit "); isEdit {
		if i, err := strconv.Atoi(n); err == nil && i >= 1 && i <= len(e.List) {
			return i - 1
		}
	}
	return slices.IndexFunc(e.List, func(one rolecall.Edit) bool {
		s := about(one)
		if s == nil {
			return false
		}
		key := rolecall.KeyOf(s)
		return p.Statement != nil && rolecall.KeyOf(p.Statement) == key || p.Place == key.String()
	})
}

// about returns the statement that an edit is about, nil where it is about many.
func about(e rolecall.Edit) rolecall.Statement {
	if e.Op == rolecall.OpActivate {
		return rolecall.Grant{Subject: e.Activation.Subject, Role: e.Activation.Role, Scope: e.Activation.Scope}
	}
	return e.Statement
}
