package rolecall

import (
	"cmp"
	"slices"
)

// Grants and overrides in a draft.

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
	if x.terms != 0 {
		d.untidy[h] = true
	}
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
	i, _ := slices.BinarySearchFunc(h.grants, x.order()+1, func(g grantAt, order uint64) int { return cmp.Compare(g.order(), order) })
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
	d.untidy[h] = true
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
	i, _ := slices.BinarySearchFunc(r.overrides, x.order()+1, func(o overrideAt, order uint64) int { return cmp.Compare(o.order(), order) })
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
		d.untidy[h] = true
		at.groups = at.groups.without(d.own, h.number)
		return
	}
	at.users = at.users.without(d.own, h.number)
}
