package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A Step is one line of a scenario: an expectation, or an edit that must succeed or be refused.
type Step struct {
	Line int
	Text string // as written, without comment; a role's body is not in it

	action action
}

// An action is what a step does. Faults are bad names in the step: it cannot be carried out then, and its outcome is
// the error that they are.
type action interface {
	run(r *runner) Result
}

// A question is what all expectations have in common. Which fields are used depends on the expectation.
type question struct {
	subject    rolecall.Subject
	permission rolecall.Permission
	scope      rolecall.Scope
	given      []rolecall.Condition
	unknown    []rolecall.Condition
	groups     []rolecall.Subject
	actor      rolecall.Subject
	narrow     rolecall.Narrowing
	now        time.Time // zero for the clock of the file
	faults     []error
}

// The actions.
type (
	expectDecision struct {
		question
		verdict string // allow, deny or error
		code    rolecall.Code
	}
	expectScopes struct {
		question
		among []rolecall.Scope
		want  []string
	}
	expectSubjects struct {
		question
		want []string
	}
	expectPermissions struct {
		question
		want []string
	}
	edit struct {
		by     rolecall.Subject
		code   rolecall.Code // empty where the edit must succeed
		edit   rolecall.Edit
		faults []error
	}
)

func (p *parser) step(word string) {
	p.inStep, p.faults = true, nil
	last := p.tokens[len(p.tokens)-1]
	text := p.text[p.tokens[0].column-1 : last.column-1+len(last.text)]
	var a action
	switch word {
	case "expect":
		a = p.expect()
	case "do":
		a = p.edit(1, "")
	case "refuse":
		if p.need(0, len(p.tokens), "", "a code", "an edit") {
			if code, ok := p.code(1); ok {
				a = p.edit(2, code)
			}
		}
	}
	p.file.Steps = append(p.file.Steps, Step{Line: p.at.line, Text: text, action: a})
}

func (p *parser) code(i int) (rolecall.Code, bool) {
	code := rolecall.Code(p.tokens[i].text)
	if !slices.Contains(codes(), code) {
		p.errorAt(p.tokens[i], "no such code; the codes are %s", joined(codes()))
		return "", false
	}
	return code, true
}

func joined[S ~string](words []S) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(w))
	}
	return b.String()
}

func (p *parser) expect() action {
	end := len(p.tokens)
	if !p.need(0, end, "", "what is expected") {
		return nil
	}
	switch verdict := p.tokens[1].text; verdict {
	case "allow", "deny":
		return p.expectDecision(1, verdict, "")
	case "error":
		if !p.need(1, end, "", "a code") {
			return nil
		}
		code, ok := p.code(2)
		if !ok {
			return nil
		}
		return p.expectDecision(2, verdict, code)
	case "scopes":
		return p.expectScopes()
	case "subjects":
		return p.expectSubjects()
	case "permissions":
		return p.expectPermissions()
	}
	p.errorAt(p.tokens[1], "expected is allow, deny, error, scopes, subjects or permissions")
	return nil
}

func (p *parser) expectDecision(start int, verdict string, code rolecall.Code) action {
	end := len(p.tokens)
	if !p.need(start, end, "at", "a subject", "a permission") || !p.clauses(p.forms.atQuestion, start+3, end) {
		return nil
	}
	e := &expectDecision{verdict: verdict, code: code}
	e.subject, e.permission, e.scope = p.subject(start+1), p.permission(start+2), p.scope(p.found.after("at").from)
	e.question = p.question(e.question)
	return e
}

func (p *parser) expectScopes() action {
	end, want, ok := p.wanted()
	if !ok || !p.need(1, end, "among", "a subject", "a permission") || !p.clauses(p.forms.amongQuestion, 4, end) {
		return nil
	}
	e := &expectScopes{want: want}
	e.subject, e.permission = p.subject(2), p.permission(3)
	among := p.found.after("among")
	for i := among.from; i < among.to; i++ {
		e.among = append(e.among, p.scope(i))
	}
	e.question = p.question(e.question)
	return e
}

