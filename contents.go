package rolecall

import (
	"iter"
	"slices"
)

// What a policy says, whole or by key.

// Statements yields every statement of the policy, in the order of StatementKey.Compare.
func (s *Snapshot) Statements() iter.Seq[Statement] {
	return func(yield func(Statement) bool) {
		p := s.policy
		for r := range s.Roles() {
			if !yield(r) {
				return
			}
		}
		holders := p.sortedHolders()
		for _, list := range []func(*holder) []Statement{p.membershipsOf, p.grantsOf, p.overridesOf, suspensionOf} {
			for _, h := range holders {
				for _, one := range list(h) {
					if !yield(one) {
						return
					}
				}
			}
		}
		for _, at := range p.privatePlaces() {
			if !yield(PrivateScope{at.scope}) {
				return
			}
		}
		for _, c := range p.constraints {
			if !yield(c.canonical()) {
				return
			}
		}
	}
}

// Roles yields every role, in order of name.
func (s *Snapshot) Roles() iter.Seq[Role] {
	return func(yield func(Role) bool) {
		for _, name := range s.policy.roles.names() {
			if !yield(s.policy.roles.find(name).Role.canonical()) {
				return
			}
		}
	}
}

// Subjects yields every subject but Everyone that the policy names, in the order of Subject.Compare.
func (s *Snapshot) Subjects() iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		for _, h := range s.policy.sortedHolders() {
			if !h.subject.isEveryone() && !yield(h.subject) {
				return
			}
		}
	}
}

// Find returns the statement with that key.
func (s *Snapshot) Find(k StatementKey) (Statement, bool) {
	found := s.policy.lookup(k)
	return found, found != nil
}

// Role returns the role of that name.
func (s *Snapshot) Role(name RoleName) (Role, bool) {
	r := s.policy.roles.find(name)
	if r == nil {
		return Role{}, false
	}
	return r.Role.canonical(), true
}

func (p *policy) lookup(k StatementKey) Statement {
	switch k.kind {
	case kindRole:
		if r := p.roles.find(RoleName(k.name)); r != nil {
			return r.Role.canonical()
		}
	case kindMembership:
		if h, g := p.holder(k.subject), p.holder(k.other); h != nil && g != nil {
			if i := h.indexIn(g); i >= 0 {
				return p.membership(h, &h.groups[i])
			}
		}
	case kindGrant:
		g := Grant{Subject: k.subject, Role: RoleName(k.name), Scope: k.scope, When: k.when, Eligible: k.eligible}
		h := p.holder(g.Subject)
		if i := p.grantIndex(h, p.place(g.Scope), g); i >= 0 {
			return p.grant(h, &h.grants[i])
		}
	case kindOverride:
		o := Override{Subject: k.subject, Pattern: Pattern(k.name), Scope: k.scope, When: k.when}
		h := p.holder(o.Subject)
		if i := p.overrideIndex(h, p.place(o.Scope), o); i >= 0 {
			return p.override(h, &h.overrides()[i])
		}
	case kindSuspension:
		if h := p.holder(k.subject); h != nil && h.suspended {
			return Suspension{k.subject}
		}
	case kindPrivate:
		if at := p.place(k.scope); at != nil && at.private {
			return PrivateScope{k.scope}
		}
	case kindConstraint:
		if i, ok := p.findConstraint(k.name); ok {
			return p.constraints[i].canonical()
		}
	}
	return nil
}

func (p *policy) sortedHolders() []*holder {
	holders := make([]*holder, 0, p.subjects.size+1)
	p.subjects.all(func(h *holder) bool { holders = append(holders, h); return true })
	holders = append(holders, p.everyone())
	slices.SortFunc(holders, (*holder).compare)
	return holders
}

func (p *policy) privatePlaces() []*place {
	var places []*place
	p.scopes.all(func(at *place) bool {
		if at.private {
			places = append(places, at)
		}
		return true
	})
	slices.SortFunc(places, func(a, b *place) int { return a.scope.Compare(b.scope) })
	return places
}

func (p *policy) membershipsOf(h *holder) []Statement {
	out := make([]Statement, len(h.groups))
	for i := range h.groups {
		out[i] = p.membership(h, &h.groups[i])
	}
	return sortStatements(out)
}

func (p *policy) grantsOf(h *holder) []Statement {
	out := make([]Statement, len(h.grants))
	for i := range h.grants {
		out[i] = p.grant(h, &h.grants[i])
	}
	return sortStatements(out)
}

func (p *policy) overridesOf(h *holder) []Statement {
	out := make([]Statement, len(h.overrides()))
	for i := range h.overrides() {
		out[i] = p.override(h, &h.overrides()[i])
	}
	return sortStatements(out)
}

func suspensionOf(h *holder) []Statement {
	if !h.suspended {
		return nil
	}
	return []Statement{Suspension{h.subject}}
}

func sortStatements(list []Statement) []Statement {
	slices.SortFunc(list, compareStatements)
	return list
}

func compareStatements(a, b Statement) int { return KeyOf(a).Compare(KeyOf(b)) }
