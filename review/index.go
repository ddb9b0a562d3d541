package review

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/roles"
)

// An index is a policy made ready to be looked through: roles, groups and what groups have. What single subjects have is
// fetched subject by subject, since that is most of a policy.
type index struct {
	s           *rolecall.Snapshot
	now         time.Time
	permissions []rolecall.Permission
	roles       map[rolecall.RoleName]*roleEntry
	sorted      []*roleEntry // the roles, by name
	constraints []rolecall.Constraint
	privates    map[rolecall.Scope]bool
	suspended   map[rolecall.Subject]bool
	groups      map[rolecall.Subject]*groupEntry // Everyone among them
	users       []rolecall.Subject               // every subject but groups, in order
	overrides   permissionBits                   // what the allows of overrides cover
	strict      bool                             // something else than a plain allow is said to anybody
}

// A roleEntry is a role with what can be said of it by itself.
type roleEntry struct {
	rolecall.Role
	family      []*roleEntry // the role and every one it inherits from, by name
	heirs       []*roleEntry // the roles that inherit from it directly
	allows      permissionBits
	plain       bool // nothing but allows without conditions in the family
	strict      bool // something else than an allow in the family
	grants      int  // ordinary and eligible ones
	replaces    bool // some grant of it is a replace
	constrained bool // a constraint names it
	used        bool // somebody has it, or a role that inherits from it
}

// String returns the name.
func (r *roleEntry) String() string { return string(r.Name) }

// A groupEntry is a group with what is said of it.
type groupEntry struct {
	members []rolecall.Membership
	person  *person
}

// A person is a subject or a group with its own statements.
type person struct {
	subject     rolecall.Subject
	memberships []rolecall.Membership
	grants      []rolecall.Grant
	overrides   []rolecall.Override

	granted map[roleAt][]rolecall.Grant            // grants, once asked for
	forbids map[rolecall.Scope][]rolecall.Override // once asked for
	held    *holding                               // once asked for
}

// A roleAt is a role at a place.
type roleAt struct {
	role  rolecall.RoleName
	scope rolecall.Scope
}

// statements returns everything that gives or takes something.
func (p *person) statements() []rolecall.Statement {
	var all []rolecall.Statement
	for _, m := range p.memberships {
		all = append(all, m)
	}
	for _, g := range p.grants {
		all = append(all, g)
	}
	for _, o := range p.overrides {
		all = append(all, o)
	}
	return all
}

func newIndex(s *rolecall.Snapshot) *index {
	x := newRoleIndex(s)
	x.now = s.Now()
	x.privates, x.suspended = map[rolecall.Scope]bool{}, map[rolecall.Subject]bool{}
	x.groups, x.overrides = map[rolecall.Subject]*groupEntry{}, x.bits()
	x.readRest()
	return x
}

// newRoleIndex returns an index of the roles alone.
func newRoleIndex(s *rolecall.Snapshot) *index {
	x := &index{s: s, permissions: slices.Collect(s.Catalog().Permissions()), roles: map[rolecall.RoleName]*roleEntry{}}
	x.readRoles()
	return x
}

func (x *index) bits() permissionBits { return make(permissionBits, (len(x.permissions)+63)/64) }

// cover adds what an allow of the pattern covers.
func (x *index) cover(b permissionBits, p rolecall.Pattern) {
	if !p.HasStar() {
		if n := x.number(rolecall.NewPermission(string(p))); n >= 0 {
			b.set(n)
		}
		return
	}
	for n, permission := range x.permissions {
		if p.AllowMatches(permission) {
			b.set(n)
		}
	}
}

// in returns the permissions of a set.
func (x *index) in(b permissionBits) []rolecall.Permission {
	var some []rolecall.Permission
	for n, p := range x.permissions {
		if b.has(n) {
			some = append(some, p)
		}
	}
	return some
}

