package review

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// Roles that nobody needs, roles that are nearly one, and permissions that no role gives.

func (l *linter) unusedPermissions() {
	given, some := slices.Clone(l.overrides), l.bits()
	for _, r := range l.roles {
		for i := range some {
			some[i] |= r.allows[i]
			if r.grants > 0 {
				given[i] |= r.allows[i]
			}
		}
	}
	for n, p := range l.permissions {
		if p.IsBuiltin() || given.has(n) {
			continue
		}
		d := Diagnostic{
			Severity: Note, Permissions: []rolecall.Permission{p},
			Message: fmt.Sprintf("nobody can be allowed %s: nothing allows it", p),
			Fix:     Fix{Message: "allow it in a role, or declare it no more"},
		}
		if some.has(n) {
			d.Message = fmt.Sprintf("nobody can be allowed %s: only roles that nobody has allow it", p)
			d.Fix.Message = "grant such a role, or declare the permission no more"
		}
		l.report(d)
	}
}

// unusedRoles proposes to remove a role together with those that inherit from it, of which none is used either.
func (l *linter) unusedRoles() {
	for _, r := range l.sorted {
		heirs := l.heirs(r)
		if r.used || slices.ContainsFunc(heirs, func(h *roleEntry) bool { return h.constrained }) {
			continue
		}
		message := fmt.Sprintf("remove role %s", r.Name)
		if len(heirs) > 1 {
			others := slices.DeleteFunc(slices.Clone(heirs), func(h *roleEntry) bool { return h == r })
			message = fmt.Sprintf("remove role %s and %s, which nobody has either", r.Name, listed(others))
		}
		d := Diagnostic{
			Severity: Note, Statements: []rolecall.Statement{r.Role},
			Message: fmt.Sprintf("nobody has role %s, nor a role that inherits from it", r.Name),
			Fix:     Fix{Message: message, Neutral: true},
		}
		for _, h := range heirs {
			d.Fix.Edits = append(d.Fix.Edits, rolecall.Remove(h.Role))
		}
		l.report(d)
	}
}

// heirs returns a role and all that inherit from it, by name.
func (l *linter) heirs(r *roleEntry) []*roleEntry {
	var all []*roleEntry
	for _, one := range l.sorted {
		if slices.Contains(one.family, r) {
			all = append(all, one)
		}
	}
	return all
}

// emptyRoles finds roles that are given and say nothing. One that replaces what others give does have an effect.
func (l *linter) emptyRoles() {
	for _, r := range l.sorted {
		if !r.used || r.replaces || r.constrained || l.says(r) {
			continue
		}
		d := Diagnostic{
			Severity: Note, Statements: []rolecall.Statement{r.Role},
			Message: fmt.Sprintf("role %s says nothing of any permission", r.Name),
			Fix:     Fix{Message: fmt.Sprintf("remove role %s and %s", r.Name, several(r.grants, "grant")), Neutral: true},
		}
		uses := l.s.UsesOf(r.Name)
		slices.SortFunc(uses, compareStatements)
		for _, use := range uses {
			switch use := use.(type) {
			case rolecall.Grant:
				d.Fix.Edits = append(d.Fix.Edits, rolecall.Remove(use))
			case rolecall.Role:
				use.Inherits = slices.DeleteFunc(slices.Clone(use.Inherits), func(n rolecall.RoleName) bool { return n == r.Name })
				d.Fix.Edits = append(d.Fix.Edits, rolecall.Put(use))
			}
		}
		d.Fix.Edits = append(d.Fix.Edits, rolecall.Remove(r.Role))
		l.report(d)
	}
}

// says says whether the role, or one that it inherits from, speaks of a declared permission.
func (l *linter) says(r *roleEntry) bool {
	return first(r.family, func(p rulePattern) bool { return slices.ContainsFunc(l.permissions, p.speaksOf) }) != nil
}

// Roles are similar where they allow at least so many permissions together, of which at most one in so many differs.
const (
	similarFrom  = 3
	similarShare = 10
)

// similarRoles compares roles that do nothing but allow, each with those of about its size.
func (l *linter) similarRoles() {
	var roles []*roleEntry
	size := map[*roleEntry]int{}
	for _, r := range l.sorted {
		size[r] = count(r.allows)
		constrained := slices.ContainsFunc(r.family, func(one *roleEntry) bool { return one.constrained })
		if r.plain && !constrained && size[r] >= similarFrom-1 {
			roles = append(roles, r)
		}
	}
	slices.SortStableFunc(roles, func(a, b *roleEntry) int { return size[a] - size[b] })
	for i, a := range roles {
		for _, b := range roles[i+1:] {
			if (size[b]-size[a])*similarShare > size[b] {
				break
			}
			l.compareRoles(a, b)
		}
	}
}

