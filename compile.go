package rolecall

import "slices"

// A permset is a set of permission numbers.
type permset []uint64

func newPermset(n int) permset { return make(permset, (n+63)/64) }

func (s permset) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }
func (s permset) add(i int)      { s[i/64] |= 1 << (i % 64) }

func (s permset) or(other permset) {
	for i, w := range other {
		s[i] |= w
	}
}

func (s permset) and(other permset) {
	for i, w := range other {
		s[i] &= w
	}
}

func (s permset) drop(other permset) {
	for i, w := range other {
		s[i] &^= w
	}
}

func (s permset) remove(i int) { s[i/64] &^= 1 << (i % 64) }

func (s permset) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// A matcher is a pattern with the permissions that it covers, computed once a catalog.
type matcher struct {
	pattern Pattern
	any     permset // everywhere but in an Allow
	allow   permset // in an Allow
}

func (m *matcher) covers(e Effect, permission int) bool {
	if e == Allow {
		return m.allow.has(permission)
	}
	return m.any.has(permission)
}

// matcher returns the matcher of a pattern. It is safe for concurrent use.
func (c *Catalog) matcher(p Pattern) *matcher {
	if m, ok := c.matchers.Load(p); ok {
		return m.(*matcher)
	}
	kept, _ := c.matchers.LoadOrStore(p, c.match(p))
	return kept.(*matcher)
}

func (c *Catalog) match(p Pattern) *matcher {
	m := &matcher{pattern: p, any: newPermset(len(c.permissions))}
	if !p.HasStar() {
		if i := c.index.find(NewPermission(string(p))); i >= 0 {
			m.any.add(i)
		}
		m.allow = m.any // a name, which is spelled in full
		return m
	}
	m.allow = newPermset(len(c.permissions))
	for i, permission := range c.permissions {
		if p.Matches(permission) {
			m.any.add(i)
		}
		if p.AllowMatches(permission) {
			m.allow.add(i)
		}
	}
	return m
}

// A role is a Role made ready to be asked. What it says of each permission is known beforehand, unless a condition
// has a part in it.
type role struct {
	Role
	number  uint32
	defined bool     // false while only named
	rules   []ruleAt // its own
	own     []uint8  // a permission: the strictest of its own unconditional rules, and whether conditional ones speak
	say     []uint8  // a permission: what the role says, with what it inherits; or conditional
	lineage []*role  // itself and the roles it inherits from, heirs before those they inherit from
	direct  [][]int  // of each of the lineage: where in it those are from which it inherits directly
	above   *idset   // the roles it inherits from
	steps   int      // length of the longest line of inheritance
	can     *capacity
}

type ruleAt struct {
	effect Effect
	when   uint16
	match  permset
	rule   int // index in Role.Rules
}

// conditional marks a say that depends on facts.
const conditional = 0x80

// A roletable is every role of a policy; it is replaced as a whole when a role changes.
type roletable struct {
	byName map[RoleName]*role
	roles  []*role   // by number, nil where the number is free
	says   [][]uint8 // by number: the say of the role
	strict permset   // the permissions of which some role says more than nothing or allow
}

func (t *roletable) get(number uint32) *role { return t.roles[number] }

// find returns the role of that name, nil where there is none.
func (t *roletable) find(name RoleName) *role {
	if r := t.byName[name]; r != nil && r.defined {
		return r
	}
	return nil
}

// names returns the names of the defined roles, sorted.
func (t *roletable) names() []RoleName {
	names := make([]RoleName, 0, len(t.byName))
	for name, r := range t.byName {
		if r.defined {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// compileOwn makes the role's own rules ready.
func (r *role) compileOwn(c *Catalog) {
	n := len(c.permissions)
	r.rules = nil
	r.own = make([]uint8, n)
	for i, rule := range r.Rules {
		at := ruleAt{effect: rule.Effect, when: c.conditions[rule.When], match: newPermset(n), rule: i}
		for _, p := range rule.Patterns {
			m := c.matcher(p)
			if rule.Effect == Allow {
				at.match.or(m.allow)
			} else {
				at.match.or(m.any)
			}
		}
		r.rules = append(r.rules, at)
		for p := range n {
			switch {
			case !at.match.has(p):
			case at.when != 0:
				r.own[p] |= conditional
			default:
				r.own[p] = r.own[p]&conditional | max(r.own[p]&^conditional, uint8(at.effect))
			}
		}
	}
}

// compileSays works out what the role says of each permission.
func (r *role) compileSays(permissions int) {
	r.say = make([]uint8, permissions)
	for p := range permissions {
		if slices.ContainsFunc(r.lineage, func(one *role) bool { return one.own[p]&conditional != 0 }) {
			r.say[p] = conditional
			continue
		}
		r.say[p] = uint8(r.joins(func(one *role) Effect { return Effect(one.own[p]) }))
	}
}
