package review

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// Rules and patterns that never matter, and those that matter too much. All of it is told from the roles alone, for
// permissions declared now or later, so that taking such a pattern out changes nothing that a role says.

// covers says whether q covers everything that p does: p's own star is only taken by a star of q.
func covers(q, p rolecall.Pattern) bool {
	if !q.HasStar() {
		return q == p
	}
	return coversSegments(strings.Split(string(q), "."), strings.Split(string(p), "."))
}

func coversSegments(q, p []string) bool {
	switch {
	case len(q) == 0 || len(p) == 0:
		return len(q) == len(p)
	case q[0] != "*":
		return q[0] == p[0] && coversSegments(q[1:], p[1:])
	}
	for taken := 1; taken <= len(p); taken++ {
		if coversSegments(q[1:], p[taken:]) {
			return true
		}
	}
	return false
}

// overlaps says whether some name matches both patterns.
func overlaps(a, b rolecall.Pattern) bool { return overlapsSegments(loosen(a), loosen(b)) }

// loosen splits a pattern so that each star is one segment, whatever it is, and then any number of them.
func loosen(p rolecall.Pattern) []string {
	return strings.Split(strings.ReplaceAll(string(p), "*", "?.**"), ".")
}

func overlapsSegments(a, b []string) bool {
	switch {
	case len(a) == 0 && len(b) == 0:
		return true
	case len(a) > 0 && a[0] == "**":
		return overlapsSegments(a[1:], b) || len(b) > 0 && overlapsSegments(a, b[1:])
	case len(b) > 0 && b[0] == "**":
		return overlapsSegments(b, a)
	case len(a) == 0 || len(b) == 0:
		return false
	}
	return (a[0] == b[0] || a[0] == "?" || b[0] == "?") && overlapsSegments(a[1:], b[1:])
}

// A rulePattern is one pattern of one rule of a role.
type rulePattern struct {
	role    *roleEntry
	rule    rolecall.Rule
	pattern rolecall.Pattern
}

func (p rulePattern) String() string {
	return rolecall.Rule{Effect: p.rule.Effect, Patterns: []rolecall.Pattern{p.pattern}, When: p.rule.When}.String()
}

// speaksOf says whether the rule says something of a permission by the pattern.
func (p rulePattern) speaksOf(one rolecall.Permission) bool {
	return speaksOf(p.rule.Effect, p.pattern, one)
}

// allPatterns yields every pattern of every role, in order of the roles.
func (l *linter) allPatterns() iter.Seq[rulePattern] { return patternsOf(l.sorted...) }

// patternsOf yields every pattern of some roles.
func patternsOf(roles ...*roleEntry) iter.Seq[rulePattern] {
	return func(yield func(rulePattern) bool) {
		for _, r := range roles {
			for _, rule := range r.Rules {
				for _, pattern := range rule.Patterns {
					if !yield(rulePattern{r, rule, pattern}) {
						return
					}
				}
			}
		}
	}
}

// first returns the first pattern of some roles of which something is so, nil where there is none.
func first(roles []*roleEntry, is func(rulePattern) bool) *rulePattern {
	for p := range patternsOf(roles...) {
		if is(p) {
			return &p
		}
	}
	return nil
}

// takenOut returns the edit that takes the pattern out of its role and puts others in its place.
func (p rulePattern) takenOut(instead ...rolecall.Pattern) []rolecall.Edit {
	changed := rewritten(p.role.Role, func(rule rolecall.Rule) []rolecall.Pattern {
		if rule.Effect != p.rule.Effect || rule.When != p.rule.When {
			return rule.Patterns
		}
		kept := slices.DeleteFunc(slices.Clone(rule.Patterns), func(q rolecall.Pattern) bool { return q == p.pattern })
		return append(kept, instead...)
	})
	return []rolecall.Edit{rolecall.Put(changed)}
}

// rewritten returns a role with other patterns in its rules, without those rules to which none is left.
func rewritten(r rolecall.Role, patterns func(rolecall.Rule) []rolecall.Pattern) rolecall.Role {
	rules := r.Rules
	r.Rules = nil
	for _, rule := range rules {
		if rule.Patterns = patterns(rule); len(rule.Patterns) > 0 {
			r.Rules = append(r.Rules, rule)
		}
	}
	return r
}

// outdoes says whether a rule with the pattern q makes p one that never matters beside it, in one role: wherever p
// speaks, q says the same or something stricter.
func (l *linter) outdoes(q, p rulePattern) bool {
	if q.rule.Effect < p.rule.Effect || q.rule.When != "" && q.rule.When != p.rule.When || !covers(q.pattern, p.pattern) {
		return false
	}
	return q.rule.Effect != rolecall.Allow || l.allowsAsMuch(q.pattern, p.pattern)
}

