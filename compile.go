package rolecall

import "slices"

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
			at.match.or(c.matcher(p).of(rule.Effect))
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

// tabulate puts together what a check asks of all roles.
func (t *roletable) tabulate(permissions int) {
	t.strict, t.says = newPermset(permissions), make([][]uint8, len(t.roles))
	for number, r := range t.roles {
		if r == nil || !r.defined {
			continue
		}
		t.says[number] = r.say
		for p, says := range r.say {
			if says > uint8(Allow) {
				t.strict.add(p)
			}
		}
	}
}
