package peers

import (
	"slices"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/bench"
)

// Studio is a plain studio as every engine is given it: what roles allow is worked out, patterns and inheritance
// included, and so are the groups of each subject where an engine has no groups of its own.
type Studio struct {
	*bench.Studio
	Permissions map[string][]string            // role → permissions
	Grants      map[string]map[string][]string // scope → holder → roles
	Members     map[string][]string            // member → groups it is directly in
	Holders     map[string][]string            // user → itself, its groups and everyone
	Size        int                            // the grants
}

// NewStudio reads a plain studio.
func NewStudio(s *bench.Studio) *Studio {
	st := &Studio{Studio: s, Permissions: map[string][]string{}, Grants: map[string]map[string][]string{}, Members: map[string][]string{}, Holders: map[string][]string{}}
	roles := map[rolecall.RoleName]rolecall.Role{}
	known := map[string]string{}
	text := func(s string) string { // one copy of each
		if k, ok := known[s]; ok {
			return k
		}
		known[s] = s
		return s
	}
	for one := range s.Statements() {
		switch one := one.(type) {
		case rolecall.Role:
			roles[one.Name] = one
		case rolecall.Membership:
			member := text(one.Member.String())
			st.Members[member] = append(st.Members[member], text(one.Group.String()))
		case rolecall.Grant:
			at, holder := text(one.Scope.String()), text(one.Subject.String())
			if st.Grants[at] == nil {
				st.Grants[at] = map[string][]string{}
			}
			st.Grants[at][holder] = append(st.Grants[at][holder], string(one.Role))
			st.Size++
		}
	}
	for name := range roles {
		for _, p := range s.Permissions {
			if allows(roles, name, p) {
				st.Permissions[string(name)] = append(st.Permissions[string(name)], p.String())
			}
		}
	}
	for n := range s.Users {
		user := text(s.User(n).String())
		list := []string{user}
		for i := 0; i < len(list); i++ {
			for _, g := range st.Members[list[i]] {
				if !slices.Contains(list, g) {
					list = append(list, g)
				}
			}
		}
		st.Holders[user] = append(list, "everyone")
	}
	return st
}

func allows(roles map[rolecall.RoleName]rolecall.Role, name rolecall.RoleName, p rolecall.Permission) bool {
	for _, rule := range roles[name].Rules {
		for _, pattern := range rule.Patterns {
			if pattern.AllowMatches(p) {
				return true
			}
		}
	}
	return slices.ContainsFunc(roles[name].Inherits, func(above rolecall.RoleName) bool { return allows(roles, above, p) })
}

// A link is a grant: a holder, a role and a scope; or a membership: a member, no role, and a group.
type link struct{ who, role, where string }

// links yields every grant and membership.
func (st *Studio) links(yield func(link) bool) {
	for at, holders := range st.Grants {
		for h, roles := range holders {
			for _, role := range roles {
				if !yield(link{h, role, at}) {
					return
				}
			}
		}
	}
	for member, groups := range st.Members {
		for _, g := range groups {
			if !yield(link{member, "", g}) {
				return
			}
		}
	}
}

// count returns how many links there are.
func (st *Studio) count() int {
	n := st.Size
	for _, groups := range st.Members {
		n += len(groups)
	}
	return n
}
