package policy

import (
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
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
	names     map[string]string
	scopes    map[string]rolecall.Scope
	declaring map[string]int // kind and name to the number of the declaration
	keep      *layout        // collects the lines for the formatter, nil where nobody wants them
	edits     *editLines     // collects edits, nil where the text is a policy
	known     *known         // collects names that are not known, nil where nobody asks
}

// An openRole is a role whose body may go on.
type openRole struct {
	rolecall.Role
	place
	word      token
	step      *edit // nil for a role of the policy
	described bool
}

// maxInterned bounds what the parser remembers of repeated words.
const maxInterned = 1 << 16

func newParser(name, src string) *parser {
	return &parser{
		forms:     newForms(),
		file:      &File{Name: name, source: strings.TrimPrefix(src, "\uFEFF")},
		seed:      maphash.MakeSeed(),
		keys:      map[uint64]int{},
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
		p.errorAt(p.tokens[0], "a line does not start with this")
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
		if !rolecall.Equal(first, s) {
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
	switch {
	case len(p.tokens) != 2 || !p.tokens[1].quoted:
		p.errorAt(p.tokens[0], "a description is one double-quoted string")
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

func (p *parser) member(start, end int) rolecall.Statement {
	if !p.need(start, end, "of", "a subject") || !p.clauses(p.forms.member, start+2, end) {
		return nil
	}
	return rolecall.Membership{Member: p.subject(start + 1), Group: p.subject(p.word("of")), Window: p.window()}
}

func (p *parser) grant(start, end int) rolecall.Statement {
	if !p.need(start, end, "at", "a subject", "a role") || !p.clauses(p.forms.grant, start+3, end) {
		return nil
	}
	return rolecall.Grant{
		Subject: p.subject(start + 1), Role: rolecall.RoleName(p.named(nameOfRole, start+2)), Scope: p.scope(p.word("at")),
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
		return nil
	}
	if !p.clauses(p.forms.override, pattern+1, end) {
		return nil
	}
	return rolecall.Override{
		Subject: p.subject(start + 1), Effect: effect, Pattern: rolecall.Pattern(p.named(nameOfPattern, pattern)),
		Scope: p.scope(p.word("at")), When: p.when(), Window: p.window(),
	}
}

func (p *parser) constraint(start, end int) rolecall.Statement {
	if !p.need(start, end, "", "a name", "static or dynamic", "a number", "of", "a role") || !p.plain(start+4, end) {
		return nil
	}
	c := rolecall.Constraint{Name: p.name(start + 1), Kind: rolecall.ConstraintKind(p.name(start + 2))}
	if c.Kind != rolecall.Static && c.Kind != rolecall.Dynamic {
		p.errorAt(p.tokens[start+2], "a constraint is static or dynamic")
		return nil
	}
	limit := p.tokens[start+3].text
	var err error
	if c.Limit, err = strconv.Atoi(limit); err != nil || strconv.Itoa(c.Limit) != limit {
		p.errorAt(p.tokens[start+3], "a constraint limits to a whole number of roles")
		return nil
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

// word returns the number of the token after a clause's word.
func (p *parser) word(clause string) int { return p.found.spans[p.found.place(clause)].from }

// quoted returns what the quoted string of a clause says, nothing where the clause is not there.
func (p *parser) quoted(clause string) string {
	if !p.found.has(clause) {
		return ""
	}
	return strings.Clone(p.tokens[p.word(clause)].value)
}

func (p *parser) when() rolecall.Condition {
	if !p.found.has("when") {
		return ""
	}
	return rolecall.Condition(p.named(nameOfCondition, p.word("when")))
}

func (p *parser) window() (w rolecall.Window) {
	if p.found.has("from") {
		w.NotBefore = p.time(p.word("from"))
	}
	if p.found.has("until") {
		w.NotAfter = p.time(p.word("until"))
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

// named returns a name of that kind.
func (p *parser) named(kind nameKind, i int) string {
	p.mention(kind, p.tokens[i].text, p.tokens[i].column)
	return p.name(i)
}

// badName reports a bad name: now, or when the step runs that it stands in.
func (p *parser) badName(i int, err error) {
	if p.inStep {
		p.faults = append(p.faults, err)
		return
	}
	p.fault(p.tokens[i], err)
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
