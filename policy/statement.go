package policy

import (
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/rolecall-go/rolecall"
)

// statement reads the statement that starts at a token. It returns nil for a role, whose body may go on, and where the
// form is not right.
func (p *parser) statement(start int) rolecall.Statement {
	end := len(p.tokens)
	switch word := p.tokens[start].text; word {
	case "role":
		p.openRole(start, nil)
	case "member":
		return p.member(start, end)
	case "grant":
		return p.grant(start, end)
	case "override":
		return p.override(start, end, false)
	case "suspend":
		if p.need(start, end, "", "a subject") && p.clauses(p.forms.bare, start+2, end) {
			return rolecall.Suspension{Subject: p.subject(start + 1)}
		}
	case "private":
		if p.need(start, end, "", "a scope") && p.clauses(p.forms.bare, start+2, end) {
			return rolecall.PrivateScope{Scope: p.scope(start + 1)}
		}
	case "constraint":
		return p.constraint(start, end)
	}
	return nil
}

func (p *parser) member(start, end int) rolecall.Statement {
	if !p.need(start, end, "of", "a subject") || !p.clauses(p.forms.member, start+2, end) {
		return nil
	}
	return rolecall.Membership{Member: p.subject(start + 1), Group: p.subject(p.found.after("of").from), Window: p.window()}
}

func (p *parser) grant(start, end int) rolecall.Statement {
	if !p.need(start, end, "at", "a subject", "a role") || !p.clauses(p.forms.grant, start+3, end) {
		return nil
	}
	return rolecall.Grant{
		Subject: p.subject(start + 1), Role: rolecall.RoleName(p.named(nameOfRole, start+2)), Scope: p.scope(p.found.after("at").from),
		When:    p.when(),
		Replace: p.found.has("replace"), Pierce: p.found.has("pierce"), Eligible: p.found.has("eligible"),
		Window: p.window(),
	}
}

// override reads an override. One that is removed need not have its effect.
func (p *parser) override(start, end int, removed bool) rolecall.Statement {
	if !p.need(start, end, "at", "a subject", "an effect") {
		return nil
	}
	effect, err := rolecall.ParseEffect(p.tokens[start+2].text)
	pattern := start + 3
	switch {
	case err == nil && !p.need(start, end, "at", "a subject", "an effect", "a pattern"):
		return nil
	case err != nil && removed:
		pattern = start + 2
	case err != nil:
		p.errorAt(p.tokens[start+2], "an effect is allow, deny or forbid")
		if pattern == end || p.tokens[pattern].quoted || p.tokens[pattern].is("at") { // the effect is missing
			p.subject(start + 1)
			return nil
		}
	}
	if !p.clauses(p.forms.override, pattern+1, end) {
		return nil
	}
	return rolecall.Override{
		Subject: p.subject(start + 1), Effect: effect, Pattern: rolecall.Pattern(p.named(nameOfPattern, pattern)),
		Scope: p.scope(p.found.after("at").from), When: p.when(), Window: p.window(),
	}
}

func (p *parser) constraint(start, end int) rolecall.Statement {
	if !p.need(start, end, "", "a name", "static or dynamic", "a number", "of", "a role") || !p.plain(start+4, end) {
		return nil
	}
	c := rolecall.Constraint{Name: p.name(start + 1), Kind: rolecall.ConstraintKind(p.name(start + 2))}
	if c.Kind != rolecall.Static && c.Kind != rolecall.Dynamic {
		p.errorAt(p.tokens[start+2], "a constraint is static or dynamic")
	}
	limit := p.tokens[start+3].text
	var err error
	if c.Limit, err = strconv.Atoi(limit); err != nil || strconv.Itoa(c.Limit) != limit {
		p.errorAt(p.tokens[start+3], "a constraint limits to a whole number of roles")
	}
	if !p.tokens[start+4].is("of") {
		p.errorAt(p.tokens[start+4], "of is expected here, and then the roles")
		return nil
	}
	for i := start + 5; i < end; i++ {
		c.Roles = append(c.Roles, rolecall.RoleName(p.named(nameOfRole, i)))
	}
	return c
}

// add adds a statement to the policy.
func (p *parser) add(s rolecall.Statement, at place, word token) {
	key := rolecall.KeyOf(s)
	hash := maphash.Comparable(p.seed, key)
	for ; ; hash++ {
		n, taken := p.keys[hash]
		if !taken {
			break
		}
		first := p.file.Statements[n]
		if rolecall.KeyOf(first) != key {
			continue
		}
		if p.textOf(n) != rolecall.Canonical(s).String() {
			p.errs = append(p.errs, &Error{
				File: p.file.Name, Line: at.line, Column: word.column, Word: word.text, Code: rolecall.ErrInvalid,
				Msg: fmt.Sprintf("line %d says something else of the same %s", p.file.places[n].line, key),
			})
		}
		return
	}
	p.keys[hash] = len(p.file.Statements)
	p.file.Statements = append(p.file.Statements, s)
	p.file.places = append(p.file.places, at)
}

// textOf returns the one spelling of a statement that is said again; however often that is, it is worked out once.
func (p *parser) textOf(n int) string {
	text, known := p.texts[n]
	if !known {
		text = rolecall.Canonical(p.file.Statements[n]).String()
		p.texts[n] = text
	}
	return text
}
