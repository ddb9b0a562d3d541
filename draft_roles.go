package rolecall

import (
	"maps"
	"slices"
)

// Roles in a draft.

// ownTable makes the role table the draft's own.
func (d *draft) ownTable() {
	if d.tableOwned {
		return
	}
	d.tableOwned = true
	d.roles = &roletable{byName: maps.Clone(d.roles.byName), roles: slices.Clone(d.roles.roles), says: d.roles.says, strict: d.roles.strict}
}

// internRole returns the role of that name; a name that is not defined yet stands for the role to come.
func (d *draft) internRole(name RoleName) *role {
	if r := d.roles.byName[name]; r != nil {
		return r
	}
	d.ownTable()
	r := &role{Role: Role{Name: name}, number: d.uses.next()}
	d.uses.set(d.own, r.number, &roleUse{owner: d.own})
	d.roles.byName[name] = r
	for uint32(len(d.roles.roles)) <= r.number {
		d.roles.roles = append(d.roles.roles, nil)
	}
	d.roles.roles[r.number] = r
	return r
}

func (d *draft) takeRole(name RoleName) Statement {
	r := d.roles.find(name)
	if r == nil {
		return nil
	}
	d.setRole(&role{Role: Role{Name: name}, number: r.number})
	return r.Role
}

func (d *draft) defineRole(def Role) {
	d.setRole(&role{Role: def, number: d.internRole(def.Name).number, defined: true})
	for _, above := range def.Inherits {
		d.internRole(above)
	}
}

func (d *draft) setRole(r *role) {
	d.ownTable()
	d.roles.byName[r.Name] = r
	d.roles.roles[r.number] = r
	d.rolesChanged[r.Name] = true
}

// dropRole forgets a name that is neither defined nor granted. What else names it is judged by finish.
func (d *draft) dropRole(name RoleName) {
	r := d.roles.byName[name]
	if r == nil || r.defined || d.used(r) {
		return
	}
	d.ownTable()
	d.uses.release(d.own, r.number)
	delete(d.roles.byName, name)
	d.roles.roles[r.number] = nil
}

func (d *draft) used(r *role) bool {
	u := d.uses.at(r.number)
	return u.groups != nil || u.users != nil
}

func (d *draft) countUse(h *holder, role uint32, uses bool) {
	u := d.uses.at(role)
	if (*u.kindOf(h)).has(h.number) == uses {
		return
	}
	if u.owner != d.own {
		c := *u
		c.owner = d.own
		u = &c
		d.uses.set(d.own, role, u)
	}
	set := u.kindOf(h)
	if uses {
		*set = (*set).with(d.own, h.number)
	} else {
		*set = (*set).without(d.own, h.number)
	}
}

// kindOf returns the set in which a holder is numbered.
func (u *roleUse) kindOf(h *holder) **idset {
	if h.isGroup() {
		return &u.groups
	}
	return &u.users
}
