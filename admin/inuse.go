package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
)

// DeleteRole deletes a role that nothing names any more. While something does it is refused (rolecall.ErrInUse), and
// Refusal.Uses lists what.
func (e *Editor) DeleteRole(ctx context.Context, name rolecall.RoleName) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Remove(rolecall.Role{Name: name}))
}

// DeleteRoleAndUses deletes a role with everything that names it, in one change: its grants are removed, other roles no
// longer inherit from it, and constraints no longer count it. A constraint that is left with fewer roles than its limit
// is removed.
func (e *Editor) DeleteRoleAndUses(ctx context.Context, name rolecall.RoleName) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if err := e.permitted(s, rolecall.RoleDelete); err != nil {
			return nil, err
		}
		var edits []rolecall.Edit
		for _, use := range s.UsesOf(name) {
			edits = append(edits, unnamed(use, name))
		}
		return append(edits, rolecall.Remove(rolecall.Role{Name: name})), nil
	})
}

// unnamed is the edit after which a statement does not name a role.
func unnamed(use rolecall.Statement, name rolecall.RoleName) rolecall.Edit {
	switch use := use.(type) {
	case rolecall.Role:
		use.Inherits = but(use.Inherits, name)
		return rolecall.Put(use)
	case rolecall.Constraint:
		if use.Roles = but(use.Roles, name); len(use.Roles) >= use.Limit {
			return rolecall.Put(use)
		}
	}
	return rolecall.Remove(use)
}

// DeleteGroup forgets a group that nobody is in and that holds nothing any more. While somebody is, or it does, that is
// refused (rolecall.ErrInUse), and Refusal.Uses lists what stands in the way. ForgetSubject takes all of it along.
func (e *Editor) DeleteGroup(ctx context.Context, group rolecall.Subject) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if err := e.permitted(s, rolecall.SubjectForget); err != nil {
			return nil, err
		}
		if !group.IsGroup() {
			return nil, wrong(rolecall.ErrInvalid, group.String(), "only a group is deleted as one")
		}
		if uses := usesOfGroup(s, group); len(uses) > 0 {
			return nil, inUse(group.String(), "the group is still in use by %s", uses)
		}
		if err := named(s, group); err != nil {
			return nil, err
		}
		return []rolecall.Edit{rolecall.ForgetSubject(group)}, nil
	})
}

func usesOfGroup(s *rolecall.Snapshot, group rolecall.Subject) []rolecall.Statement {
	return slices.DeleteFunc(s.About(group), func(one rolecall.Statement) bool {
		m, isMembership := one.(rolecall.Membership)
		_, isSuspension := one.(rolecall.Suspension)
		return isSuspension || isMembership && m.Member == group
	})
}

// inUse makes a problem of each use.
func inUse(what, detail string, uses []rolecall.Statement) error {
	var ps rolecall.Problems
	for _, use := range uses {
		ps = append(ps, &rolecall.Problem{Code: rolecall.ErrInUse, Place: what, Detail: fmt.Sprintf(detail, rolecall.KeyOf(use)), Statement: use})
	}
	return ps
}

// DropScopeKind forgets every scope of a kind with all inside, and takes the kind off the limits of roles, in one
// change, so that a catalog without the kind fits the policy. A role that was limited to that kind alone stands in the
// way (rolecall.ErrInUse), because without a limit it could be held anywhere: change or delete it first. The catalog must
// still declare the kind (rolecall.ErrUnknown); where nothing names it any more nothing is changed.
func (e *Editor) DropScopeKind(ctx context.Context, kind rolecall.ScopeKind) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if err := e.permitted(s, rolecall.ScopeForget); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(s.Catalog().Declarations().ScopeKinds, func(d rolecall.ScopeKindDecl) bool { return d.Kind == kind }) {
			return nil, wrong(rolecall.ErrUnknown, string(kind), "no such kind of scope is declared")
		}
		edits, only := []rolecall.Edit(nil), []rolecall.Statement(nil)
		for _, use := range UsesOfScopeKind(s, kind) {
			switch use := use.(type) {
			case rolecall.Role:
				if len(use.Scopes) == 1 {
					only = append(only, use)
				}
				use.Scopes = but(use.Scopes, kind)
				edits = append(edits, rolecall.Put(use))
			default:
				edits = append(edits, rolecall.Remove(use))
			}
		}
		if only != nil {
			return nil, inUse("kind scope "+string(kind), "no other kind of scope is left to %s", only)
		}
		return edits, nil
	})
}

