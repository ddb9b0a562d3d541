package rolecall

import "slices"

// That somebody stays in charge.

// keepsSomebody refuses a change after which no subject but a group may create grants on the whole instance, with no
// condition holding, while one could before.
func (p *Proposal) keepsSomebody(actors []*actor) Problems {
	now := actors[0].now
	for _, a := range actors {
		if p.next.policy.inCharge(a.subject, now) {
			return nil
		}
	}
	if p.next.policy.somebodyInCharge(now) || !p.base.policy.somebodyInCharge(now) {
		return nil
	}
	return Problems{problem(ErrLastAdmin, "change", "", "nobody could %s at / any more", GrantCreate)}
}

func (p *policy) inCharge(who Subject, now instant) bool {
	global := Global()
	s := Snapshot{policy: p}
	return !who.IsGroup() && s.check(&now, &who, &GrantCreate, &global, nil) == nil
}

func (p *policy) somebodyInCharge(now instant) bool {
	q := question{now: now}
	global, anybody := Global(), Guest("-")
	if q.ready(p, &anybody, &GrantCreate, &global) != nil {
		return false
	}
	inCharge := func(h *holder) bool { return q.verdictFor(h) == Granted }
	if inCharge(nil) {
		return true
	}
	for number := range p.global().users.all() {
		if h := p.users.at(number); p.givesAtTop(h, q.permission) && inCharge(h) {
			return true
		}
	}
	seen := map[*holder]bool{}
	for number := range p.global().groups.all() {
		h := p.groups.at(number)
		if p.givesAtTop(h, q.permission) && !p.descend(seen, h, func(h *holder) bool { return h.isGroup() || !inCharge(h) }) {
			return true
		}
	}
	return false
}

// givesAtTop says whether a holder may give a permission on the whole instance, to itself or to who is in it.
func (p *policy) givesAtTop(h *holder, permission int) bool {
	return slices.ContainsFunc(h.grantsAt(p.global()), func(g grantAt) bool {
		return p.roles.get(g.role).can.gives.permissions.has(permission)
	}) || slices.ContainsFunc(h.overridesAt(p.global()), func(o overrideAt) bool {
		return o.effect == Allow && o.match.allow.has(permission)
	})
}
