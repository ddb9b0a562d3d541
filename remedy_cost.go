package rolecall

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
	seen := map[*holder]bool{}
	fewer := func(*holder) bool { return len(seen) <= enough }
	add := func(h *holder) {
		switch {
		case h == nil || !fewer(h):
		case h == p.everyone():
			p.subjects.all(func(h *holder) bool { seen[h] = true; return fewer(h) })
		default:
			p.descend(seen, h, fewer)
		}
	}
	switch s := either(d.After, d.Before).(type) {
	case Grant:
		add(p.holder(s.Subject))
	case Override:
		add(p.holder(s.Subject))
	case Membership:
		add(p.holder(s.Member))
	case Suspension:
		add(p.holder(s.Subject))
	case PrivateScope:
		var way path
		p.walk(&s.Scope, &way)
		for depth := range min(way.n, int(s.Scope.depth)) {
			for h := range p.speakersAt(way.places[depth]) {
				add(h)
			}
		}
	}
	return len(seen)
}

// permissionsOf returns at least as many as there are permissions of which a changed statement speaks.
func (p *Proposal) permissionsOf(d Delta) int {
	c := p.base.policy.catalog
	switch s := either(d.After, d.Before).(type) {
	case Override:
		return c.matcher(s.Pattern).any.count()
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
