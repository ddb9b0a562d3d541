package rolecall

import (
	"cmp"
	"maps"
	"slices"
)

// A draft is a policy in the making: it applies statements one by one, copying what it touches, and finish judges the
// whole. The policy it started from does not change.
type draft struct {
	*policy
	own      *token
	loading  bool // from nothing: a second statement with one key is a problem, and no deltas are kept
	problems Problems

	deltas        map[StatementKey]*Delta
	groupsChanged map[uint32]bool   // whose direct groups or existence changed
	rolesChanged  map[RoleName]bool // whose definition changed
	recent        recent
	separate      separationScope

	tableOwned, constraintsOwned bool
}

func (p *policy) draft() *draft {
	copied := *p
	return &draft{
		policy: &copied, own: new(token), separate: separationScope{subjects: map[Subject]bool{}}, deltas: map[StatementKey]*Delta{},
		groupsChanged: map[uint32]bool{}, rolesChanged: map[RoleName]bool{},
	}
}

func (d *draft) refuse(code Code, by Statement, word, format string, args ...any) {
	p := problem(code, "", word, format, args...)
	d.refused(p, by)
}

func (d *draft) refused(p *Problem, by Statement) {
	p.Statement = by
	if p.Place == "" && by != nil {
		p.Place = KeyOf(by).String()
	}
	d.problems = append(d.problems, p)
}

// put adds a statement or changes the one with its key. A statement with a problem is not applied.
func (d *draft) put(s Statement) {
	if !d.check(s) {
		d.keepName(s)
		return
	}
	before := d.take(s)
	if d.loading && before != nil && !Equal(before, s) {
		d.refuse(ErrInvalid, s, "", "two different statements have this key; the other one says: %s", before)
		s = before
	}
	d.insert(s)
	if !d.loading {
		d.record(s, before, Canonical(s))
	}
}

// keepName defines a role that has a problem as far as its name and what it inherits go, so that what else is wrong
// with it is found too, and what names it is not reported as well. The draft is refused anyway.
func (d *draft) keepName(s Statement) {
	r, isRole := s.(Role)
	if !isRole || checkName("", string(r.Name)) != nil {
		return
	}
	r.Inherits = slices.DeleteFunc(slices.Clone(r.Inherits), func(above RoleName) bool {
		return above == r.Name || checkName("", string(above)) != nil
	})
	d.take(r)
	d.insert(Role{Name: r.Name, Inherits: r.Inherits})
}

// remove removes the statement with the key of s.
func (d *draft) remove(s Statement) {
	before := d.take(s)
	if before == nil {
		d.refuse(ErrUnknown, s, "", "there is no such statement to remove")
		return
	}
	d.record(s, before, nil)
	d.dropEmpty(s)
}

// record notes what the draft did to a statement; what comes back to where it was is no change.
func (d *draft) record(s, before, after Statement) {
	key := KeyOf(s)
	delta := d.deltas[key]
	if delta == nil {
		delta = &Delta{Before: before}
		d.deltas[key] = delta
	}
	delta.After = after
	if Equal(delta.Before, delta.After) {
		delete(d.deltas, key)
	}
}

// take takes the statement with the key of s out of the policy and returns it, nil where there is none.
func (d *draft) take(s Statement) Statement {
	switch s := s.(type) {
	case Role:
		return d.takeRole(s.Name)
	case Membership:
		return d.takeMembership(s)
	case Grant:
		return d.takeGrant(s)
	case Override:
		return d.takeOverride(s)
	case Suspension:
		if h := d.holder(s.Subject); h != nil && h.suspended {
			d.setSuspended(h, false)
			return s
		}
	case PrivateScope:
		if at := d.place(s.Scope); at != nil && at.private {
			d.ownPlace(at).private = false
			d.privates = d.privates.without(d.own, at.number)
			return s
		}
	case Constraint:
		if i, found := d.findConstraint(s.Name); found {
			before := d.constraints[i]
			d.ownConstraints()
			d.constraints = slices.Delete(d.constraints, i, i+1)
			return before
		}
	}
	return nil
}

// insert puts a checked statement into the policy; none with its key is there.
func (d *draft) insert(s Statement) {
	switch s := s.(type) {
	case Role:
		d.defineRole(s.canonical())
	case Membership:
		d.addMembership(s)
	case Grant:
		d.addGrant(s)
	case Override:
		d.addOverride(s)
	case Suspension:
		d.setSuspended(d.internHolder(s.Subject), true)
	case PrivateScope:
		at := d.internPlace(s.Scope)
		at.private = true
		d.privates = d.privates.with(d.own, at.number)
		d.closed = d.closed.with(d.own, at.hint())
	case Constraint:
		d.separate.all = true
		i, _ := d.findConstraint(s.Name)
		d.ownConstraints()
		d.constraints = slices.Insert(d.constraints, i, s.canonical())
	}
}