// allowsAsMuch says whether an allow of q covers the built-in permissions that one of p does.
func (l *linter) allowsAsMuch(q, p rolecall.Pattern) bool {
	for _, permission := range l.permissions {
		if permission.IsBuiltin() && p.AllowMatches(permission) && !q.AllowMatches(permission) {
			return false
		}
	}
	return true
}

func (l *linter) shadowedPatterns() {
	for p := range l.allPatterns() {
		q := first([]*roleEntry{p.role}, func(q rulePattern) bool {
			same := q.pattern == p.pattern && q.rule.Effect == p.rule.Effect && q.rule.When == p.rule.When
			return !same && l.outdoes(q, p)
		})
		if q != nil {
			l.report(Diagnostic{
				Severity: Note, Statements: []rolecall.Statement{p.role.Role},
				Message: fmt.Sprintf("in role %s, %q never matters beside %q", p.role.Name, p, *q),
				Fix:     Fix{fmt.Sprintf("take %q out", p), p.takenOut(), true},
			})
		}
	}
}

func (l *linter) inheritedPatterns() {
	for p := range l.allPatterns() {
		if from := l.inheritedFrom(p); from != nil {
			l.report(Diagnostic{
				Severity: Note, Statements: []rolecall.Statement{p.role.Role, from.role.Role},
				Message: fmt.Sprintf("role %s inherits %q from role %s, and says %q itself", p.role.Name, *from, from.role.Name, p),
				Fix:     Fix{fmt.Sprintf("take %q out of role %s", p, p.role.Name), p.takenOut(), true},
			})
		}
	}
}

// inheritedFrom returns an allow of an inherited role which p, an allow too, only repeats. That it does as long as nothing
// stricter is inherited with it.
func (l *linter) inheritedFrom(p rulePattern) (from *rulePattern) {
	if p.rule.Effect != rolecall.Allow {
		return nil
	}
	for q := range patternsOf(p.role.family...) {
		switch {
		case q.role == p.role:
		case q.rule.Effect != rolecall.Allow && overlaps(q.pattern, p.pattern):
			return nil
		case from == nil && q.rule.Effect == rolecall.Allow && l.outdoes(q, p):
			from = &q
		}
	}
	return from
}

// overriddenRules finds patterns that matter in no role that somebody has: in each of them another role always says
// something nearer, or forbids it anyway.
func (l *linter) overriddenRules() {
	for p := range l.allPatterns() {
		by := l.alwaysBeside(p)
		if len(by) == 0 {
			continue
		}
		message := fmt.Sprintf("in role %s, %q never matters: nobody has it without %q of role %s", p.role.Name, p, by[0], by[0].role.Name)
		if len(by) > 1 {
			message += ", or the like of " + several(len(by)-1, "other role")
		}
		statements := []rolecall.Statement{p.role.Role}
		for _, q := range by {
			statements = append(statements, q.role.Role)
		}
		l.report(Diagnostic{
			Severity: Note, Statements: statements, Message: message,
			Fix: Fix{fmt.Sprintf("take %q out of role %s", p, p.role.Name), p.takenOut(), true},
		})
	}
}

// alwaysBeside returns what makes p meaningless in the roles that somebody has, one pattern a role; none where p matters in
// some of them, or where nobody has it.
func (l *linter) alwaysBeside(p rulePattern) (by []rulePattern) {
	for _, granted := range l.sorted {
		if granted.grants == 0 || !slices.Contains(granted.family, p.role) {
			continue
		}
		q := l.stronger(granted, p)
		if q == nil {
			return nil
		}
		if !slices.ContainsFunc(by, func(other rulePattern) bool { return other.role == q.role }) {
			by = append(by, *q)
		}
	}
	return by
}

// stronger returns what makes p meaningless in one role that somebody has, nil where nothing does.
func (l *linter) stronger(granted *roleEntry, p rulePattern) *rulePattern {
	return first(granted.family, func(q rulePattern) bool {
		return q.role != p.role && q.rule.When == "" && covers(q.pattern, p.pattern) && (q.rule.Effect == rolecall.Forbid || l.replaces(q, p))
	})
}

// replaces says whether q, which covers p and has no condition, makes a role that inherits p say something else whenever p
// speaks: a deny, or an allow that no except beside it takes away.
func (l *linter) replaces(q, p rulePattern) bool {
	if p.rule.Effect == rolecall.Forbid || !slices.Contains(q.role.family, p.role) {
		return false
	}
	switch {
	case q.rule.Effect == rolecall.Deny:
		return true
	case q.rule.Effect != rolecall.Allow || q.role.excepts(p.pattern):
		return false
	case p.rule.Effect == rolecall.Allow:
		return l.allowsAsMuch(q.pattern, p.pattern) && !l.outdoes(p, q) // which is an inherited pattern
	}
	return l.allowsAll(q.pattern, p.pattern)
}

