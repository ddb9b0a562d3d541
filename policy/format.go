package policy

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// Format writes a policy in the text form, in its one spelling: the declarations sorted by kind and name, then the
// statements in the order of their keys with a blank line between kinds and around each role, everything that has no
// order sorted, instants in UTC. Two policies that say the same are the same bytes. What is said twice is written once.
//
// It writes values, which have no comments. To tidy a file that a person wrote, use FormatSource.
func Format(d rolecall.Declarations, statements []rolecall.Statement) []byte {
	var b bytes.Buffer
	writeDeclarations(&b, d)
	sorted := slices.Clone(statements)
	slices.SortStableFunc(sorted, func(x, y rolecall.Statement) int { return rolecall.KeyOf(x).Compare(rolecall.KeyOf(y)) })
	section := ""
	for i, s := range sorted {
		if i > 0 && rolecall.Equal(sorted[i-1], s) {
			continue
		}
		text := rolecall.Canonical(s).String()
		word, _, _ := strings.Cut(text, " ")
		if b.Len() > 0 && (word != section || word == "role") {
			b.WriteByte('\n')
		}
		section = word
		b.WriteString(text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func writeDeclarations(b *bytes.Buffer, d rolecall.Declarations) {
	var sections [4][]string
	for _, p := range d.Permissions {
		line := "permission " + p.Permission.String() + titleText(p.Title)
		if p.Group != "" {
			line += " group " + strconv.Quote(p.Group)
		}
		sections[0] = append(sections[0], line)
	}
	for _, c := range d.Conditions {
		sections[1] = append(sections[1], "condition "+string(c.Condition)+titleText(c.Title))
	}
	for _, k := range d.ScopeKinds {
		sections[2] = append(sections[2], "kind scope "+string(k.Kind)+titleText(k.Title))
	}
	for _, k := range d.SubjectKinds {
		sections[3] = append(sections[3], "kind subject "+string(k.Kind)+titleText(k.Title))
	}
	for _, lines := range sections {
		if len(lines) > 0 && b.Len() > 0 {
			b.WriteByte('\n')
		}
		slices.Sort(lines)
		for _, line := range slices.Compact(lines) {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
}

func titleText(title string) string {
	if title == "" {
		return ""
	}
	return " " + strconv.Quote(title)
}

// FormatSource tidies a file: each line in its canonical spelling, with everything the author arranged left in place.
// The order of lines and of what they list, comments, blank lines and steps stay. One blank stands between words (deny
// in an expectation is padded to align with allow), two before a comment at the end of a line, two before the lines of
// a role's body and before comments among them; clauses stand in the order of the language; strings are quoted as
// strconv.Quote does it and instants are written in UTC; several blank lines become one. Formatting what it returns
// changes nothing.
//
// The error is an Errors that tells everything wrong with the form of the file; then nothing is returned.
func FormatSource(name string, src []byte) ([]byte, error) {
	p := newParser(name, string(src))
	p.keep = &layout{}
	p.run()
	if err := p.errs.err(); err != nil {
		return nil, err
	}
	return p.keep.bytes(), nil
}

// A layout collects the lines of a formatted file. A comment waits for the next line that says something, which shows
// whether it stands in a role's body.
type layout struct {
	out     bytes.Buffer
	waiting []string // comments with the indentation they have if no line of a body follows, "" for blank lines
	inRole  bool     // the last line that says something is of a role
}

// bodyIndent stands before the lines of a role's body.
const bodyIndent = "  "

// add adds the line that the parser has just read.
func (l *layout) add(p *parser, text, comment string) {
	if len(p.tokens) == 0 {
		if comment != "" && l.inRole && isBlank(text[0]) {
			comment = bodyIndent + comment
		}
		l.waiting = append(l.waiting, comment)
		return
	}
	indent := ""
	if isBodyWord(p.tokens[0]) {
		indent = bodyIndent
	}
	l.flush(indent)
	l.inRole = p.role != nil
	l.out.WriteString(indent)
	for i, t := range p.ordered() {
		if i > 0 {
			l.out.WriteByte(' ')
		}
		if i == 2 && p.tokens[0].is("expect") && p.tokens[1].is("deny") {
			l.out.WriteByte(' ')
		}
		if t.quoted {
			l.out.WriteString(strconv.Quote(t.value))
		} else {
			l.out.WriteString(t.text)
		}
	}
	if comment != "" {
		l.out.WriteString("  ")
		l.out.WriteString(comment)
	}
	l.out.WriteByte('\n')
}

// flush writes the waiting comments and blank lines before a line of that indentation.
func (l *layout) flush(indent string) {
	blank := false
	for _, comment := range l.waiting {
		if comment == "" {
			blank = true
			continue
		}
		l.gap(blank)
		blank = false
		if indent != "" && comment[0] == '#' {
			l.out.WriteString(indent)
		}
		l.out.WriteString(comment)
		l.out.WriteByte('\n')
	}
	l.gap(blank)
	l.waiting = l.waiting[:0]
}

// gap writes a blank line, but not at the start of the file.
func (l *layout) gap(blank bool) {
	if blank && l.out.Len() > 0 {
		l.out.WriteByte('\n')
	}
}

func (l *layout) bytes() []byte {
	for len(l.waiting) > 0 && l.waiting[len(l.waiting)-1] == "" {
		l.waiting = l.waiting[:len(l.waiting)-1]
	}
	l.flush("")
	return l.out.Bytes()
}
