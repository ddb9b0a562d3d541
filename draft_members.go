package rolecall

import "slices"

// Memberships in a draft.

func (d *draft) takeMembership(m Membership) Statement {
	h, g := d.holder(m.Member), d.holder(m.Group)
	if h == nil || g == nil {
		return nil
	}
	i := h.indexIn(g)
	if i < 0 {
		return nil
	}
	before := d.membership(h, &h.groups[i])
	h, g = d.ownHolder(h), d.ownHolder(g)
	if h.groups[i].terms != 0 {
		d.untidy[h] = true
	}
	h.groups = slices.Delete(h.groups, i, i+1)
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
