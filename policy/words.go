package policy

import (
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// need reports a fixed word that is missing after the one at start, or quoted. clause is what must follow them, where
// something must: standing in the place of a fixed word it shows that this one is missing.
func (p *parser) need(start, end int, clause string, what ...string) bool {
	for n, w := range what {
		i := start + 1 + n
		switch {
		case i >= end || clause != "" && p.tokens[i].is(clause) && (i+1 >= end || !p.tokens[i+1].is(clause)):
			p.errorAt(p.tokens[i-1], "%s is missing after this", w)
			return false
		case p.tokens[i].quoted:
			p.errorAt(p.tokens[i], "must be %s, not a quoted string", w)
			return false
		}
	}
	return true
}

// plain reports a quoted string among words.
func (p *parser) plain(start, end int) bool {
	for _, t := range p.tokens[start:end] {
		if t.quoted {
			p.errorAt(t, "must be a word, not a quoted string")
			return false
		}
	}
	return true
}

// quoted returns what the quoted string of a clause says, nothing where the clause is not there.
func (p *parser) quoted(clause string) string {
	if !p.found.has(clause) {
		return ""
	}
	return strings.Clone(p.tokens[p.found.after(clause).from].value)
}

func (p *parser) when() rolecall.Condition {
	if !p.found.has("when") {
		return ""
	}
	return rolecall.Condition(p.named(nameOfCondition, p.found.after("when").from))
}

func (p *parser) window() (w rolecall.Window) {
	if p.found.has("from") {
		w.NotBefore = p.time(p.found.after("from").from)
	}
	if p.found.has("until") {
		w.NotAfter = p.time(p.found.after("until").from)
	}
	return w
}

// time reads the token of that number, and gives it its canonical spelling. An instant that could not be written again,
// or would read as no instant at all, is none.
func (p *parser) time(i int) time.Time {
	t, err := rolecall.ParseTime(p.tokens[i].text)
	if err != nil {
		p.fault(p.tokens[i], err)
		return time.Time{}
	}
	p.tokens[i].text = rolecall.FormatTime(t)
	return t
}

func (p *parser) subject(i int) rolecall.Subject {
	s, err := rolecall.ParseSubject(strings.Clone(p.tokens[i].text)) // the source is not kept alive
	if err != nil {
		p.badName(i, err)
		return s
	}
	p.mention(nameOfSubject, p.tokens[i].text, p.tokens[i].column)
	return s
}

func (p *parser) permission(i int) rolecall.Permission {
	permission, err := rolecall.ParsePermission(p.name(i))
	if err != nil {
		p.badName(i, err)
	}
	return permission
}

// named returns a name of that kind.
func (p *parser) named(kind nameKind, i int) string {
	p.mention(kind, p.tokens[i].text, p.tokens[i].column)
	return p.name(i)
}

// name returns a word that does not keep the source alive; the same string for the same word, mostly.
func (p *parser) name(i int) string {
	text := p.tokens[i].text
	if known, ok := p.names[text]; ok {
		return known
	}
	if len(p.names) >= maxInterned {
		clear(p.names)
	}
	text = strings.Clone(text)
	p.names[text] = text
	return text
}

func (p *parser) scope(i int) rolecall.Scope {
	text := p.tokens[i].text
	if s, known := p.scopes[text]; known {
		p.mention(nameOfScope, text, p.tokens[i].column)
		return s
	}
	s, err := rolecall.ParseScope(text)
	if err != nil {
		p.badName(i, err)
		return s
	}
	p.mention(nameOfScope, text, p.tokens[i].column)
	if len(p.scopes) >= maxInterned {
		clear(p.scopes)
	}
	p.scopes[s.String()] = s
	return s
}

// maxInterned bounds what the parser remembers of repeated words.
const maxInterned = 1 << 16

// badName reports a bad name: now, or when the step runs that it stands in.
func (p *parser) badName(i int, err error) {
	if p.inStep {
		p.faults = append(p.faults, err)
		return
	}
	p.fault(p.tokens[i], err)
}
