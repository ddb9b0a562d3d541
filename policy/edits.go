package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/suggest"
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

// editOf reads the edit that starts at a token and says whether its form is right.
func (p *parser) editOf(e *edit, start int) bool {
	end := len(p.tokens)
	faults := len(p.errs)
	switch first := p.tokens[start]; {
	case first.is("remove"):
		e.edit.Op = rolecall.OpRemove
		if !p.need(start, end, "", "a statement") {
			return false
		}
		return p.put(e, start+1)
	case first.is("forget"):
		if !p.need(start, end, "", "a subject or a scope") || !p.clauses(p.forms.bare, start+2, end) {
			return false
		}
		if strings.HasPrefix(p.tokens[start+1].text, "/") {
			e.edit = rolecall.ForgetScope(p.scope(start + 1))
		} else {
			e.edit = rolecall.ForgetSubject(p.subject(start + 1))
		}
	case first.is("activate"):
		if !p.need(start, end, "at", "a subject", "a role") || !p.clauses(p.forms.activate, start+3, end) {
			return false
		}
		a := rolecall.Activation{
			Subject: p.subject(start + 1), Role: rolecall.RoleName(p.name(start + 2)), Scope: p.scope(p.found.after("at").from),
			Reason: p.quoted("a reason"),
		}
		if p.found.has("until") {
			a.Until = p.time(p.found.after("until").from)
		}
		e.edit = rolecall.Activate(a)
	default:
		e.edit.Op = rolecall.OpPut
		return p.put(e, start)
	}
	return len(p.errs) == faults
}

// put reads the statement that an edit adds or removes. That of a role is complete only after its body.
func (p *parser) put(e *edit, start int) bool {
	faults := len(p.errs)
	removed := e.edit.Op == rolecall.OpRemove
	switch first := p.tokens[start]; {
	case first.is("role"):
		p.openRole(start, e)
	case first.is("override"):
		e.edit.Statement = p.override(start, len(p.tokens), removed)
	case first.is("constraint") && removed && len(p.tokens) == start+2:
		e.edit.Statement = rolecall.Constraint{Name: p.name(start + 1)}
	case first.is("member"), first.is("grant"), first.is("suspend"), first.is("private"), first.is("constraint"):
		e.edit.Statement = p.statement(start)
	default:
		p.errorAt(first, "an edit is a statement, remove and a statement, forget or activate%s", suggest.DidYouMean(p.nearEdit(first, removed)))
	}
	return len(p.errs) == faults
}

// Locate returns the problems of err, which a change of exactly these edits had, with their places in the text. A problem
// of no single edit has none. An err without problems is returned as it is.
func (e *Edits) Locate(err error) error {
	problems := rolecall.ProblemsOf(err)
	if len(problems) == 0 {
		return err
	}
	numbers := e.numbers()
	errs := make(Errors, 0, len(problems))
	for _, p := range problems {
		i := numbers.concerned(p)
		if i < 0 {
			errs = append(errs, e.file.withoutPlace(p))
			continue
		}
		errs = append(errs, e.file.withPlace(p, e.List[i].Statement, e.places[i]))
	}
	return errs.err()
}

// editNumbers find the first edit about something.
type editNumbers struct {
	byKey   map[rolecall.StatementKey]int
	byPlace map[string]int // as problems write it
}

func (e *Edits) numbers() editNumbers {
	n := editNumbers{map[rolecall.StatementKey]int{}, map[string]int{}}
	for i, one := range slices.Backward(e.List) {
		n.byPlace["edit "+strconv.Itoa(i+1)] = i
		if s := about(one); s != nil {
			key := rolecall.KeyOf(s)
			n.byKey[key], n.byPlace[key.String()] = i, i
		}
	}
	return n
}

// concerned returns the number of the edit that a problem is about, -1 where it is about none.
func (n editNumbers) concerned(p *rolecall.Problem) int {
	if i, known := n.byPlace[p.Place]; known {
		return i
	}
	if p.Statement != nil {
		if i, known := n.byKey[rolecall.KeyOf(p.Statement)]; known {
			return i
		}
	}
	return -1
}

// about returns the statement that an edit is about, nil where it is about many.
func about(e rolecall.Edit) rolecall.Statement {
	if e.Op == rolecall.OpActivate {
		return rolecall.Grant{Subject: e.Activation.Subject, Role: e.Activation.Role, Scope: e.Activation.Scope}
	}
	return e.Statement
}
