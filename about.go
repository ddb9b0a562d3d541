package rolecall

import "slices"

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
