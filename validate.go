package rolecall

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// check reports every problem that a statement has by itself, and says whether it has none. Names of roles may still
// be undefined: finish judges those, since statements come in any order.
func (d *draft) check(s Statement) bool {
	before := len(d.problems)
	d.checkKey(s)
	switch one := s.(type) {
	case Role:
		d.checkRole(one)
	case Membership:
		d.checkMembership(s, one)
	case Grant:
		d.checkWindow(s, one.Window)
		if len(d.problems) == before {
			d.checkLimits(one)
		}
	case Override:
		d.checkWindow(s, one.Window)
		if one.Effect != Allow && one.Effect != Deny && one.Effect != Forbid {
			d.refuse(ErrInvalid, s, one.Effect.String(), "an override allows, denies or forbids")
		}
	case Suspension:
		if one.Subject.isEveryone() {
			d.refuse(ErrInvalid, s, everyoneText, "everyone is never suspended")
		}
	case PrivateScope:
		if one.Scope.IsGlobal() {
			d.refuse(ErrInvalid, s, globalPath, "the whole instance is never private")
		}
	case Constraint:
		d.checkConstraint(one)
	}
	return len(d.problems) == before
}

// checkKey reports what makes the key of a statement malformed or undeclared; a removal needs no more.
func (d *draft) checkKey(s Statement) bool {
	before := len(d.problems)
	switch one := s.(type) {
	case Membership:
		d.checkSubject(s, one.Member)
		d.checkSubject(s, one.Group)
	case Grant:
		d.checkSubject(s, one.Subject)
		d.checkScope(s, one.Scope)
		d.checkRoleName(s, one.Role)
		d.checkCondition(s, one.When)
	case Override:
		d.checkSubject(s, one.Subject)
		d.checkScope(s, one.Scope)
		d.checkPattern(s, one.Pattern)
		d.checkCondition(s, one.When)
	case Suspension:
		d.checkSubject(s, one.Subject)
	case PrivateScope:
		d.checkScope(s, one.Scope)
	case Role, Constraint:
	default:
		d.refuse(ErrInvalid, nil, fmt.Sprintf("%T", s), "not a statement")
	}
	return len(d.problems) == before
}

func (d *draft) checkSubject(by Statement, s Subject) { d.refused(d.catalog.checkSubject("", s), by) }

func (d *draft) checkScope(by Statement, t Scope) { d.refused(d.catalog.checkScope("", t), by) }

func (d *draft) checkPattern(by Statement, pattern Pattern) {
	d.refused(d.catalog.checkPattern("", pattern), by)
}

func (d *draft) checkCondition(by Statement, c Condition) {
	d.refused(d.catalog.checkCondition("", c), by)
}

func (d *draft) checkRoleName(by Statement, name RoleName) {
	if d.roles.byName[name] != nil {
		return
	}
	d.refused(checkName("role name", string(name)), by)
}

func (d *draft) checkWindow(by Statement, w Window) {
	if w.Empty() {
		d.refuse(ErrInvalid, by, FormatTime(w.NotAfter), "the window is empty: it ends before it begins or when it begins")
	}
	for _, t := range []time.Time{w.NotBefore, w.NotAfter} {
		if !writable(t) {
			d.refuse(ErrInvalid, by, fmt.Sprint(t.UTC().Year()), "an instant lies in the years 0 to 9999")
		}
	}
}

func (d *draft) checkMembership(by Statement, m Membership) {
	d.checkWindow(by, m.Window)
	switch {
	case m.Member.isEveryone():
		d.refuse(ErrInvalid, by, everyoneText, "everyone joins nothing")
	case m.Group.isEveryone():
		d.refuse(ErrInvalid, by, everyoneText, "everyone is joined by nobody: every subject is in it")
	case m.Group.Valid() == nil && !m.Group.IsGroup():
		d.refuse(ErrInvalid, by, m.Group.String(), "only a group has members")
	case m.Member == m.Group:
		d.refuse(ErrCycle, by, m.Group.String(), "a group cannot be in itself")
	}
}

func (d *draft) checkRole(r Role) {
	d.checkRoleName(r, r.Name)
	d.checkText(r, r.Title)
	d.checkText(r, r.Description)
	for _, above := range r.Inherits {
		d.checkRoleName(r, above)
		if above == r.Name {
			d.refuse(ErrCycle, r, string(above), "a role cannot inherit from itself")
		}
	}
	for _, rule := range r.Rules {
		d.checkRule(r, rule)
	}
	for _, kind := range r.Holders {
		if !d.catalog.subjectKinds[kind] {
			d.refuse(ErrUnknown, r, string(kind), "no such subject kind is declared%s", didYouMean(string(kind), stringsOf(maps.Keys(d.catalog.subjectKinds))))
		}
	}
	for _, kind := range r.Scopes {
		if kind != GlobalKind && !d.catalog.scopeKinds[kind] {
			d.refuse(ErrUnknown, r, string(kind), "no such scope kind is declared%s", didYouMean(string(kind), stringsOf(maps.Keys(d.catalog.scopeKinds))))
		}
	}
}

// checkText refuses what could not be written and read again as one line.
func (d *draft) checkText(by Statement, text string) {
	if !isText(text) {
		d.refuse(ErrInvalid, by, text, "a title, a description or a reason is valid UTF-8 without NUL")
	}
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func (d *draft) checkRule(r Role, rule Rule) {
	if rule.Effect < Allow || rule.Effect > Forbid {
		d.refuse(ErrInvalid, r, rule.Effect.String(), "a rule's effect is allow, except, deny or forbid")
	}
	if len(rule.Patterns) == 0 {
		d.refuse(ErrInvalid, r, rule.Effect.String(), "a rule lists at least one permission")
	}
	for _, p := range rule.Patterns {
		d.checkPattern(r, p)
	}
	d.checkCondition(r, rule.When)
}

func (d *draft) checkConstraint(c Constraint) {
	d.refused(checkName("constraint name", c.Name), c)
	if c.Kind != Static && c.Kind != Dynamic {
		d.refuse(ErrInvalid, c, string(c.Kind), "a constraint is static or dynamic")
	}
	for _, name := range c.Roles {
		d.checkRoleName(c, name)
	}
	if n := len(sortedSet(c.Roles)); c.Limit < 2 || c.Limit > n {
		d.refuse(ErrInvalid, c, fmt.Sprint(c.Limit), "the number of a constraint is from 2 to the number of its roles, here %d", n)
	}
}

// checkLimits reports where a defined role may not be held by that subject or there.
func (d *draft) checkLimits(g Grant) {
	r := d.roles.find(g.Role)
	if r == nil {
		return
	}
	if len(r.Holders) > 0 && !slices.Contains(r.Holders, g.Subject.Kind()) {
		d.refuse(ErrHolder, g, g.Subject.String(), "role %s is held by subjects of kind %s only", r.Name, joined(r.Holders))
	}
	if len(r.Scopes) > 0 && !slices.Contains(r.Scopes, g.Scope.Kind()) {
		d.refuse(ErrHolder, g, g.Scope.String(), "role %s is held at scopes of kind %s only", r.Name, joined(r.Scopes))
	}
}

func joined[S ~string](names []S) string { return strings.Join(texts(names), ", ") }

func texts[S ~string](names []S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}
