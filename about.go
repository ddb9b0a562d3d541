package rolecall

import (
	"cmp"
	"slices"
)

// What a policy says about one thing: for deleting it, for showing it, for finding out who depends on it.

// About returns every statement about a subject: its memberships, grants, overrides and suspension, and who is in it,
// in the order of StatementKey.Compare. It is what ForgetSubject would remove. Its cost follows the answer.
func (s *Snapshot) About(who Subject) []Statement {
	h := s.policy.holder(who)
	if h == nil {
		return nil
	}
	return s.policy.about(h)
}

// Below returns every statement placed at a scope or inside it: grants, overrides and private scopes, in the order of
// StatementKey.Compare. It is what ForgetScope would remove. Its cost follows the answer.
func (s *Snapshot) Below(t Scope) []Statement {
	at := s.policy.place(t)
	if at == nil {
		return nil
	}
	return sortStatements(s.policy.below(at))
}

// Around returns every statement placed at a scope or at one that contains it, in the order of StatementKey.Compare:
// what, with the memberships and roles of whom it concerns, bears on decisions there. Its cost follows the answer.
func (s *Snapshot) Around(t Scope) []Statement {
	if !t.valid() {
		return nil
	}
	var way path
	var list []Statement
	s.policy.walk(&t, &way)
	for depth := range way.n {
		list = append(list, s.policy.placedAt(way.places[depth])...)
	}
	return sortStatements(list)
}

// UsesOf returns every statement that names a role: the roles that inherit from it directly, its grants, eligible ones
// included, and constraints, in the order of StatementKey.Compare.
func (s *Snapshot) UsesOf(name RoleName) []Statement {
	r := s.policy.roles.find(name)
	if r == nil {
		return nil
	}
	var uses []Statement
	for _, heir := range s.policy.roles.roles {
		if heir != nil && heir.defined && slices.Contains(heir.Inherits, name) {
			uses = append(uses, heir.Role.canonical())
		}
	}
	sortStatements(uses)
	uses = append(uses, sortStatements(s.policy.usesOf(r))...)
	for _, c := range s.policy.constraints {
		if slices.Contains(c.Roles, name) {
			uses = append(uses, c.canonical())
		}
	}
	return uses
}

// about lists every statement about a holder: its own, and the memberships in it.
func (p *policy) about(h *holder) []Statement {
	return slices.Concat(p.membershipsAbout(h), p.grantsOf(h), p.overridesOf(h), suspensionOf(h))
}

// membershipsAbout lists the memberships of h and, of a group, those in it. There may be a million, so they are sorted
// before they are statements.
func (p *policy) membershipsAbout(h *holder) []Statement {
	var list []Membership
	for i := range h.groups {
		list = append(list, p.membership(h, &h.groups[i]))
	}
	if h.group != nil {
		for member := range p.holders(h.group.subgroups, h.group.members) {
			list = append(list, p.membershipIn(member, h))
		}
	}
	slices.SortFunc(list, func(a, b Membership) int {
		return cmp.Or(a.Member.Compare(b.Member), a.Group.Compare(b.Group))
	})
	out := make([]Statement, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}

// below lists every statement at a place and inside it.
func (p *policy) below(at *place) []Statement {
	list := p.placedAt(at)
	for number := range at.children.all() {
		list = append(list, p.below(p.places.at(number))...)
	}
	return list
}

// placedAt lists every statement at a place.
func (p *policy) placedAt(at *place) []Statement {
	var list []Statement
	if at.private {
		list = append(list, PrivateScope{at.scope})
	}
	for h := range p.speakersAt(at) {
		for _, g := range h.grantsAt(at) {
			list = append(list, p.grant(h, &g))
		}
		for _, o := range h.overridesAt(at) {
			list = append(list, p.override(h, &o))
		}
	}
	return list
}