func (p *parser) expectSubjects() action {
	end, want, ok := p.wanted()
	if !ok || !p.need(1, end, "at", "a permission") || !p.clauses(p.forms.atQuestion, 3, end) {
		return nil
	}
	e := &expectSubjects{want: want}
	e.permission, e.scope = p.permission(2), p.scope(p.found.after("at").from)
	e.question = p.question(e.question)
	return e
}

func (p *parser) expectPermissions() action {
	end, want, ok := p.wanted()
	if !ok || !p.need(1, end, "at", "a subject") || !p.clauses(p.forms.atQuestion, 3, end) {
		return nil
	}
	e := &expectPermissions{want: want}
	e.subject, e.scope = p.subject(2), p.scope(p.found.after("at").from)
	e.question = p.question(e.question)
	return e
}

// wanted reads the list after the equals sign, and returns where that stands.
func (p *parser) wanted() (equals int, want []string, ok bool) {
	equals = slices.IndexFunc(p.tokens, func(t token) bool { return t.is("=") })
	if equals < 0 {
		p.errorAt(p.tokens[len(p.tokens)-1], "= and the expected list are missing after this")
		return 0, nil, false
	}
	list := p.tokens[equals+1:]
	if len(list) == 0 {
		p.errorAt(p.tokens[equals], "the expected list is missing after this; an empty one is written none")
		return 0, nil, false
	}
	if len(list) == 1 && list[0].is("none") {
		return equals, nil, true
	}
	for i, t := range list {
		switch {
		case t.quoted:
			p.errorAt(t, "must be a word, not a quoted string")
			return 0, nil, false
		case t.text == "none":
			p.errorAt(t, "none stands alone")
			return 0, nil, false
		case t.text == "=" || p.forms.atQuestion.find(t) >= 0 || p.forms.amongQuestion.find(t) >= 0:
			p.errorAt(t, "this stands before the =")
			return 0, nil, false
		}
		want = append(want, p.name(equals+1+i))
	}
	slices.Sort(want)
	return equals, slices.Compact(want), true
}

// question adds to q what the clauses say.
func (p *parser) question(q question) question {
	q.groups = p.groups()
	if p.found.has("actor") {
		q.actor = p.subject(p.found.after("actor").from)
	}
	if p.found.has("now") {
		q.now = p.time(p.found.after("now").from)
	}
	roles, patterns := listOf[rolecall.RoleName](p, "roles"), listOf[rolecall.Pattern](p, "only")
	if roles != nil {
		q.narrow = rolecall.ToRoles(roles...)
	}
	if patterns != nil {
		q.narrow = q.narrow.AndPatterns(patterns...)
	}
	seen := map[rolecall.Condition]bool{}
	for _, g := range p.found.given {
		c := rolecall.Condition(p.name(g.to - 1))
		again := seen[c]
		seen[c] = true
		switch {
		case again:
			p.errorAt(p.tokens[g.to-1], "each condition is given once")
		case g.to-g.from == 2:
			q.unknown = append(q.unknown, c)
		default:
			q.given = append(q.given, c)
		}
	}
	q.faults = p.faults
	return q
}

func (p *parser) groups() []rolecall.Subject {
	var groups []rolecall.Subject
	with := p.found.after("with")
	for i := with.from; i < with.to; i++ {
		groups = append(groups, p.subject(i))
	}
	return groups
}

// listOf returns the words of a clause, nil where it is not there.
func listOf[S ~string](p *parser, clause string) []S {
	var list []S
	words := p.found.after(clause)
	for i := words.from; i < words.to; i++ {
		list = append(list, S(p.name(i)))
	}
	return list
}

// edit reads who makes an edit, and the edit.
func (p *parser) edit(start int, code rolecall.Code) action {
	e := &edit{code: code}
	if start < len(p.tokens) && p.tokens[start].is("by") {
		if !p.need(start, len(p.tokens), "", "a subject", "an edit") {
			return nil
		}
		e.by = p.subject(start + 1)
		start += 2
	}
	if start >= len(p.tokens) {
		p.errorAt(p.tokens[start-1], "an edit is missing after this")
		return nil
	}
	ok := p.editOf(e, start)
	e.faults = p.faults
	if !ok {
		return nil
	}
	return e
}
