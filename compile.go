package rolecall

import (
	"cmp"
	"slices"
)

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
	lineage []uint32 // itself and the roles it inherits from, heirs before those they inherit from
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

// compileSays works out what the role says of each permission, from what it and those above it say themselves. It comes to
// what resolve says, in time that follows the lines of inheritance.
func (t *roletable) compileSays(r *role, permissions int) {
	r.say = make([]uint8, permissions)
	l := t.lineOf(r)
	for p := range permissions {
		r.say[p] = l.says(p)
	}
}

// A line is a role and those that it inherits from, heirs first.
type line struct {
	roles  []*role
	above  [][]int // of each: where those are from which it inherits directly
	silent []bool  // of each: somebody who inherits from it says something else
}

func (t *roletable) lineOf(r *role) line {
	l := line{silent: make([]bool, len(r.lineage)), above: make([][]int, len(r.lineage))}
	for _, number := range r.lineage {
		l.roles = append(l.roles, t.get(number))
	}
	slices.SortStableFunc(l.roles, func(a, b *role) int { return cmp.Compare(b.steps, a.steps) })
	at := make(map[RoleName]int, len(l.roles))
	for i, one := range l.roles {
		at[one.Name] = i
	}
	for i, one := range l.roles {
		for _, name := range one.Inherits {
			if j, defined := at[name]; defined {
				l.above[i] = append(l.above[i], j)
			}
		}
	}
	return l
}

// says returns what the first of the line says of a permission, or conditional.
func (l *line) says(permission int) uint8 {
	clear(l.silent)
	strictest := uint8(0)
	for i, one := range l.roles {
		own := one.own[permission]
		if own&conditional != 0 {
			return conditional
		}
		if own > strictest && (own == uint8(Forbid) || !l.silent[i]) {
			strictest = own
		}
		if l.silent[i] || own != 0 && own != uint8(Except) {
			for _, j := range l.above[i] {
				l.silent[j] = true
			}
		}
	}
	if strictest == uint8(Except) {
		return 0
	}
	return strictest
}

// A voice is one role's own say.
type voice struct {
	role *role
	says Effect
}

// resolve joins what the roles of one line of inheritance say: a say overrides those of the roles it inherits from, an
// Except overrides none, nothing overrides a Forbid; of what is left the strictest counts, and an Except then counts as
// saying nothing.
func resolve(voices []voice) Effect {
	strictest := Effect(0)
	for i, v := range voices {
		if v.says > strictest && (v.says == Forbid || overriderOf(voices, i) < 0) {
			strictest = v.says
		}
	}
	if strictest == Except {
		return 0
	}
	return strictest
}

// overriderOf returns the voice that overrides the voice i, -1 where none does.
func overriderOf(voices []voice, i int) int {
	return slices.IndexFunc(voices, func(v voice) bool { return v.says != Except && v.role.above.has(voices[i].role.number) })
}

// says returns what the role of that number says of a permission, asking the facts where it depends on them.
func (q *question) says(number uint32) Effect {
	r := q.policy.roles.get(number)
	if !q.word.ok() {
		if say := r.say[q.permission]; say != conditional {
			return Effect(say)
		}
	}
	var inline [16]voice
	return resolve(q.voices(r, inline[:0]))
}

// voices appends the own say of each role in the lineage that has one.
func (q *question) voices(r *role, voices []voice) []voice {
	for _, number := range r.lineage {
		one := q.policy.roles.get(number)
		if says := q.ownSay(one); says != 0 {
			voices = append(voices, voice{one, says})
		}
	}
	return voices
}

// ownSay is the strictest of the role's own rules that match and whose condition holds; what cannot be said drops an
// Allow and keeps everything else.
func (q *question) ownSay(r *role) Effect {
	if !q.word.ok() {
		if own := r.own[q.permission]; own&conditional == 0 {
			return Effect(own)
		}
	}
	strictest := Effect(0)
	for i := range r.rules {
		if rule := &r.rules[i]; rule.effect > strictest && q.ruleCovers(r, rule) && q.stands(rule.effect, rule.when) {
			strictest = rule.effect
		}
	}
	return strictest
}

// ruleCovers says whether a rule lists the permission in question, be it declared or only a word.
func (q *question) ruleCovers(r *role, rule *ruleAt) bool {
	if q.word.ok() {
		return r.Rules[rule.rule].matches(q.word)
	}
	return rule.match.has(q.permission)
}

// overrideCovers says whether an override lists the permission in question.
func (q *question) overrideCovers(o *overrideAt) bool {
	if q.word.ok() {
		return o.match.pattern.matches(o.effect, q.word)
	}
	return o.match.covers(o.effect, q.permission)
}

// stands says whether a statement of that effect is heard under that condition.
func (q *question) stands(e Effect, when uint16) bool {
	switch q.answers.ask(q.policy.catalog, when) {
	case holds:
		return true
	case unknown:
		return e != Allow
	}
	return false
}
