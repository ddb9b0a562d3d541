package rolecall

// What somebody may do in a place whatever the time and the facts, for the guard to pass over. It is found without
// weighing anything: where all that is in reach about a permission allows, and one of the allows is unconditional, always
// valid and not stopped by privacy, the answer is yes (decide.go says why). Everything else is left to the law.

// surelyAt is surely at a scope.
func (p *policy) surelyAt(who Subject, t Scope) permset {
	var way path
	p.walk(&t, &way)
	return p.surely(who, &way)
}

// surely returns permissions that a subject may do in the place at the end of a path, at every instant and for any facts;
// not all of them, but those that are easily seen.
func (p *policy) surely(who Subject, way *path) permset {
	n := len(p.catalog.permissions)
	allowed, doubtful := newPermset(n), newPermset(n)
	h := p.holder(who)
	if h != nil && h.suspended {
		return allowed
	}
	firm := p.firmlyAbove(h)
	for _, b := range append(p.above(who), p.everyone()) {
		for depth := range way.n {
			place := way.places[depth].number
			heard := firm[b] && depth >= way.private
			if !p.sureOfGrants(b.grantsAt(place), firm[b], heard, allowed, doubtful) {
				return newPermset(n)
			}
			for _, o := range b.overridesAt(place) {
				switch {
				case o.effect != Allow:
					doubtful.or(o.match.any)
				case heard && o.when == 0 && o.window == 0:
					allowed.or(o.match.allow)
				}
			}
		}
	}
	for i := range allowed {
		allowed[i] &^= doubtful[i]
	}
	return allowed
}

// sureOfGrants adds what grants allow for sure and what they make doubtful. It reports false where a Replace is among
// them.
func (p *policy) sureOfGrants(grants []grantAt, firm, heard bool, allowed, doubtful permset) bool {
	for _, g := range grants {
		if g.marks&markEligible != 0 {
			continue
		}
		if g.marks&markReplace != 0 {
			return false
		}
		counts := (heard || firm && g.marks&markPierce != 0) && g.when == 0 && g.window == 0
		for number, says := range p.roles.get(g.role).say {
			switch {
			case says == 0:
			case says != uint8(Allow):
				doubtful.add(number)
			case counts:
				allowed.add(number)
			}
		}
	}
	return true
}

// firmlyAbove returns the subject, every group that it is in always and not through a suspended one, and Everyone.
func (p *policy) firmlyAbove(h *holder) map[*holder]bool {
	firm := map[*holder]bool{p.everyone(): true}
	if h == nil {
		return firm
	}
	firm[h] = true
	for list := []*holder{h}; len(list) > 0; list = list[1:] {
		for _, m := range list[0].groups {
			if up := p.groups.at(m.group); m.window == 0 && !up.suspended && !firm[up] {
				firm[up] = true
				list = append(list, up)
			}
		}
	}
	return firm
}