// DropSubjectKind forgets every subject of a kind, and takes the kind off the limits of roles, as DropScopeKind does. The
// kind is a declared one, or one of those that every catalog knows.
func (e *Editor) DropSubjectKind(ctx context.Context, kind rolecall.SubjectKind) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if err := e.permitted(s, rolecall.SubjectForget); err != nil {
			return nil, err
		}
		if known := slices.Collect(s.Catalog().SubjectKinds()); !slices.Contains(known, kind) {
			return nil, wrong(rolecall.ErrUnknown, string(kind), "no such kind of subject is declared")
		}
		edits, only := []rolecall.Edit(nil), []rolecall.Statement(nil)
		for r := range s.Roles() {
			if slices.Contains(r.Holders, kind) {
				if len(r.Holders) == 1 {
					only = append(only, r)
				}
				r.Holders = but(r.Holders, kind)
				edits = append(edits, rolecall.Put(r))
			}
		}
		if only != nil {
			return nil, inUse("kind subject "+string(kind), "no other kind of subject is left to hold %s", only)
		}
		for who := range s.Subjects() {
			if who.Kind() == kind {
				edits = append(edits, rolecall.ForgetSubject(who))
			}
		}
		return edits, nil
	})
}

// UsesOfScopeKind lists every statement that names a kind of scope: what must go before the kind can.
func UsesOfScopeKind(s *rolecall.Snapshot, kind rolecall.ScopeKind) []rolecall.Statement {
	return uses(s, func(one rolecall.Statement) bool {
		if r, isRole := one.(rolecall.Role); isRole {
			return slices.Contains(r.Scopes, kind)
		}
		t := statements.Scope(one)
		for at := range t.Ancestors() {
			if at.Kind() == kind {
				return true
			}
		}
		return false
	})
}

// UsesOfSubjectKind lists every statement that names a kind of subject.
func UsesOfSubjectKind(s *rolecall.Snapshot, kind rolecall.SubjectKind) []rolecall.Statement {
	return uses(s, func(one rolecall.Statement) bool {
		if r, isRole := one.(rolecall.Role); isRole {
			return slices.Contains(r.Holders, kind)
		}
		return slices.ContainsFunc(statements.Subjects(one), func(who rolecall.Subject) bool { return who.Kind() == kind })
	})
}

// UsesOfPermission lists every role and override that spells a permission; a star that covers it does not count.
func UsesOfPermission(s *rolecall.Snapshot, p rolecall.Permission) []rolecall.Statement {
	spelled := rolecall.Pattern(p.String())
	return uses(s, func(one rolecall.Statement) bool {
		switch one := one.(type) {
		case rolecall.Role:
			return slices.ContainsFunc(one.Rules, func(r rolecall.Rule) bool { return slices.Contains(r.Patterns, spelled) })
		case rolecall.Override:
			return one.Pattern == spelled
		}
		return false
	})
}

// UsesOfCondition lists every role, grant and override that names a condition.
func UsesOfCondition(s *rolecall.Snapshot, c rolecall.Condition) []rolecall.Statement {
	return uses(s, func(one rolecall.Statement) bool {
		switch one := one.(type) {
		case rolecall.Role:
			return slices.ContainsFunc(one.Rules, func(r rolecall.Rule) bool { return r.When == c })
		case rolecall.Grant:
			return one.When == c
		case rolecall.Override:
			return one.When == c
		}
		return false
	})
}

func uses(s *rolecall.Snapshot, names func(rolecall.Statement) bool) []rolecall.Statement {
	var list []rolecall.Statement
	for one := range s.Statements() {
		if names(one) {
			list = append(list, one)
		}
	}
	return list
}
