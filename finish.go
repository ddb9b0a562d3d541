package rolecall

import (
	"maps"
	"slices"

	"github.com/rolecall-go/rolecall/internal/suggest"
)

// finish judges the draft as a whole (references, cycles, limits, separation) and makes it ready to be asked. The base is
// the policy that the draft started from, nil where it is built from nothing. The policy is nil where there are problems
// other than broken separation, which leaves one that can be asked what else is wrong with the change.
func (d *draft) finish(base *policy) *policy {
	if len(d.rolesChanged) > 0 {
		d.finishRoles()
	}
	d.checkRoleNames(base)
	if len(d.groupsChanged) > 0 {
		d.finishGroups()
	}
	if len(d.problems) > 0 {
		return nil
	}
	for h := range d.untidy {
		h.tidy()
	}
	d.checkSeparation(base)
	return d.policy
}

// checkRoleNames reports every statement that names a role which is not defined: in-use where the change removed the
// role, otherwise unknown.
func (d *draft) checkRoleNames(base *policy) {
	if !d.tableOwned && !d.constraintsOwned {
		return // nothing that names roles has changed
	}
	for _, name := range slices.Sorted(maps.Keys(d.roles.byName)) {
		if r := d.roles.byName[name]; !r.defined {
			for _, by := range sortStatements(d.usesOf(r)) {
				d.undefined(base, by, name)
			}
		}
	}
	for _, name := range d.roles.names() {
		r := d.roles.find(name)
		for _, above := range r.Inherits {
			if d.roles.find(above) == nil {
				d.undefined(base, r.Role, above)
			}
		}
	}
	for _, c := range d.constraints {
		for _, name := range c.Roles {
			if d.roles.find(name) == nil {
				d.undefined(base, c, name)
			}
		}
	}
}

func (d *draft) undefined(base *policy, by Statement, name RoleName) {
	if base != nil && base.roles.find(name) != nil {
		p := problem(ErrInUse, Role{Name: name}.String(), string(name), "the role is still named by %s", KeyOf(by))
		p.Statement = by
		d.problems = append(d.problems, p)
		return
	}
	d.refuse(ErrUnknown, by, string(name), "no such role is defined%s", didYouMean(string(name), d.roleNames()))
}

// roleNames returns the defined roles to look among for one that was meant, none where there are too many.
func (p *policy) roleNames() []string {
	if len(p.roles.byName) > suggest.Most {
		return nil
	}
	return texts(p.roles.names())
}
