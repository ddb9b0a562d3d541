package policy

import "slices"

// A form lists the clauses that may follow the fixed words of a line, in their canonical order.
type form []clauseForm

type clauseForm struct {
	word     string
	takes    takes
	required bool
}

// takes says what follows a clause's word.
type takes uint8

const (
	nothing   = takes(iota) // a mark
	oneWord                 // exactly one word
	someWords               // at least one word, up to the next clause
	condition               // a condition, perhaps after unknown; such a clause may come again
	oneQuoted               // a quoted string
	itself                  // a quoted string without a word before it
)

const maxClauses = 8

func windowed(before ...clauseForm) form {
	return append(form(before), clauseForm{"from", oneWord, false}, clauseForm{"until", oneWord, false})
}

func asked(place clauseForm) form {
	return form{
		place, {"given", condition, false}, {"with", someWords, false}, {"roles", someWords, false},
		{"only", someWords, false}, {"now", oneWord, false}, {"actor", oneWord, false},
	}
}

// forms are the forms of all lines that have clauses.
type forms struct {
	permission, titled, role, member, grant, override, activate, bare, atQuestion, amongQuestion form
}

func newForms() forms {
	at := clauseForm{"at", oneWord, true}
	when := clauseForm{"when", oneWord, false}
	title := clauseForm{"a title", itself, false}
	return forms{
		permission:    form{title, {"group", oneQuoted, false}},
		titled:        form{title},
		role:          form{title, {"holders", oneWord, false}, {"scopes", oneWord, false}},
		member:        windowed(clauseForm{"of", oneWord, true}),
		grant:         windowed(at, clauseForm{"replace", nothing, false}, clauseForm{"pierce", nothing, false}, clauseForm{"eligible", nothing, false}, when),
		override:      windowed(at, when),
		activate:      form{at, {"until", oneWord, false}, {"a reason", itself, false}},
		bare:          form{},
		atQuestion:    asked(at),
		amongQuestion: asked(clauseForm{"among", someWords, true}),
	}
}

// find returns the place of the clause that starts with t, -1 where none does.
func (f form) find(t token) int {
	for i := range f {
		if t.quoted && f[i].takes == itself || !t.quoted && f[i].takes != itself && f[i].word == t.text {
			return i
		}
	}
	return -1
}

// A span is a run of tokens of the current line.
type span struct{ from, to int }

// clauses are those of one line: for each place in the form, the tokens after the clause's word.
type clauses struct {
	form  form
	found [maxClauses]bool
	spans [maxClauses]span
	given []span // the words after each given

	start, end int // of all of them in the line, both 0 where the line has none
}

// after returns the tokens after a clause's word, none where the clause is not there.
func (c *clauses) after(word string) span {
	i := slices.IndexFunc(c.form, func(f clauseForm) bool { return f.word == word })
	if i < 0 || !c.found[i] {
		return span{}
	}
	return c.spans[i]
}

// has says whether the clause is there; none starts a line.
func (c *clauses) has(word string) bool { return c.after(word) != span{} }

// clauses reads the clauses of the form in the current line, from token number start up to end. It reports what is
// wrong with them and says whether nothing is.
func (p *parser) clauses(f form, start, end int) bool {
	c := &p.found
	c.form, c.found, c.given = f, [maxClauses]bool{}, c.given[:0]
	for i := start; i < end; {
		next := p.clause(c, i, end)
		if next < 0 {
			return false
		}
		i = next
	}
	for i := range f {
		if f[i].required && !c.found[i] {
			p.errorAt(p.tokens[end-1], "%q is missing after this", f[i].word)
			return false
		}
	}
	c.start, c.end = start, end
	return true
}

// clause reads the clause at token i and returns where the next one starts, -1 after a fault.
func (p *parser) clause(c *clauses, i, end int) int {
	n := c.form.find(p.tokens[i])
	if n < 0 {
		p.errorAt(p.tokens[i], "unexpected here%s", c.form.expected())
		return -1
	}
	kind := c.form[n].takes
	if c.found[n] && kind != condition {
		p.errorAt(p.tokens[i], "given twice")
		return -1
	}
	words := span{i + 1, i + 1}
	switch kind {
	case itself:
		words = span{i, i + 1}
	case oneWord, oneQuoted:
		words.to++
	case someWords:
		for words.to < end && !p.tokens[words.to].quoted && c.form.find(p.tokens[words.to]) < 0 {
			words.to++
		}
	case condition:
		words.to++
		if words.from < end && p.tokens[words.from].is("unknown") {
			words.to++
		}
	}
	if !p.wordsFit(kind, words, i, end) {
		return -1
	}
	c.found[n], c.spans[n] = true, words
	if kind == condition {
		c.given = append(c.given, words)
	}
	return words.to
}

// wordsFit reports words that are missing after the clause's word, or quoted where they should not be.
func (p *parser) wordsFit(kind takes, words span, i, end int) bool {
	if words.to > end || words.to == words.from && kind == someWords {
		p.errorAt(p.tokens[end-1], "a word is missing after this")
		return false
	}
	for _, t := range p.tokens[words.from:words.to] {
		switch quoted := kind == oneQuoted || kind == itself; {
		case quoted && !t.quoted:
			p.errorAt(t, "must be a double-quoted string")
			return false
		case !quoted && t.quoted:
			p.errorAt(t, "must be a word, not a quoted string")
			return false
		}
	}
	return true
}

// expected lists what may stand where something unexpected does.
func (f form) expected() string {
	text := ""
	for _, c := range f {
		if text != "" {
			text += ", "
		}
		text += c.word
	}
	if text == "" {
		return ""
	}
	return "; what may follow is " + text
}

// ordered returns the tokens of the current line with its clauses in canonical order.
func (p *parser) ordered() []token {
	c := &p.found
	if c.end == 0 {
		return p.tokens
	}
	ordered := slices.Clone(p.tokens[:c.start])
	for n := range c.form {
		switch {
		case !c.found[n]:
		case c.form[n].takes == condition:
			for _, s := range c.given {
				ordered = append(ordered, p.tokens[s.from-1:s.to]...)
			}
		case c.form[n].takes == itself:
			ordered = append(ordered, p.tokens[c.spans[n].from])
		default:
			ordered = append(ordered, p.tokens[c.spans[n].from-1:c.spans[n].to]...)
		}
	}
	return append(ordered, p.tokens[c.end:]...)
}