// ownConstraints makes the list of constraints the draft's own.
func (d *draft) ownConstraints() {
	if !d.constraintsOwned {
		d.constraintsOwned = true
		d.constraints = slices.Clone(d.constraints)
	}
}

func (p *policy) findConstraint(name string) (int, bool) {
	return slices.BinarySearchFunc(p.constraints, name, func(c Constraint, name string) int { return cmp.Compare(c.Name, name) })
}

func (d *draft) setSuspended(h *holder, suspended bool) {
	h = d.ownHolder(h)
	if h.isGroup() && h.suspended != suspended {
		d.groupsChanged[h.number] = true
		if suspended {
			d.suspendedGroups++
		} else {
			d.suspendedGroups--
		}
	}
	h.suspended = suspended
}

// --- memberships --------------------------------------------------------------------------------------------------

func (d *draft) takeMembership(m Membership) Statement {
	h, g := d.holder(m.Member), d.holder(m.Group)
	if h == nil || g == nil {
		return nil
	}
	i := slices.IndexFunc(h.groups, func(at memberAt) bool { return at.group == g.number })
	if i < 0 {
		return nil
	}
	before := d.membership(h, &h.groups[i])
	h, g = d.ownHolder(h), d.ownHolder(g)
	terms := h.groups[i].terms
	h.groups = slices.Delete(h.groups, i, i+1)
	h.dropTerms(terms)
	if h.isGroup() {
		g.group.subgroups = g.group.subgroups.without(d.own, h.number)
		d.groupsChanged[h.number] = true
	} else {
		g.group.members = g.group.members.without(d.own, h.number)
	}
	return before
}

func (d *draft) addMembership(m Membership) {
	h, g := d.internHolder(m.Member), d.internHolder(m.Group)
	d.separate.add(m.Member)
	h.groups = insertAt(h.groups, len(h.groups), memberAt{g.number, h.addTerms(m.Window, 0)})
	if h.isGroup() {
		g.group.subgroups = g.group.subgroups.with(d.own, h.number)
		d.groupsChanged[h.number] = true
	} else {
		g.group.members = g.group.members.with(d.own, h.number)
	}
}

// --- grants and overrides -----------------------------------------------------------------------------------------

// grantIndex returns where among the grants of its subject, at its scope, is the one with the key of g; -1 where none is.
func (p *policy) grantIndex(h *holder, at *place, g Grant) int {
	r, when := p.roles.byName[g.Role], p.catalog.conditions[g.When]
	if h == nil || at == nil || r == nil || g.When != "" && when == 0 {
		return -1
	}
	grants := h.grantsAt(at)
	for i := range grants {
		if x := &grants[i]; x.role == r.number && h.when(x.terms) == when && (x.marks&markEligible != 0) == g.Eligible {
			return offsetIn(h.grants, grants) + i
		}
	}
	return -1
}

func (d *draft) takeGrant(g Grant) Statement {
	h := d.holder(g.Subject)
	i := d.grantIndex(h, d.place(g.Scope), g)
	if i < 0 {
		return nil
	}
	x := h.grants[i]
	before := d.grant(h, &x)
	h = d.ownHolder(h)
	h.grants = slices.Delete(h.grants, i, i+1)
	h.dropTerms(x.terms)
	if x.marks&markReplace != 0 {
		d.replaces--
	}
	d.leavePlace(h, x.scope)
	if !slices.ContainsFunc(h.grants, func(y grantAt) bool { return y.role == x.role }) {
		d.countUse(h, x.role, false)
	}
	return before
}

func (d *draft) addGrant(g Grant) {
	h, at, r := d.internHolder(g.Subject), d.internPlace(g.Scope), d.internRole(g.Role)
	d.separate.add(g.Subject)
	x := grantAt{scope: at.number, role: r.number, hint: at.hint(), terms: h.addTerms(g.Window, d.catalog.conditions[g.When])}
	if x.marks = marksOf(g); g.Replace {
		d.replaces++
	}
	i := len(h.grants)
	for i > 0 && h.grants[i-1].spot() > x.spot() {
		i--
	}
	h.grants = insertAt(h.grants, i, x)
	d.enterPlace(h, at, x.strict())
	d.countUse(h, r.number, true)
}

// overrideIndex does as grantIndex does, for overrides.
func (p *policy) overrideIndex(h *holder, at *place, o Override) int {
	when := p.catalog.conditions[o.When]
	if h == nil || at == nil || o.When != "" && when == 0 {
		return -1
	}
	overrides := h.overridesAt(at)
	for i := range overrides {
		if x := &overrides[i]; x.match.pattern == o.Pattern && h.when(x.terms) == when {
			return offsetIn(h.overrides(), overrides) + i
		}
	}
	return -1
}

