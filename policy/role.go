package policy

import (
	"fmt"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// An openRole is a role whose body may go on.
type openRole struct {
	rolecall.Role
	place
	word      token
	step      *edit // nil for a role of the policy
	described bool
}

// openRole reads the first line of a role.
func (p *parser) openRole(start int, step *edit) {
	end := len(p.tokens)
	if !p.need(start, end, "", "a name") {
		p.role = &openRole{place: p.at, word: p.tokens[start], step: step}
		return
	}
	r := &openRole{place: p.at, word: p.tokens[start+1], step: step}
	r.Name = rolecall.RoleName(p.name(start + 1))
	p.role = r
	if !p.clauses(p.forms.role, start+2, end) {
		return
	}
	r.Title = p.quoted("a title")
	r.Holders = kinds[rolecall.SubjectKind](p, "holders", nameOfSubjectKind)
	r.Scopes = kinds[rolecall.ScopeKind](p, "scopes", nameOfScopeKind)
}

// kinds reads a comma-separated list of kinds.
func kinds[K ~string](p *parser, clause string, of nameKind) []K {
	if !p.found.has(clause) {
		return nil
	}
	t := p.tokens[p.found.after(clause).from]
	var list []K
	column := t.column
	for kind := range strings.SplitSeq(t.text, ",") {
		if kind == "" {
			p.errorAt(t, "kinds are separated by single commas, without blanks")
			return nil
		}
		p.mention(of, kind, column)
		column += len(kind) + 1
		list = append(list, K(strings.Clone(kind)))
	}
	return list
}

// body reads a line of a role's body.
func (p *parser) body() {
	if p.role == nil {
		p.stray()
		return
	}
	p.inStep = p.role.step != nil
	switch word := p.tokens[0].text; word {
	case "description":
		p.description()
	case "inherits":
		if p.need(0, len(p.tokens), "", "a role") && p.plain(1, len(p.tokens)) {
			for i := range p.tokens[1:] {
				p.role.Inherits = append(p.role.Inherits, rolecall.RoleName(p.named(nameOfRole, i+1)))
			}
		}
	default:
		effect, _ := rolecall.ParseEffect(word)
		p.rule(effect)
	}
}

// stray reports a line of a body that belongs to no role.
func (p *parser) stray() {
	hint := ""
	if _, err := rolecall.ParseEffect(p.tokens[0].text); err == nil && len(p.tokens) > 1 && isSubject(p.tokens[1]) {
		hint = p.exception(p.tokens[1])
	}
	p.errorAt(p.tokens[0], "this belongs to a role, and there is none above it%s", hint)
}

func (p *parser) description() {
	const form = "a description is one double-quoted string"
	switch {
	case len(p.tokens) == 1:
		p.errorAt(p.tokens[0], form)
	case !p.tokens[1].quoted:
		p.errorAt(p.tokens[1], form)
	case len(p.tokens) > 2:
		p.errorAt(p.tokens[2], form)
	case p.role.described:
		p.errorAt(p.tokens[0], "given twice")
	default:
		p.role.described, p.role.Description = true, p.tokens[1].value
	}
}

func (p *parser) rule(effect rolecall.Effect) {
	end := len(p.tokens)
	if !p.need(0, end, "when", "a pattern") || !p.plain(1, end) {
		return
	}
	rule := rolecall.Rule{Effect: effect}
	i, faulty := 1, false
	for ; i < end && !startsCondition(p.tokens[i]); i++ {
		if fault := p.noPattern(p.tokens[i]); fault == "" {
			rule.Patterns = append(rule.Patterns, rolecall.Pattern(p.named(nameOfPattern, i)))
		} else if !faulty {
			p.errorAt(p.tokens[i], "%s", fault)
			faulty = true
		}
	}
	if i < end && !p.ruleCondition(&rule, i) || len(rule.Patterns) == 0 {
		return
	}
	p.role.Rules = append(p.role.Rules, rule)
}

// noPattern says what is wrong with a word that stands for a subject or a scope, or comes before one; nothing of another.
func (p *parser) noPattern(t token) string {
	switch {
	case t.is("at"), strings.HasPrefix(t.text, "/"):
		return "a rule names no scope; the grant of its role does"
	case isSubject(t):
		return fmt.Sprintf("a rule names no subject, and this one belongs to the role of line %d%s", p.role.line, p.exception(t))
	}
	return ""
}

func isSubject(t token) bool {
	return !t.quoted && (strings.Contains(t.text, ":") || t.text == rolecall.Everyone().String())
}

// exception says how to write what a rule would say of a subject.
func (p *parser) exception(who token) string {
	effect := p.tokens[0].text
	if effect == rolecall.Except.String() {
		effect = rolecall.Deny.String()
	}
	return fmt.Sprintf("; a single exception is written override %s %s …", who.text, effect)
}

// startsCondition says whether a word comes before the condition of a rule, or is written by somebody who thinks so.
func startsCondition(t token) bool {
	switch t.text {
	case "when", "if", "given", "where":
		return true
	}
	return false
}

// ruleCondition reads the condition of a rule from the token of its first word, and says whether it is whole.
func (p *parser) ruleCondition(rule *rolecall.Rule, start int) bool {
	if t := p.tokens[start]; !t.is("when") {
		p.errorAt(t, "a condition follows the word when")
	}
	switch len(p.tokens) - start {
	case 1:
		p.errorAt(p.tokens[start], "a condition is missing after this")
		return false
	case 2:
		rule.When = rolecall.Condition(p.named(nameOfCondition, start+1))
		return true
	}
	p.errorAt(p.tokens[start+2], "unexpected after the condition")
	return false
}

// closeRole ends the body of the role that is open.
func (p *parser) closeRole() {
	r := p.role
	p.role = nil
	switch {
	case r == nil || r.Name == "":
	case r.step != nil:
		r.step.edit.Statement = r.Role
	default:
		p.add(r.Role, r.place, r.word)
	}
}
