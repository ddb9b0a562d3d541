package rolecall

import (
	"maps"
	"slices"
	"strings"
)

// finish judges the draft as a whole (references, cycles, limits, separation) and makes it ready to be asked. The base is
// the policy that the draft started from, nil where it is built from nothing. The policy is nil where there are
// problems.
func (d *draft) finish(base *policy) *policy {
	if len(d.rolesChanged) > 0 {
		d.finishRoles(base)
	}
	d.checkRoleNames(base)
	if len(d.groupsChanged) > 0 {
		d.finishGroups()
	}
	if len(d.problems) == 0 {
		d.checkSeparation(base)
	}
	if len(d.problems) > 0 {
		return nil
	}
	return d.policy
}

// checkRoleNames reports every statement that names a role which is not defined: in-use where the change removed the
// role, otherwise unknown.
func (d *draft) checkRoleNames(base *policy) {
	if !d.tableOwned && !d.separate.all {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(d.roles.byName)) {
		if r := d.roles.byName[name]; !r.defined {
			for _, by := range sortStatements(d.usesOf(r)) {
				d.undefined(base, by, name)
			}
		}
	}
	for _, name := range d.roles.names() {
		r := d.roles.find(name)
		for _, above := range r.Inherits {
			if d.roles.find(above) == nil {
				d.undefined(base, r.Role, above)
			}
		}
	}
	for _, c := range d.constraints {
		for _, name := range c.Roles {
			if d.roles.find(name) == nil {
				d.undefined(base, c, name)
			}
		}
	}
}

func (d *draft) undefined(base *policy, by Statement, name RoleName) {
	if base != nil && base.roles.find(name) != nil {
		p := problem(ErrInUse, Role{Name: name}.String(), string(name), "the role is still named by %s", KeyOf(by))
		p.Statement = by
		d.problems = append(d.problems, p)
		return
	}
	d.refuse(ErrUnknown, by, string(name), "no such role is defined%s", didYouMean(string(name), d.roleNames()))
}

// roleNames returns the defined roles to look among for one that was meant, none where there are too many.
func (p *policy) roleNames() []string {
	if len(p.roles.byName) > mostCandidates {
		return nil
	}
	return texts(p.roles.names())
}

// usesOf lists the grants of a role, by subject.
func (p *policy) usesOf(r *role) []Statement {
	var uses []Statement
	add := func(h *holder) {
		for i := range h.grants {
			if h.grants[i].role == r.number {
				uses = append(uses, p.grant(h, &h.grants[i]))
			}
		}
	}
	u := p.uses.at(r.number)
	for number := range u.groups.all() {
		add(p.groups.at(number))
	}
	for number := range u.users.all() {
		add(p.users.at(number))
	}
	return uses
}

// --- roles --------------------------------------------------------------------------------------------------------

// finishRoles compiles the changed roles and those that inherit from them, heirs last.
func (d *draft) finishRoles(base *policy) {
	d.ownTable()
	before := len(d.problems)
	for name := range d.rolesChanged {
		if r := d.roles.find(name); r != nil {
			r.compileOwn(d.catalog)
			if len(r.Holders) > 0 || len(r.Scopes) > 0 {
				for _, g := range d.usesOf(r) {
					d.checkLimits(g.(Grant))
				}
			}
		}
	}
	slices.SortStableFunc(d.problems[before:], func(a, b *Problem) int { return KeyOf(a.Statement).Compare(KeyOf(b.Statement)) })
	d.problems = compactProblems(d.problems)
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
		d.roles.compileSays(r, n)
		r.can = d.roles.capacityOf(r, n)
	}
	d.roles.strict, d.roles.says = newPermset(n), make([][]uint8, len(d.roles.roles))
	for number, r := range d.roles.roles {
		if r == nil || !r.defined {
			continue
		}
		d.roles.says[number] = r.say
		for p := range n {
			if r.say[p] > uint8(Allow) {
				d.roles.strict.add(p)
			}
		}
	}
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
// its last. Roles that a snapshot shares with its predecessor are never changed: those to compile are copies.
func (d *draft) inheritance() (order []*role, cycle []RoleName) {
	heirs := map[RoleName][]RoleName{}
	for _, name := range d.roles.names() {
		for _, above := range d.roles.find(name).Inherits {
			heirs[above] = append(heirs[above], name)
		}
	}
	affected := map[RoleName]bool{}
	queue := slices.Sorted(maps.Keys(d.rolesChanged))
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if affected[name] {
			continue
		}
		affected[name] = true
		queue = append(queue, heirs[name]...)
	}
	waits := map[RoleName]int{}
	for name := range affected {
		r := d.roles.find(name)
		if r == nil {
			delete(affected, name)
			continue
		}
		if !d.rolesChanged[name] {
			c := *r
			d.roles.byName[name], d.roles.roles[c.number] = &c, &c
		}
	}
	var ready []RoleName
	for _, name := range slices.Sorted(maps.Keys(affected)) {
		for _, above := range d.roles.find(name).Inherits {
			if affected[above] {
				waits[name]++
			}
		}
		if waits[name] == 0 {
			ready = append(ready, name)
		}
	}
	for len(ready) > 0 {
		name := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		order = append(order, d.roles.find(name))
		delete(affected, name)
		for _, heir := range heirs[name] {
			if waits[heir]--; waits[heir] == 0 {
				ready = append(ready, heir)
			}
		}
	}
	if len(affected) > 0 {
		return nil, circle(slices.Sorted(maps.Keys(affected)), func(name RoleName) []RoleName {
			return slices.DeleteFunc(slices.Clone(d.roles.find(name).Inherits), func(above RoleName) bool { return !affected[above] })
		})
	}
	return order, nil
}