// allowsAll says whether an allow of q covers the built-in permissions that p matches.
func (l *linter) allowsAll(q, p rolecall.Pattern) bool {
	return !slices.ContainsFunc(l.permissions, func(one rolecall.Permission) bool {
		return one.IsBuiltin() && p.Matches(one) && !q.AllowMatches(one)
	})
}

// excepts says whether the role itself takes away something that the pattern speaks of.
func (r *roleEntry) excepts(p rolecall.Pattern) bool {
	return first([]*roleEntry{r}, func(q rulePattern) bool { return q.rule.Effect == rolecall.Except && overlaps(q.pattern, p) }) != nil
}

// idlePatterns finds stars in roles that cover nothing, and allows that their star does not extend to.
func (l *linter) idlePatterns() {
	for p := range l.allPatterns() {
		if what := l.idle(p.pattern, p.rule.Effect); what != "" {
			l.report(Diagnostic{
				Severity: Warning, Statements: []rolecall.Statement{p.role.Role},
				Message: fmt.Sprintf("in role %s, %q %s", p.role.Name, p, what),
				Fix:     Fix{fmt.Sprintf("take %q out", p), p.takenOut(), true},
			})
		}
	}
}

// idleOverrides finds the same in overrides.
func (l *linter) idleOverrides(p *person) {
	for _, o := range p.overrides {
		if what := l.idle(o.Pattern, o.Effect); what != "" && !l.closed(o.Window) {
			l.report(Diagnostic{
				Severity: Warning, Statements: []rolecall.Statement{o},
				Message: fmt.Sprintf("%q %s", rolecall.KeyOf(o), what),
				Fix:     Fix{"remove it", []rolecall.Edit{rolecall.Remove(o)}, true},
			})
		}
	}
}

// idle says of a pattern that covers nothing why that is so, and nothing of another one.
func (l *linter) idle(p rolecall.Pattern, effect rolecall.Effect) string {
	speaks := func(one rolecall.Permission) bool { return speaksOf(effect, p, one) }
	switch {
	case !p.HasStar() || slices.ContainsFunc(l.permissions, speaks): // without a star it is a declared one
		return ""
	case slices.ContainsFunc(l.permissions, p.Matches):
		return "allows nothing: built-in permissions are spelled"
	}
	return "covers no declared permission"
}

// idleExcepts finds excepts that can take nothing away, in whatever role they are inherited.
func (l *linter) idleExcepts() {
	for p := range l.allPatterns() {
		if p.rule.Effect != rolecall.Except || l.besideAllow(p) {
			continue
		}
		l.report(Diagnostic{
			Severity: Note, Statements: []rolecall.Statement{p.role.Role},
			Message: fmt.Sprintf("in role %s, %q takes nothing away: nothing beside it allows that", p.role.Name, p),
			Fix:     Fix{fmt.Sprintf("take %q out", p), p.takenOut(), true},
		})
	}
}

// besideAllow says whether some role in which p counts allows something that p speaks of.
func (l *linter) besideAllow(p rulePattern) bool {
	return slices.ContainsFunc(l.heirs(p.role), func(heir *roleEntry) bool {
		return first(heir.family, func(q rulePattern) bool { return q.rule.Effect == rolecall.Allow && overlaps(q.pattern, p.pattern) }) != nil
	})
}

// widePatterns finds an allow of everything that the host declares, or of everything under rolecall.
func (l *linter) widePatterns() {
	for p := range l.allPatterns() {
		if p.rule.Effect != rolecall.Allow || !p.pattern.HasStar() {
			continue
		}
		what := ""
		switch {
		case covers(p.pattern, "*.*"):
			what = "everything, and what is declared later"
		case covers(p.pattern, "rolecall.*"):
			what = "all administration"
		default:
			continue
		}
		var spelled []rolecall.Pattern
		for _, permission := range l.permissions {
			if p.pattern.AllowMatches(permission) {
				spelled = append(spelled, rolecall.Pattern(permission.String()))
			}
		}
		l.report(Diagnostic{
			Severity: Warning, Statements: []rolecall.Statement{p.role.Role},
			Message: fmt.Sprintf("role %s allows %s: %q", p.role.Name, what, p),
			Fix:     Fix{fmt.Sprintf("spell the %d permissions that %q covers now", len(spelled), p), p.takenOut(spelled...), true},
		})
	}
}
