package rolecall

import "math/bits"

// How much a change may concern, found without working out what it does. A remedy that may concern very many is offered
// without its plan.

// pairs returns at least as many as there are pairs of a subject and a permission that a change may concern. It stops
// counting beyond enough.
func (p *Proposal) pairs(enough int) int {
	n := 0
	for _, d := range p.entry.Deltas {
		subjects := 0
		for _, side := range []*policy{p.base.policy, p.next.policy} {
			subjects = max(subjects, side.subjectsOf(d, enough))
		}
		if n += subjects * p.permissionsOf(d); n > enough {
			return n
		}
	}
	return n
}

func (p *policy) subjectsOf(d Delta, enough int) int {
	c := counting{p, map[Subject]bool{}, enough}
	switch s := either(d.After, d.Before).(type) {
	case Grant:
		c.add(s.Subject)
	case Override:
		c.add(s.Subject)
	case Membership:
		c.add(s.Member)
	case Suspension:
		c.add(s.Subject)
	case PrivateScope:
		var way path
		p.walk(&s.Scope, &way)
		for depth := range min(way.n, int(s.Scope.depth)) {
			p.speakersAt(way.places[depth], func(h *holder) { c.add(h.subject) })
		}
	}
	return len(c.seen)
}

// counting collects subjects with everybody in them, until there are more than enough.
type counting struct {
	policy *policy
	seen   map[Subject]bool
	enough int
}

func (c *counting) add(who Subject) {
	if c.seen[who] || len(c.seen) > c.enough {
		return
	}
	c.seen[who] = true
	if who.isEveryone() {
		c.policy.subjects.all(func(h *holder) bool {
			c.seen[h.subject] = true
			return len(c.seen) <= c.enough
		})
		return
	}
	h := c.policy.holder(who)
	if h == nil || h.group == nil {
		return
	}
	for number := range h.group.subgroups.all() {
		c.add(c.policy.groups.at(number).subject)
	}
	for number := range h.group.members.all() {
		c.add(c.policy.users.at(number).subject)
	}
}

// permissionsOf returns at least as many as there are permissions of which a changed statement speaks.
func (p *Proposal) permissionsOf(d Delta) int {
	c := p.base.policy.catalog
	switch s := either(d.After, d.Before).(type) {
	case Override:
		n := 0
		for _, w := range c.matcher(s.Pattern).any {
			n += bits.OnesCount64(w)
		}
		return n
	case Grant:
		for _, one := range []Statement{d.Before, d.After} {
			if one != nil && one.(Grant).Replace {
				return len(c.permissions)
			}
		}
		n := 0
		for _, says := range p.base.policy.roles.find(s.Role).say {
			n += boolRank(says != 0)
		}
		return n
	}
	return len(c.permissions)
}
