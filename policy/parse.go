package policy

import (
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/suggest"
)

// Parse reads the text form. name is what errors call the file. The error is an Errors that tells everything wrong with
// the form of the file: then there is no File. Whether what the statements name is declared, and whether they go
// together, is for File.Snapshot to say; Load does both at once.
func Parse(name string, src []byte) (*File, error) {
	p := newParser(name, string(src))
	p.run()
	if err := p.errs.err(); err != nil {
		return nil, err
	}
	return p.file, nil
}

// Load reads the text form and builds the policy, judged at the file's clock. The error is an Errors that tells
// everything wrong with the form and the meaning of the file.
func Load(name string, src []byte) (*File, *rolecall.Snapshot, error) {
	p := newParser(name, string(src))
	p.run()
	s, errs := p.file.snapshot(len(p.errs) > 0)
	if err := append(p.errs, errs...).err(); err != nil {
		return nil, nil, err
	}
	return p.file, s, nil
}

// A parser goes through a file once, line by line. What a faulty line says as far as it could be read is kept, so that
// one fault does not bring others after it; a file with a fault is never handed out.
type parser struct {
	forms forms
	file  *File
	errs  Errors

	at     place // of the current line
	text   string
	tokens []token
	found  clauses
	muted  bool // one fault of this line is told, others would only follow from it

	role      *openRole // to which the next body line belongs, nil where none is open
	inStep    bool      // names are judged when the step runs
	faults    []error   // of the names in the current step
	clockAt   int       // the line of the clock
	seed      maphash.Seed
	keys      map[uint64]int // hash of a statement's key to its number
	texts     map[int]string // of statements that are said again, by their numbers
	names     map[string]string
	scopes    map[string]rolecall.Scope
	declaring map[string]int // kind and name to the number of the declaration
	keep      *layout        // collects the lines for the formatter, nil where nobody wants them
	edits     *editLines     // collects edits, nil where the text is a policy
	known     *known         // collects names that are not known, nil where nobody asks
}

func newParser(name, src string) *parser {
	return &parser{
		forms:     newForms(),
		file:      &File{Name: name, source: strings.TrimPrefix(src, "\uFEFF")},
		seed:      maphash.MakeSeed(),
		keys:      map[uint64]int{},
		texts:     map[int]string{},
		names:     map[string]string{},
		scopes:    map[string]rolecall.Scope{},
		declaring: map[string]int{},
	}
}

func (p *parser) run() {
	src := p.file.source
	for rest := src; rest != ""; {
		p.at = place{p.at.line + 1, len(src) - len(rest)}
		var line string
		line, rest = cutLine(rest)
		p.line(line)
	}
	p.closeRole()
}

func (p *parser) line(text string) {
	var comment string
	var fault *lexFault
	p.text, p.muted, p.inStep, p.found.start, p.found.end = text, false, false, 0, 0
	p.tokens, comment, fault = splitLine(text, p.tokens[:0])
	if fault != nil {
		p.errorAt(token{text: fault.word, column: fault.column}, "%s", fault.what)
		p.muted = true
	}
	if len(p.tokens) > 0 {
		p.words()
	}
	if p.keep != nil {
		p.keep.add(p, text, comment)
	}
}

func isBodyWord(t token) bool {
	if t.quoted {
		return false
	}
	switch t.text {
	case "description", "inherits", "allow", "except", "deny", "forbid":
		return true
	}
	return false
}

// words reads a line that has some.
func (p *parser) words() {
	if isBodyWord(p.tokens[0]) {
		p.body()
		return
	}
	if p.edits != nil {
		p.editLine()
		return
	}
	word := p.tokens[0].text
	switch word {
	case "permission", "condition", "kind", "clock", "role", "member", "grant", "override", "suspend", "private", "constraint":
		p.closeRole()
		if len(p.file.Steps) > 0 {
			p.errorAt(p.tokens[0], "the policy stands before the steps; a step that changes it starts with do")
			p.muted = true
		}
		p.policyLine(word)
	case "expect", "do", "refuse":
		p.closeRole()
		p.step(word)
	default:
		p.errorAt(p.tokens[0], "a line does not start with this%s", suggest.DidYouMean(meant(near(p.tokens[0], lineWords()))))
	}
}

func (p *parser) policyLine(word string) {
	switch word {
	case "permission", "condition":
		p.declaration(word, 1)
	case "kind":
		if !p.need(0, len(p.tokens), "", "subject or scope") {
			return
		}
		switch kind := p.tokens[1]; kind.text {
		case "subject", "scope":
			p.declaration(word+" "+kind.text, 2)
		default:
			p.errorAt(kind, "a kind is of a subject or a scope")
		}
	case "clock":
		p.clock()
	default:
		faults := len(p.errs)
		s := p.statement(0)
		if s != nil && len(p.errs) == faults && !p.muted {
			p.add(s, p.at, p.tokens[1])
		}
	}
}

func (p *parser) fault(t token, err error) {
	for _, problem := range rolecall.ProblemsOf(err) {
		p.report(t, problem.Code, problem.Detail)
	}
}

func (p *parser) errorAt(t token, format string, args ...any) {
	p.report(t, rolecall.ErrInvalid, fmt.Sprintf(format, args...))
}

func (p *parser) report(t token, code rolecall.Code, msg string) {
	if !p.muted {
		p.errs = append(p.errs, &Error{p.file.Name, p.at.line, t.column, t.text, code, msg})
	}
}
