package policy

import (
	"strings"

	"github.com/rolecall-go/rolecall"
)

func (p *parser) clock() {
	if !p.need(0, len(p.tokens), "", "a time") || !p.clauses(p.forms.bare, 2, len(p.tokens)) {
		return
	}
	now := p.time(1)
	if p.clockAt > 0 && !now.Equal(p.file.Clock) {
		p.errorAt(p.tokens[1], "line %d sets the clock to another time", p.clockAt)
		return
	}
	if p.clockAt == 0 {
		p.clockAt, p.file.Clock = p.at.line, now
	}
}

// declaration reads a declaration whose name is the token of that number.
func (p *parser) declaration(kind string, name int) {
	if !p.need(name-1, len(p.tokens), "", "a name") {
		return
	}
	f := p.forms.titled
	if kind == "permission" {
		f = p.forms.permission
	}
	whole := p.clauses(f, name+1, len(p.tokens))
	word := strings.Clone(p.tokens[name].text)
	d := declared{place: p.at, word: word, column: p.tokens[name].column}
	title, group := "", ""
	if whole {
		title, group = p.quoted("a title"), p.quoted("group")
	}
	switch kind {
	case "permission":
		d.Permissions = []rolecall.PermissionDecl{{Permission: rolecall.NewPermission(word), Title: title, Group: group}}
	case "condition":
		d.Conditions = []rolecall.ConditionDecl{{Condition: rolecall.Condition(word), Title: title}}
	case "kind scope":
		d.ScopeKinds = []rolecall.ScopeKindDecl{{Kind: rolecall.ScopeKind(word), Title: title}}
	case "kind subject":
		d.SubjectKinds = []rolecall.SubjectKindDecl{{Kind: rolecall.SubjectKind(word), Title: title}}
	}
	key := kind + " " + word
	if n, again := p.declaring[key]; again {
		if first := p.file.declarations[n]; whole && !sameDeclaration(first.Declarations, d.Declarations) {
			p.errorAt(p.tokens[name], "line %d declares it in other words", first.line)
		}
		return
	}
	p.declaring[key] = len(p.file.declarations)
	p.file.declarations = append(p.file.declarations, d)
	p.file.Declarations = join(p.file.Declarations, d.Declarations)
}

func sameDeclaration(a, b rolecall.Declarations) bool {
	switch {
	case len(a.Permissions) > 0:
		return a.Permissions[0] == b.Permissions[0]
	case len(a.Conditions) > 0:
		return a.Conditions[0] == b.Conditions[0]
	case len(a.ScopeKinds) > 0:
		return a.ScopeKinds[0] == b.ScopeKinds[0]
	}
	return a.SubjectKinds[0] == b.SubjectKinds[0]
}
