package policy

import (
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// Where something is wrong with a file, it is read once more, now that all that it declares and defines is known, and
// every name in its policy that is none of that is reported at its own place: on faulty lines too, and as often as it
// stands there. A snapshot alone would tell the names of whole statements only, and not where they stand in them.

// A mention is a name in a line of the policy that is not declared, not defined or malformed.
type mention struct {
	namedThing
	line   int
	column int
	start  int // the line on which its statement starts
}

// A namedThing is a name and what it is a name of.
type namedThing struct {
	kind nameKind
	name string
}

type nameKind uint8

const (
	nameOfSubject = nameKind(iota)
	nameOfScope
	nameOfCondition
	nameOfPattern
	nameOfRole
	nameOfSubjectKind
	nameOfScopeKind
)

// known is what a file declares and defines. It collects the mentions of what it does not know.
type known struct {
	permissions  map[string]bool
	conditions   map[string]bool
	scopeKinds   map[string]bool
	subjectKinds map[string]bool
	roles        map[string]bool
	mentions     []mention
}

func knownOf(c *rolecall.Catalog, statements []rolecall.Statement) *known {
	k := &known{
		permissions: map[string]bool{}, conditions: map[string]bool{}, roles: map[string]bool{},
		scopeKinds: map[string]bool{string(rolecall.GlobalKind): true}, subjectKinds: map[string]bool{},
	}
	for p := range c.Permissions() {
		k.permissions[p.String()] = true
	}
	d := c.Declarations()
	for _, one := range d.Conditions {
		k.conditions[string(one.Condition)] = true
	}
	for _, one := range d.ScopeKinds {
		k.scopeKinds[string(one.Kind)] = true
	}
	for kind := range c.SubjectKinds() {
		k.subjectKinds[string(kind)] = true
	}
	for _, s := range statements {
		if r, isRole := s.(rolecall.Role); isRole {
			k.roles[string(r.Name)] = true
		}
	}
	return k
}

// knows says whether a name is declared or defined. Of a subject and a scope it is the kinds that count.
func (k *known) knows(n namedThing) bool {
	switch n.kind {
	case nameOfSubject:
		s, err := rolecall.ParseSubject(n.name)
		return err != nil || k.subjectKinds[string(s.Kind())]
	case nameOfScope:
		t, err := rolecall.ParseScope(n.name)
		if err != nil {
			return true // is reported already
		}
		for kind := range t.Segments() {
			if !k.scopeKinds[string(kind)] {
				return false
			}
		}
		return true
	case nameOfCondition:
		return k.conditions[n.name]
	case nameOfPattern:
		return k.permissions[n.name] || rolecall.Pattern(n.name).HasStar() && rolecall.Pattern(n.name).Valid() == nil
	case nameOfRole:
		return k.roles[n.name]
	case nameOfSubjectKind:
		return k.subjectKinds[n.name]
	}
	return k.scopeKinds[n.name]
}

// mention notes a name in the current line, where somebody asks and it is not known.
func (p *parser) mention(kind nameKind, name string, column int) {
	if p.known == nil || p.inStep || p.muted {
		return
	}
	n := namedThing{kind, strings.Clone(name)}
	if p.known.knows(n) {
		return
	}
	m := mention{n, p.at.line, column, p.at.line}
	if p.role != nil {
		m.start = p.role.line
	}
	p.known.mentions = append(p.known.mentions, m)
}

// unknownNames reports the names of the policy that are not known, and takes away those problems that say the same.
func (f *File) unknownNames(c *rolecall.Catalog, problems []*rolecall.Problem) (Errors, []*rolecall.Problem) {
	p := newParser(f.Name, f.source)
	p.known = knownOf(c, f.Statements)
	p.run()
	faults := faultsOf(c, f.Statements, p.known.mentions, problems)
	var errs Errors
	told := map[toldName]bool{}
	for _, m := range p.known.mentions {
		for _, fault := range faults[m.namedThing] {
			errs = append(errs, &Error{f.Name, m.line, m.column, m.name, fault.Code, fault.Detail + p.known.misplaced(m.namedThing)})
			told[toldName{m.start, fault.Code, m.name, plain(fault.Detail)}] = true
		}
	}
	where := f.indexes(problems)
	return errs, slices.DeleteFunc(slices.Clone(problems), func(p *rolecall.Problem) bool {
		if p.Statement == nil {
			return false
		}
		i := where[rolecall.KeyOf(p.Statement)]
		return i >= 0 && told[toldName{f.places[i].line, p.Code, p.Word, plain(p.Detail)}]
	})
}

// misplaced says where a name belongs that stands where a pattern does.
func (k *known) misplaced(n namedThing) string {
	if n.kind == nameOfPattern && k.conditions[n.name] {
		return "; a condition follows the word when"
	}
	return ""
}

type toldName struct {
	start int
	code  rolecall.Code
	word  string
	text  string
}

// plain is what a problem says without what it suggests instead.
func plain(detail string) string {
	text, _, _ := strings.Cut(detail, " (did you mean ")
	return text
}

// faultsOf says what is wrong with each name: what a snapshot of nothing but the roles says of a statement made for it;
// of a kind of holder or scope, which only a role names, what was said of the role.
func faultsOf(c *rolecall.Catalog, statements []rolecall.Statement, mentions []mention, problems []*rolecall.Problem) map[namedThing][]*rolecall.Problem {
	var list []rolecall.Statement
	for _, s := range statements {
		if r, isRole := s.(rolecall.Role); isRole {
			list = append(list, rolecall.Role{Name: r.Name})
		}
	}
	faults, probes := map[namedThing][]*rolecall.Problem{}, map[rolecall.StatementKey]namedThing{}
	for _, m := range mentions {
		probe := m.probe()
		if probe == nil {
			faults[m.namedThing] = saidOfKind(m.namedThing, problems)
			continue
		}
		if key := rolecall.KeyOf(probe); probes[key] != m.namedThing {
			probes[key] = m.namedThing
			list = append(list, probe)
		}
	}
	_, err := rolecall.NewSnapshot(c, list...)
	for _, p := range rolecall.ProblemsOf(err) {
		if n, isProbe := probes[rolecall.KeyOf(p.Statement)]; isProbe {
			faults[n] = append(faults[n], p)
		}
	}
	return faults
}

// probe returns a statement in which nothing but the name can be wrong, nil where only a role could name it.
func (n namedThing) probe() rolecall.Statement {
	o := rolecall.Override{Subject: rolecall.Everyone(), Effect: rolecall.Deny, Pattern: "*", Scope: rolecall.Global()}
	switch n.kind {
	case nameOfSubject:
		o.Subject, _ = rolecall.ParseSubject(n.name)
	case nameOfScope:
		o.Scope, _ = rolecall.ParseScope(n.name)
	case nameOfCondition:
		o.When = rolecall.Condition(n.name)
	case nameOfPattern:
		o.Pattern = rolecall.Pattern(n.name)
	case nameOfRole:
		return rolecall.Grant{Subject: rolecall.Everyone(), Role: rolecall.RoleName(n.name), Scope: rolecall.Global()}
	default:
		return nil
	}
	return o
}

func saidOfKind(n namedThing, problems []*rolecall.Problem) []*rolecall.Problem {
	about := "no such subject kind"
	if n.kind == nameOfScopeKind {
		about = "no such scope kind"
	}
	i := slices.IndexFunc(problems, func(p *rolecall.Problem) bool { return p.Word == n.name && strings.HasPrefix(p.Detail, about) })
	if i < 0 {
		return nil
	}
	return problems[i : i+1]
}