func (x *index) readRoles() {
	for r := range x.s.Roles() {
		x.roles[r.Name] = &roleEntry{Role: r}
		x.sorted = append(x.sorted, x.roles[r.Name])
	}
	for _, r := range x.sorted {
		for _, one := range roles.Lineage(x.s, r.Name) {
			r.family = append(r.family, x.roles[one.Name])
		}
		slices.SortFunc(r.family, func(a, b *roleEntry) int { return cmp.Compare(a.Name, b.Name) })
		for _, parent := range r.Inherits {
			x.roles[parent].heirs = append(x.roles[parent].heirs, r)
		}
		r.allows, r.plain = x.bits(), true
		for p := range patternsOf(r.family...) {
			r.plain = r.plain && p.rule.Effect == rolecall.Allow && p.rule.When == ""
			if p.rule.Effect == rolecall.Allow {
				x.cover(r.allows, p.pattern)
			} else {
				r.strict = true
			}
		}
	}
}

func (x *index) readRest() {
	for st := range x.s.Statements() {
		x.readStatement(st)
	}
	x.group(rolecall.Everyone())
	for who := range x.s.Subjects() {
		if !who.IsGroup() {
			x.users = append(x.users, who)
		}
	}
	for _, r := range x.roles {
		if r.grants > 0 {
			for _, one := range r.family {
				one.used = true
			}
		}
	}
}

func (x *index) readStatement(st rolecall.Statement) {
	switch st := st.(type) {
	case rolecall.Membership:
		x.group(st.Group).members = append(x.group(st.Group).members, st)
		if st.Member.IsGroup() {
			above := x.group(st.Member).person
			above.memberships = append(above.memberships, st)
		}
	case rolecall.Grant:
		r := x.roles[st.Role]
		r.grants++
		r.replaces = r.replaces || st.Replace
		x.strict = x.strict || st.Replace || r.strict
		if st.Subject.IsGroup() {
			x.group(st.Subject).person.grants = append(x.group(st.Subject).person.grants, st)
		}
	case rolecall.Override:
		if st.Effect == rolecall.Allow {
			x.cover(x.overrides, st.Pattern)
		}
		x.strict = x.strict || st.Effect != rolecall.Allow
		if st.Subject.IsGroup() {
			x.group(st.Subject).person.overrides = append(x.group(st.Subject).person.overrides, st)
		}
	case rolecall.Suspension:
		x.suspended[st.Subject] = true
	case rolecall.PrivateScope:
		x.privates[st.Scope] = true
	case rolecall.Constraint:
		x.constraints = append(x.constraints, st)
		for _, name := range st.Roles {
			x.roles[name].constrained = true
		}
	}
}

func (x *index) group(of rolecall.Subject) *groupEntry {
	g := x.groups[of]
	if g == nil {
		g = &groupEntry{person: &person{subject: of}}
		x.groups[of] = g
	}
	return g
}

func (x *index) groupNames() []rolecall.Subject {
	return slices.SortedFunc(maps.Keys(x.groups), rolecall.Subject.Compare)
}

// everybody calls fn for every subject, then for every group, in order.
func (x *index) everybody(fn func(*person)) {
	for _, who := range x.users {
		fn(x.read(who))
	}
	for _, who := range x.groupNames() {
		fn(x.groups[who].person)
	}
}

// read returns a subject with its own statements.
func (x *index) read(who rolecall.Subject) *person {
	if g := x.groups[who]; g != nil {
		return g.person
	}
	p := &person{subject: who}
	for _, st := range x.s.About(who) {
		switch st := st.(type) {
		case rolecall.Membership:
			p.memberships = append(p.memberships, st)
		case rolecall.Grant:
			p.grants = append(p.grants, st)
		case rolecall.Override:
			p.overrides = append(p.overrides, st)
		}
	}
	return p
}

// closed says whether a window lies in the past for good.
func (x *index) closed(w rolecall.Window) bool {
	return !w.NotAfter.IsZero() && !x.now.Before(w.NotAfter)
}

func (x *index) open(w rolecall.Window) bool { return w.Open(x.now) }

// number returns the number of a permission, -1 where it is not declared any more.
func (x *index) number(p rolecall.Permission) int {
	n, found := slices.BinarySearchFunc(x.permissions, p, rolecall.Permission.Compare)
	if !found {
		return -1
	}
	return n
}

// ownIn returns the permissions of the host in a set.
func (x *index) ownIn(b permissionBits) []rolecall.Permission {
	return slices.DeleteFunc(x.in(b), rolecall.Permission.IsBuiltin)
}

func (x *index) gives(r *roleEntry) bool { return count(r.allows) > 0 }