func (d *draft) takeOverride(o Override) Statement {
	h := d.holder(o.Subject)
	i := d.overrideIndex(h, d.place(o.Scope), o)
	if i < 0 {
		return nil
	}
	x := h.overrides()[i]
	before := d.override(h, &x)
	h = d.ownHolder(h)
	h.rare.overrides = slices.Delete(h.rare.overrides, i, i+1)
	h.dropTerms(x.terms)
	h.tidy()
	if x.effect != Allow {
		d.strictOverrides--
	}
	d.leavePlace(h, x.scope)
	return before
}

func (d *draft) addOverride(o Override) {
	h, at := d.internHolder(o.Subject), d.internPlace(o.Scope)
	x := overrideAt{
		match: d.catalog.matcher(o.Pattern), scope: at.number, hint: at.hint(), effect: o.Effect,
		terms: h.addTerms(o.Window, d.catalog.conditions[o.When]),
	}
	if x.effect != Allow {
		d.strictOverrides++
	}
	r := h.scarce()
	i := len(r.overrides)
	for i > 0 && r.overrides[i-1].spot() > x.spot() {
		i--
	}
	r.overrides = insertAt(r.overrides, i, x)
	d.enterPlace(h, at, x.strict())
}

func (d *draft) enterPlace(h *holder, at *place, strict bool) {
	if h.isGroup() {
		h.group.said.add(at.hint(), strict)
		at.groups = at.groups.with(d.own, h.number)
		return
	}
	at.users = at.users.with(d.own, h.number)
}

// leavePlace takes the holder off a place where it has no statement left.
func (d *draft) leavePlace(h *holder, scope uint32) {
	at := d.places.at(scope)
	if len(h.grantsAt(at)) > 0 || len(h.overridesAt(at)) > 0 {
		return
	}
	at = d.ownPlace(at)
	if h.isGroup() {
		h.hintAnew()
		at.groups = at.groups.without(d.own, h.number)
		return
	}
	at.users = at.users.without(d.own, h.number)
}

// hintAnew works out the hints of a group that left a place.
func (h *holder) hintAnew() {
	h.group.said = hints{}
	for i := range h.grants {
		h.group.said.add(h.grants[i].hint, h.grants[i].strict())
	}
	for i := range h.overrides() {
		h.group.said.add(h.overrides()[i].hint, h.overrides()[i].strict())
	}
}

// --- roles --------------------------------------------------------------------------------------------------------

// ownTable makes the role table the draft's own.
func (d *draft) ownTable() {
	if d.tableOwned {
		return
	}
	d.tableOwned = true
	d.roles = &roletable{byName: maps.Clone(d.roles.byName), roles: slices.Clone(d.roles.roles), says: d.roles.says, strict: d.roles.strict}
}

// internRole returns the role of that name; a name that is not defined yet stands for the role to come.
func (d *draft) internRole(name RoleName) *role {
	if r := d.roles.byName[name]; r != nil {
		return r
	}
	d.ownTable()
	r := &role{Role: Role{Name: name}, number: d.uses.next()}
	d.uses.set(d.own, r.number, &roleUse{owner: d.own})
	d.roles.byName[name] = r
	for uint32(len(d.roles.roles)) <= r.number {
		d.roles.roles = append(d.roles.roles, nil)
	}
	d.roles.roles[r.number] = r
	return r
}

func (d *draft) takeRole(name RoleName) Statement {
	r := d.roles.find(name)
	if r == nil {
		return nil
	}
	d.setRole(&role{Role: Role{Name: name}, number: r.number})
	return r.Role
}

func (d *draft) defineRole(def Role) {
	d.setRole(&role{Role: def, number: d.internRole(def.Name).number, defined: true})
	for _, above := range def.Inherits {
		d.internRole(above)
	}
}

func (d *draft) setRole(r *role) {
	d.ownTable()
	d.roles.byName[r.Name] = r
	d.roles.roles[r.number] = r
	d.rolesChanged[r.Name] = true
}

// dropRole forgets a name that is neither defined nor granted. What else names it is judged by finish.
func (d *draft) dropRole(name RoleName) {
	r := d.roles.byName[name]
	if r == nil || r.defined || d.used(r) {
		return
	}
	d.ownTable()
	d.uses.release(d.own, r.number)
	delete(d.roles.byName, name)
	d.roles.roles[r.number] = nil
}

func (d *draft) used(r *role) bool {
	u := d.uses.at(r.number)
	return u.groups != nil || u.users != nil
}

func (d *draft) countUse(h *holder, role uint32, uses bool) {
	u := d.uses.at(role)
	set := &u.users
	if h.isGroup() {
		set = &u.groups
	}
	if (*set).has(h.number) == uses {
		return
	}
	if u.owner != d.own {
		c := *u
		c.owner = d.own
		u = &c
		d.uses.set(d.own, role, u)
		if set = &u.users; h.isGroup() {
			set = &u.groups
		}
	}
	if uses {
		*set = (*set).with(d.own, h.number)
	} else {
		*set = (*set).without(d.own, h.number)
	}
}
