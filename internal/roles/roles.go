// Package roles tells what roles are to each other and what they say, whoever holds them.
package roles

import (
	"slices"

	"github.com/rolecall-go/rolecall"
)

// Lineage lists roles and every role that they inherit from, each once.
func Lineage(s *rolecall.Snapshot, names ...rolecall.RoleName) []rolecall.Role {
	var list []rolecall.Role
	seen := map[rolecall.RoleName]bool{}
	for names = slices.Clone(names); len(names) > 0; names = names[1:] {
		r, found := s.Role(names[0])
		if !found || seen[r.Name] {
			continue
		}
		seen[r.Name] = true
		list = append(list, r)
		names = append(names, r.Inherits...)
	}
	return list
}

// Heirs lists a role and every role that inherits from it, each once.
func Heirs(s *rolecall.Snapshot, role rolecall.RoleName) []rolecall.RoleName {
	list, seen := []rolecall.RoleName{role}, map[rolecall.RoleName]bool{role: true}
	for i := 0; i < len(list); i++ {
		for _, use := range s.UsesOf(list[i]) {
			if r, ok := use.(rolecall.Role); ok && !seen[r.Name] {
				seen[r.Name] = true
				list = append(list, r.Name)
			}
		}
	}
	return list
}

// Alone returns a policy in which a holder has a role on the whole instance, with what it inherits from and nothing else,
// and in which nothing is said where there is no such role.
func Alone(s *rolecall.Snapshot, name rolecall.RoleName) (only *rolecall.Snapshot, holder rolecall.Subject, err error) {
	holder = rolecall.User("holder")
	alone := Unbound(Lineage(s, name))
	if len(alone) > 0 {
		alone = append(alone, rolecall.Grant{Subject: holder, Role: name, Scope: rolecall.Global()})
	}
	only, err = rolecall.NewSnapshot(s.Catalog(), alone...)
	return only, holder, err
}

// Unbound returns roles that anybody may hold anywhere.
func Unbound(list []rolecall.Role) []rolecall.Statement {
	var unbound []rolecall.Statement
	for _, r := range list {
		r.Holders, r.Scopes = nil, nil
		unbound = append(unbound, r)
	}
	return unbound
}

// Clone returns a role under a new name that says what another one says. That there is none to clone is
// rolecall.ErrUnknown, and that the name is taken rolecall.ErrInvalid.
func Clone(s *rolecall.Snapshot, from, to rolecall.RoleName, title string) (rolecall.Role, error) {
	r, found := s.Role(from)
	if !found {
		return r, Undefined(from)
	}
	if err := Free(s, to); err != nil {
		return r, err
	}
	r.Name, r.Title = to, title
	return r, nil
}

// Free returns rolecall.ErrInvalid where a name is taken.
func Free(s *rolecall.Snapshot, name rolecall.RoleName) error {
	if _, taken := s.Role(name); taken {
		return fault(rolecall.ErrInvalid, name, "there is a role of this name already")
	}
	return nil
}

// Undefined is rolecall.ErrUnknown of a role.
func Undefined(name rolecall.RoleName) error {
	return fault(rolecall.ErrUnknown, name, "no such role is defined")
}

func fault(code rolecall.Code, name rolecall.RoleName, detail string) error {
	r := rolecall.Role{Name: name}
	return rolecall.Problems{{Code: code, Place: rolecall.KeyOf(r).String(), Word: string(r.Name), Detail: detail, Statement: r}}
}
