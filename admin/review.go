package admin

import (
	"slices"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/roles"
)

// The review functions of ANSI INCITS 359-2012 by their names. Each looks at one snapshot, at its instant: statements
// outside their windows and eligible grants do not count. Those about roles look at no suspension and no condition;
// those about permissions are the check. docs/separation-of-duty.md maps every function of the standard, and says where
// the model differs.

// AssignedRoles lists the roles that somebody holds by a grant, its own or that of a group or Everyone, in order.
func AssignedRoles(s *rolecall.Snapshot, who rolecall.Subject) []rolecall.RoleName {
	var names []rolecall.RoleName
	for _, h := range holders(s, who) {
		for _, one := range s.About(h) {
			if g, ok := one.(rolecall.Grant); ok && !g.Eligible && g.Open(s.Now()) {
				names = append(names, g.Role)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// AuthorizedRoles lists the assigned roles and every role that these inherit from, in order.
func AuthorizedRoles(s *rolecall.Snapshot, who rolecall.Subject) []rolecall.RoleName {
	var names []rolecall.RoleName
	for _, r := range roles.Lineage(s, AssignedRoles(s, who)...) {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

// holders lists a subject, the groups that it is in now, and Everyone.
func holders(s *rolecall.Snapshot, who rolecall.Subject) []rolecall.Subject {
	list := []rolecall.Subject{who}
	for i := 0; i < len(list); i++ {
		for _, one := range s.About(list[i]) {
			m, ok := one.(rolecall.Membership)
			if ok && m.Member == list[i] && m.Open(s.Now()) && !slices.Contains(list, m.Group) {
				list = append(list, m.Group)
			}
		}
	}
	if who != rolecall.Everyone() {
		list = append(list, rolecall.Everyone())
	}
	return list
}

// AssignedUsers lists the subjects but groups that hold a role by a grant, their own or that of a group, in order; and
// whether everyone does, named or not.
func AssignedUsers(s *rolecall.Snapshot, role rolecall.RoleName) (named []rolecall.Subject, everyone bool) {
	return usersOf(s, role)
}

// AuthorizedUsers lists the subjects but groups that hold a role or one that inherits from it.
func AuthorizedUsers(s *rolecall.Snapshot, role rolecall.RoleName) (named []rolecall.Subject, everyone bool) {
	return usersOf(s, roles.Heirs(s, role)...)
}

func usersOf(s *rolecall.Snapshot, held ...rolecall.RoleName) (named []rolecall.Subject, everyone bool) {
	seen := map[rolecall.Subject]bool{}
	var list []rolecall.Subject
	add := func(who rolecall.Subject) {
		if !seen[who] {
			seen[who] = true
			list = append(list, who)
		}
	}
	for _, role := range held {
		for _, use := range s.UsesOf(role) {
			if g, ok := use.(rolecall.Grant); ok && !g.Eligible && g.Open(s.Now()) {
				add(g.Subject)
			}
		}
	}
	for i := 0; i < len(list); i++ {
		if everyone = everyone || list[i] == rolecall.Everyone(); !list[i].IsGroup() {
			named = append(named, list[i])
			continue
		}
		for _, one := range s.About(list[i]) {
			if m, ok := one.(rolecall.Membership); ok && m.Group == list[i] && m.Open(s.Now()) {
				add(m.Member)
			}
		}
	}
	slices.SortFunc(named, rolecall.Subject.Compare)
	return named, everyone
}

// RolePermissions lists the declared permissions that a role allows, given that some conditions hold, in order. A role
// that is not defined, and a condition that is not declared, is rolecall.ErrUnknown; a snapshot without an instant is
// rolecall.ErrInvalid.
func RolePermissions(s *rolecall.Snapshot, role rolecall.RoleName, given ...rolecall.Condition) ([]rolecall.Permission, error) {
	if _, found := s.Role(role); !found {
		return nil, roles.Undefined(role)
	}
	only, holder, err := roles.Alone(s, role)
	if err != nil {
		return nil, err
	}
	view, err := only.At(s.Now()).For(holder, nil)
	if err != nil {
		return nil, err
	}
	return view.Permissions(rolecall.Global(), rolecall.Given(given))
}

// UserPermissions lists what a subject may do at a place, given that some conditions hold, in order. A kind of subject or
// of scope, and a condition, that is not declared is rolecall.ErrUnknown; nobody, no place, and a snapshot without an
// instant is rolecall.ErrInvalid.
func UserPermissions(s *rolecall.Snapshot, who rolecall.Subject, at rolecall.Scope, given ...rolecall.Condition) ([]rolecall.Permission, error) {
	view, err := s.For(who, nil)
	if err != nil {
		return nil, err
	}
	return view.Permissions(at, rolecall.Given(given))
}

// SessionRoles lists the active roles of a session, in order: all roles that its subject is authorized for where the
// session was not narrowed to some. The error is that of Session.Valid.
func SessionRoles(s *rolecall.Snapshot, x Session) ([]rolecall.RoleName, error) {
	if err := x.Valid(s); err != nil {
		return nil, err
	}
	if x.Roles == nil {
		return AuthorizedRoles(s, x.Subject), nil
	}
	return slices.Clone(x.Roles), nil
}

// SessionPermissions lists what may be done in a session at a place, given that some conditions hold, in order. Errors are
// those of Session.Valid and of UserPermissions.
func SessionPermissions(s *rolecall.Snapshot, x Session, at rolecall.Scope, given ...rolecall.Condition) ([]rolecall.Permission, error) {
	view, err := x.View(s)
	if err != nil {
		return nil, err
	}
	return view.Permissions(at, rolecall.Given(given))
}

// RoleOperationsOnObject lists those of RolePermissions that match a pattern, which names a kind of object: task.*. What is
// no pattern is rolecall.ErrInvalid; other errors are those of RolePermissions.
func RoleOperationsOnObject(s *rolecall.Snapshot, role rolecall.RoleName, object rolecall.Pattern, given ...rolecall.Condition) ([]rolecall.Permission, error) {
	all, err := RolePermissions(s, role, given...)
	return operationsOn(object, all, err)
}

// UserOperationsOnObject lists those of UserPermissions at the object's place that match a pattern, which names its kind.
// What is no pattern is rolecall.ErrInvalid; other errors are those of UserPermissions.
func UserOperationsOnObject(s *rolecall.Snapshot, who rolecall.Subject, object rolecall.Pattern, at rolecall.Scope, given ...rolecall.Condition) ([]rolecall.Permission, error) {
	all, err := UserPermissions(s, who, at, given...)
	return operationsOn(object, all, err)
}

func operationsOn(object rolecall.Pattern, all []rolecall.Permission, err error) ([]rolecall.Permission, error) {
	if err == nil {
		err = object.Valid()
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p rolecall.Permission) bool { return !object.Matches(p) }), nil
}

// Constraints lists the separations of duty of a kind, in order of name.
func Constraints(s *rolecall.Snapshot, kind rolecall.ConstraintKind) []rolecall.Constraint {
	var list []rolecall.Constraint
	for one := range s.Statements() {
		if c, ok := one.(rolecall.Constraint); ok && c.Kind == kind {
			list = append(list, c)
		}
	}
	return list
}

// Constraint returns the separation of duty of that name.
func Constraint(s *rolecall.Snapshot, name string) (rolecall.Constraint, bool) {
	found, ok := s.Find(rolecall.KeyOf(rolecall.Constraint{Name: name}))
	if !ok {
		return rolecall.Constraint{}, false
	}
	return found.(rolecall.Constraint), true
}

// SsdRoleSets lists the names of the static separations of duty, in order.
func SsdRoleSets(s *rolecall.Snapshot) []string { return roleSets(s, rolecall.Static) }

// DsdRoleSets lists the names of the dynamic separations of duty, in order.
func DsdRoleSets(s *rolecall.Snapshot) []string { return roleSets(s, rolecall.Dynamic) }

func roleSets(s *rolecall.Snapshot, kind rolecall.ConstraintKind) []string {
	var names []string
	for _, c := range Constraints(s, kind) {
		names = append(names, c.Name)
	}
	return names
}

// SsdRoleSetRoles lists the roles of a static separation of duty, in order. There being none of that name is
// rolecall.ErrUnknown.
func SsdRoleSetRoles(s *rolecall.Snapshot, name string) ([]rolecall.RoleName, error) {
	c, err := roleSet(s, rolecall.Static, name)
	return c.Roles, err
}

// DsdRoleSetRoles lists the roles of a dynamic separation of duty, in order. There being none of that name is
// rolecall.ErrUnknown.
func DsdRoleSetRoles(s *rolecall.Snapshot, name string) ([]rolecall.RoleName, error) {
	c, err := roleSet(s, rolecall.Dynamic, name)
	return c.Roles, err
}

// SsdRoleSetCardinality returns how many roles of a static separation of duty are too many to hold. There being none of
// that name is rolecall.ErrUnknown.
func SsdRoleSetCardinality(s *rolecall.Snapshot, name string) (int, error) {
	c, err := roleSet(s, rolecall.Static, name)
	return c.Limit, err
}

// DsdRoleSetCardinality returns how many roles of a dynamic separation of duty are too many to have active. There being
// none of that name is rolecall.ErrUnknown.
func DsdRoleSetCardinality(s *rolecall.Snapshot, name string) (int, error) {
	c, err := roleSet(s, rolecall.Dynamic, name)
	return c.Limit, err
}

func roleSet(s *rolecall.Snapshot, kind rolecall.ConstraintKind, name string) (rolecall.Constraint, error) {
	c, found := Constraint(s, name)
	if !found || c.Kind != kind {
		return rolecall.Constraint{}, fault(rolecall.ErrUnknown, rolecall.Constraint{Name: name}, name, "no "+string(kind)+" separation of duty has this name")
	}
	return c, nil
}
