package policy

import (
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
	t := p.tokens[p.word(clause)]
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
		p.errorAt(p.tokens[0], "this belongs to a role, and there is none above it")
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
	rule := rolecall.Rule{Effect: effect}
	if !p.need(0, end, "when", "a pattern") || !p.plain(1, end) {
		return
	}
	for i := 1; i < end; i++ {
		if p.tokens[i].text != "when" {
			rule.Patterns = append(rule.Patterns, rolecall.Pattern(p.named(nameOfPattern, i)))
			continue
		}
		switch end - i {
		case 1:
			p.errorAt(p.tokens[i], "a condition is missing after this")
			return
		case 2:
		default:
			p.errorAt(p.tokens[i+2], "unexpected after the condition")
			return
		}
		rule.When = rolecall.Condition(p.named(nameOfCondition, i+1))
		break
	}
	p.role.Rules = append(p.role.Rules, rule)
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
