package rolecall

import (
	"maps"
	"slices"
	"strings"
)

// Roles made ready: what each says, with what it inherits.

// finishRoles compiles the changed roles and those that inherit from them, heirs last.
func (d *draft) finishRoles() {
	d.ownTable()
	d.finishOwnRules()
	order, cycle := d.inheritance()
	if cycle != nil {
		d.refuse(ErrCycle, d.roles.find(cycle[0]).Role, string(cycle[0]), "the roles inherit from each other in a circle: %s", strings.Join(texts(cycle), " inherits "))
		return
	}
	n := len(d.catalog.permissions)
	for _, r := range order {
		if !d.compileLineage(r) {
			return
		}
		r.compileSays(n)
		r.compileCapacity()
	}
	d.roles.tabulate(n)
}

// finishOwnRules compiles what the changed roles say themselves, and judges by their limits the grants that stand.
func (d *draft) finishOwnRules() {
	before := len(d.problems)
	for name := range d.rolesChanged {
		r := d.roles.find(name)
		if r == nil {
			continue
		}
		r.compileOwn(d.catalog)
		if len(r.Holders) > 0 || len(r.Scopes) > 0 {
			for _, g := range d.usesOf(r) {
				d.checkLimits(g.(Grant))
			}
		}
	}
	slices.SortStableFunc(d.problems[before:], func(a, b *Problem) int { return compareStatements(a.Statement, b.Statement) })
	d.problems = compactProblems(d.problems)
}

// compactProblems drops repetitions: a grant may have been judged when it was put and again with its role.
func compactProblems(ps Problems) Problems {
	seen := map[string]bool{}
	return slices.DeleteFunc(ps, func(p *Problem) bool {
		key := p.Error()
		repeated := seen[key]
		seen[key] = true
		return repeated
	})
}

// inheritance returns the roles to compile, each after those it inherits from; or a cycle, whose first name is also
// its last.
func (d *draft) inheritance() (order []*role, cycle []RoleName) {
	above := func(name RoleName) []RoleName { return d.roles.find(name).Inherits }
	names, circular := inOrder(d.rolesToCompile(), above)
	if len(circular) > 0 {
		return nil, circle(circular, above)
	}
	for _, name := range names {
		order = append(order, d.roles.find(name))
	}
	return order, nil
}

// rolesToCompile returns the changed roles and those that inherit from them. Roles that a snapshot shares with its
// predecessor are never changed: those to compile are copies.
func (d *draft) rolesToCompile() map[RoleName]bool {
	heirs := map[RoleName][]RoleName{}
	for _, name := range d.roles.names() {
		for _, above := range d.roles.find(name).Inherits {
			heirs[above] = append(heirs[above], name)
		}
	}
	found := map[RoleName]bool{}
	queue := slices.Collect(maps.Keys(d.rolesChanged))
	for ; len(queue) > 0; queue = queue[1:] {
		if name := queue[0]; !found[name] {
			found[name] = true
			queue = append(queue, heirs[name]...)
		}
	}
	for name := range found {
		r := d.roles.find(name)
		switch {
		case r == nil:
			delete(found, name)
		case !d.rolesChanged[name]:
			c := *r
			d.roles.byName[name], d.roles.roles[c.number] = &c, &c
		}
	}
	return found
}

// compileLineage works out what a role inherits from, heirs before those they inherit from, and whether the line is
// too long.
func (d *draft) compileLineage(r *role) bool {
	r.lineage, r.above, r.steps = nil, nil, 0
	for _, name := range slices.Backward(r.Inherits) {
		above := d.roles.find(name)
		if above == nil {
			continue
		}
		r.steps = max(r.steps, above.steps+1)
		for _, one := range slices.Backward(above.lineage) {
			if !r.above.has(one.number) {
				r.above = r.above.with(d.own, one.number)
				r.lineage = append(r.lineage, one)
			}
		}
	}
	r.lineage = append(r.lineage, r)
	slices.Reverse(r.lineage)
	r.direct = r.directLines()
	if r.steps > maxRoleSteps {
		d.refuse(ErrLimit, r.Role, string(r.Name), "the line of inheritance has more than %d steps", maxRoleSteps)
		return false
	}
	return true
}

// directLines returns of each role of the line where in it those are from which it inherits directly.
func (r *role) directLines() [][]int {
	at := make(map[RoleName]int, len(r.lineage))
	for i, one := range r.lineage {
		at[one.Name] = i
	}
	direct := make([][]int, len(r.lineage))
	for i, one := range r.lineage {
		for _, name := range one.Inherits {
			if above, defined := at[name]; defined {
				direct[i] = append(direct[i], above)
			}
		}
	}
	return direct
}
