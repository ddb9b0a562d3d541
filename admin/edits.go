package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/roles"
)

// CreateRole defines a role under a name that is free.
func (e *Editor) CreateRole(ctx context.Context, r rolecall.Role) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if err := e.permitted(s, rolecall.RoleCreate); err != nil {
			return nil, err
		}
		return []rolecall.Edit{rolecall.Put(r)}, roles.Free(s, r.Name)
	})
}

// UpdateRole gives a role that is there another definition, for everybody who holds it.
func (e *Editor) UpdateRole(ctx context.Context, r rolecall.Role) (rolecall.Revision, error) {
	return e.changeRole(ctx, r.Name, func(rolecall.Role) (rolecall.Role, error) { return r, nil })
}

// changeRole changes the definition that stands.
func (e *Editor) changeRole(ctx context.Context, name rolecall.RoleName, change func(rolecall.Role) (rolecall.Role, error)) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if err := e.permitted(s, rolecall.RoleUpdate); err != nil {
			return nil, err
		}
		r, found := s.Role(name)
		if !found {
			return nil, roles.Undefined(name)
		}
		next, err := change(r)
		return []rolecall.Edit{rolecall.Put(next)}, err
	})
}

// CloneRole defines a new role that says what another one says, under a name that is free.
func (e *Editor) CloneRole(ctx context.Context, from, to rolecall.RoleName, title string) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if err := e.permitted(s, rolecall.RoleCreate); err != nil {
			return nil, err
		}
		r, err := roles.Clone(s, from, to, title)
		return []rolecall.Edit{rolecall.Put(r)}, err
	})
}

// Inherit makes a role inherit from another one.
func (e *Editor) Inherit(ctx context.Context, heir, from rolecall.RoleName) (rolecall.Revision, error) {
	return e.changeRole(ctx, heir, func(r rolecall.Role) (rolecall.Role, error) {
		r.Inherits = append(slices.Clone(r.Inherits), from)
		return r, nil
	})
}

// Disinherit makes a role no longer inherit from another one, of which it is an heir itself (rolecall.ErrUnknown).
func (e *Editor) Disinherit(ctx context.Context, heir, from rolecall.RoleName) (rolecall.Revision, error) {
	return e.changeRole(ctx, heir, func(r rolecall.Role) (rolecall.Role, error) {
		if !slices.Contains(r.Inherits, from) {
			return r, fault(rolecall.ErrUnknown, r, string(from), "this role is not one that it inherits from itself")
		}
		r.Inherits = but(r.Inherits, from)
		return r, nil
	})
}

// AddRule adds a rule to a role.
func (e *Editor) AddRule(ctx context.Context, name rolecall.RoleName, rule rolecall.Rule) (rolecall.Revision, error) {
	return e.changeRole(ctx, name, func(r rolecall.Role) (rolecall.Role, error) {
		r.Rules = append(slices.Clone(r.Rules), rule)
		return r, nil
	})
}

// RemoveRule takes the patterns of a rule out of the rules of a role that have its effect and condition. Each must be there
// in this spelling (rolecall.ErrUnknown): no star becomes narrower.
func (e *Editor) RemoveRule(ctx context.Context, name rolecall.RoleName, rule rolecall.Rule) (rolecall.Revision, error) {
	return e.changeRole(ctx, name, func(r rolecall.Role) (rolecall.Role, error) { return without(r, rule) })
}

func without(r rolecall.Role, rule rolecall.Rule) (rolecall.Role, error) {
	if len(rule.Patterns) == 0 {
		return r, fault(rolecall.ErrInvalid, r, rule.String(), "a rule to remove has a pattern")
	}
	var rules []rolecall.Rule
	var there []rolecall.Pattern
	for _, one := range r.Rules {
		if one.Effect == rule.Effect && one.When == rule.When {
			there = append(there, one.Patterns...)
			one.Patterns = but(one.Patterns, rule.Patterns...)
		}
		if len(one.Patterns) > 0 {
			rules = append(rules, one)
		}
	}
	rule.Patterns = but(rule.Patterns, there...)
	if len(rule.Patterns) > 0 {
		return r, fault(rolecall.ErrUnknown, r, rule.String(), "the role does not say this itself, in these words")
	}
	r.Rules = rules
	return r, nil
}