// circle follows next from node to node, each of which lies on or leads into a cycle, until it closes.
func circle[N comparable](nodes []N, next func(N) []N) []N {
	at := map[N]int{}
	var walk []N
	for n := nodes[0]; ; n = next(n)[0] {
		if i, seen := at[n]; seen {
			return append(walk[i:], n)
		}
		at[n] = len(walk)
		walk = append(walk, n)
	}
}

// compileLineage works out what a role inherits from, heirs before those they inherit from, and whether the line is
// too long.
func (d *draft) compileLineage(r *role) bool {
	r.lineage, r.above, r.steps = []uint32{r.number}, nil, 0
	for _, name := range r.Inherits {
		above := d.roles.find(name)
		if above == nil {
			continue
		}
		r.steps = max(r.steps, above.steps+1)
		for _, number := range above.lineage {
			if !r.above.has(number) {
				r.above = r.above.with(d.own, number)
				r.lineage = append(r.lineage, number)
			}
		}
	}
	if r.steps > maxRoleSteps {
		d.refuse(ErrLimit, r.Role, string(r.Name), "the line of inheritance has more than %d steps", maxRoleSteps)
		return false
	}
	return true
}

// --- groups -------------------------------------------------------------------------------------------------------

// finishGroups works out anew what lies above the changed groups and those below them.
func (d *draft) finishGroups() {
	waits := map[uint32]int{}
	queue := slices.Sorted(maps.Keys(d.groupsChanged))
	for len(queue) > 0 {
		number := queue[0]
		queue = queue[1:]
		if _, seen := waits[number]; seen {
			continue
		}
		waits[number] = 0
		queue = slices.AppendSeq(queue, d.groups.at(number).group.subgroups.all())
	}
	var ready []uint32
	for _, number := range slices.Sorted(maps.Keys(waits)) {
		for _, m := range d.groups.at(number).groups {
			if _, affected := waits[m.group]; affected {
				waits[number]++
			}
		}
		if waits[number] == 0 {
			ready = append(ready, number)
		}
	}
	for len(ready) > 0 {
		number := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		delete(waits, number)
		h := d.ownHolder(d.groups.at(number))
		if !d.climb(h) {
			return
		}
		for below := range h.group.subgroups.all() {
			if waits[below]--; waits[below] == 0 {
				ready = append(ready, below)
			}
		}
	}
	if len(waits) > 0 {
		d.refuseCircle(waits)
	}
}

// climb works out what lies above a group from what lies above the groups it is directly in.
func (d *draft) climb(h *holder) bool {
	g := h.group
	g.steps, g.timed, g.halted = 0, false, h.suspended
	up := []uint32{h.number}
	for _, m := range h.groups {
		above := d.groups.at(m.group).group
		g.steps = max(g.steps, above.steps+1)
		g.timed = g.timed || m.terms != 0 || above.timed
		g.halted = g.halted || above.halted
		up = append(up, above.up...)
	}
	slices.Sort(up)
	g.rise(slices.Compact(up))
	if g.steps > maxGroupSteps {
		d.refuse(ErrLimit, d.membership(h, &h.groups[0]), h.subject.String(), "groups lie in groups for more than %d steps", maxGroupSteps)
		return false
	}
	return true
}

func (d *draft) refuseCircle(affected map[uint32]int) {
	walk := circle(slices.Sorted(maps.Keys(affected)), func(number uint32) []uint32 {
		var above []uint32
		for _, m := range d.groups.at(number).groups {
			if _, on := affected[m.group]; on {
				above = append(above, m.group)
			}
		}
		return above
	})
	names := make([]string, len(walk))
	for i, number := range walk {
		names[i] = d.groups.at(number).subject.String()
	}
	first := Membership{Member: d.groups.at(walk[0]).subject, Group: d.groups.at(walk[1]).subject}
	d.refuse(ErrCycle, first, names[0], "the groups contain each other in a circle: %s", strings.Join(names, " in "))
}