// compareRoles reports two roles of which the second allows at least as much.
func (l *linter) compareRoles(a, b *roleEntry) {
	union, differ := 0, 0
	for i := range a.allows {
		union += bits.OnesCount64(a.allows[i] | b.allows[i])
		differ += bits.OnesCount64(a.allows[i] ^ b.allows[i])
	}
	if union < similarFrom || differ*similarShare > union {
		return
	}
	shared, common := l.bits(), both(a.allows, b.allows)
	for _, one := range a.family {
		if slices.Contains(b.family, one) {
			merge(shared, one.allows)
		}
	}
	if slices.Equal(shared, common) {
		return
	}
	onlyA, onlyB := without(a.allows, common), without(b.allows, common)
	d := Diagnostic{Severity: Note, Statements: []rolecall.Statement{a.Role, b.Role}}
	switch {
	case differ == 0:
		if b.Name < a.Name {
			a, b = b, a
		}
		d.Statements = []rolecall.Statement{a.Role, b.Role}
		d.Message = fmt.Sprintf("roles %s and %s allow the same", a.Name, b.Name)
		d.Fix = Fix{fmt.Sprintf("let role %s inherit from role %s", b.Name, a.Name), []rolecall.Edit{rolecall.Put(l.inheriting(b, a.Name, a.allows))}, true}
	case count(onlyA) == 0:
		d.Message = fmt.Sprintf("role %s allows what role %s does, and %s", b.Name, a.Name, listed(l.in(onlyB)))
		d.Fix = Fix{fmt.Sprintf("let role %s inherit from role %s", b.Name, a.Name), []rolecall.Edit{rolecall.Put(l.inheriting(b, a.Name, a.allows))}, true}
	default:
		d.Message = fmt.Sprintf("of the %d permissions that roles %s and %s allow, they differ in %s", union, a.Name, b.Name, listed(append(l.in(onlyA), l.in(onlyB)...)))
		d.Fix = l.commonRole(a, b, common)
	}
	l.report(d)
}

// inheriting returns a role that inherits from another one as well, without what it spells that this one allows.
func (l *linter) inheriting(r *roleEntry, from rolecall.RoleName, allows permissionBits) rolecall.Role {
	changed := rewritten(r.Role, func(rule rolecall.Rule) []rolecall.Pattern {
		return slices.DeleteFunc(slices.Clone(rule.Patterns), func(p rolecall.Pattern) bool {
			n := l.number(rolecall.NewPermission(string(p)))
			return n >= 0 && allows.has(n)
		})
	})
	changed.Inherits = append(slices.Clone(r.Inherits), from)
	return changed
}

// commonRole proposes a role of what two roles have in common.
func (l *linter) commonRole(a, b *roleEntry, both permissionBits) Fix {
	name := rolecall.RoleName(fmt.Sprintf("%s-and-%s", a.Name, b.Name))
	if l.roles[name] != nil || len(name) > 128 {
		return Fix{Message: "make a role of what they have in common, and let both inherit from it"}
	}
	common := rolecall.Role{Name: name, Rules: allowOf(l.in(both))}
	return Fix{
		Message: fmt.Sprintf("make role %s of the %d permissions that they have in common, and let both inherit from it", name, count(both)),
		Edits:   []rolecall.Edit{rolecall.Put(common), rolecall.Put(l.inheriting(a, name, both)), rolecall.Put(l.inheriting(b, name, both))},
		Neutral: true,
	}
}

// separationRoles finds roles that by themselves, with what they inherit, are too many of a constraint.
func (l *linter) separationRoles() {
	for _, c := range l.constraints {
		for _, r := range l.sorted {
			if l.counts(c, r.family) < c.Limit {
				continue
			}
			d := Diagnostic{
				Severity: Warning, Statements: []rolecall.Statement{r.Role, c},
				Message: fmt.Sprintf("nobody may hold role %s: with what it inherits it breaks constraint %s", r.Name, c.Name),
				Fix:     Fix{Neutral: c.Kind == rolecall.Static},
			}
			if c.Kind == rolecall.Dynamic {
				d.Message = fmt.Sprintf("no session may activate role %s: with what it inherits it breaks constraint %s", r.Name, c.Name)
			}
			changed := r.Role
			changed.Inherits = slices.Clone(r.Inherits)
			for l.counts(c, l.family(changed)) >= c.Limit {
				changed.Inherits = changed.Inherits[:len(changed.Inherits)-1]
			}
			var dropped []*roleEntry
			for _, parent := range r.Inherits[len(changed.Inherits):] {
				dropped = append(dropped, l.roles[parent])
			}
			d.Fix.Message = fmt.Sprintf("let role %s no longer inherit from %s", r.Name, listed(dropped))
			d.Fix.Edits = []rolecall.Edit{rolecall.Put(changed)}
			l.report(d)
		}
	}
}

// family returns the roles that a changed role would have with it.
func (l *linter) family(r rolecall.Role) []*roleEntry {
	all := []*roleEntry{l.roles[r.Name]}
	for _, parent := range r.Inherits {
		all = append(all, l.roles[parent].family...)
	}
	return all
}

// counts returns how many roles of a constraint are among some.
func (l *linter) counts(c rolecall.Constraint, some []*roleEntry) int {
	n := 0
	for _, name := range c.Roles {
		if slices.Contains(some, l.roles[name]) {
			n++
		}
	}
	return n
}