// Grant gives a role to a subject at a scope, or changes the grant that has its key.
func (e *Editor) Grant(ctx context.Context, g rolecall.Grant) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Put(g))
}

// Revoke takes the grant with the key of g away.
func (e *Editor) Revoke(ctx context.Context, g rolecall.Grant) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Remove(g))
}

// Override makes a single exception, or changes the one that has its key.
func (e *Editor) Override(ctx context.Context, o rolecall.Override) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Put(o))
}

// RemoveOverride takes the override with the key of o away.
func (e *Editor) RemoveOverride(ctx context.Context, o rolecall.Override) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Remove(o))
}

// AddMember puts somebody into a group, or changes the window of the membership that is there.
func (e *Editor) AddMember(ctx context.Context, m rolecall.Membership) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Put(m))
}

// RemoveMember takes somebody out of a group.
func (e *Editor) RemoveMember(ctx context.Context, member, group rolecall.Subject) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Remove(rolecall.Membership{Member: member, Group: group}))
}

// Suspend switches a subject off.
func (e *Editor) Suspend(ctx context.Context, who rolecall.Subject) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Put(rolecall.Suspension{Subject: who}))
}

// Resume switches a subject on again.
func (e *Editor) Resume(ctx context.Context, who rolecall.Subject) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Remove(rolecall.Suspension{Subject: who}))
}

// MakePrivate closes a scope to what is allowed from above.
func (e *Editor) MakePrivate(ctx context.Context, t rolecall.Scope) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Put(rolecall.PrivateScope{Scope: t}))
}

// Open opens a private scope again.
func (e *Editor) Open(ctx context.Context, t rolecall.Scope) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Remove(rolecall.PrivateScope{Scope: t}))
}

// Constrain adds a separation of duty, or changes the one of its name.
func (e *Editor) Constrain(ctx context.Context, c rolecall.Constraint) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Put(c))
}

// RemoveConstraint ends a separation of duty.
func (e *Editor) RemoveConstraint(ctx context.Context, name string) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.Remove(rolecall.Constraint{Name: name}))
}

// ForgetSubject removes every statement about a subject in one change: memberships, grants, overrides, suspension and,
// of a group, who is in it. Of a subject of whom the policy says nothing there is nothing to forget, and nothing is changed:
// whoever deletes an account may do so before knowing, and again. Offboard tells.
func (e *Editor) ForgetSubject(ctx context.Context, who rolecall.Subject) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.ForgetSubject(who))
}

// ForgetScope removes every statement at a scope and inside it in one change. Where there is none nothing is changed.
func (e *Editor) ForgetScope(ctx context.Context, t rolecall.Scope) (rolecall.Revision, error) {
	return e.Do(ctx, rolecall.ForgetScope(t))
}

// permitted refuses where the actor, or for whom it acts, lacks a permission on the whole instance. It comes before
// everything that tells what stands.
func (e *Editor) permitted(s *rolecall.Snapshot, p rolecall.Permission) error {
	left, err := e.left(s)
	if err != nil {
		return err
	}
	var ps rolecall.Problems
	for i, who := range []rolecall.Subject{e.actor, e.options.OnBehalf} {
		if who.IsZero() {
			continue
		}
		if i > 0 {
			left = rolecall.Narrowing{}
		}
		view, err := s.For(who, &rolecall.ViewOptions{Narrow: left})
		if err == nil && view.Check(p, rolecall.Global()) == nil {
			continue
		}
		ps = append(ps, &rolecall.Problem{
			Code: rolecall.ErrNotPermitted, Place: "change", Word: who.String(),
			Detail: fmt.Sprintf("takes %s at %s, which the actor does not have", p, rolecall.Global()),
		})
	}
	if ps == nil {
		return nil
	}
	return ps
}

// someone refuses who is nobody, or of a kind that is not declared.
func someone(s *rolecall.Snapshot, who rolecall.Subject) error {
	_, err := s.For(who, nil)
	if problems := rolecall.ProblemsOf(err); problems != nil {
		return wrong(problems[0].Code, who.String(), problems[0].Detail)
	}
	return err
}

// but returns a list without some of its elements.
func but[E comparable](list []E, some ...E) []E {
	return slices.DeleteFunc(slices.Clone(list), func(e E) bool { return slices.Contains(some, e) })
}
