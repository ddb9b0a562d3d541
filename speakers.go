package rolecall

import "iter"

// Who says something: at a place, inside it, by a role.

// holders yields the holders of these numbers, groups first.
func (p *policy) holders(groups, users *idset) iter.Seq[*holder] {
	return func(yield func(*holder) bool) {
		for number := range groups.all() {
			if !yield(p.groups.at(number)) {
				return
			}
		}
		for number := range users.all() {
			if !yield(p.users.at(number)) {
				return
			}
		}
	}
}

// speakersAt yields those who have a statement at a place.
func (p *policy) speakersAt(at *place) iter.Seq[*holder] { return p.holders(at.groups, at.users) }

// speakersInside finds those who have a statement below a place.
func (p *policy) speakersInside(at *place, found func(*holder)) {
	for number := range at.children.all() {
		child := p.places.at(number)
		for h := range p.speakersAt(child) {
			found(h)
		}
		p.speakersInside(child, found)
	}
}

// usersOf yields those who have a grant of a role, eligible ones included.
func (p *policy) usersOf(role uint32) iter.Seq[*holder] {
	u := p.uses.at(role)
	return p.holders(u.groups, u.users)
}

// usesOf lists the grants of a role, by subject.
func (p *policy) usesOf(r *role) []Statement {
	var uses []Statement
	for h := range p.usersOf(r.number) {
		for i := range h.grants {
			if h.grants[i].role == r.number {
				uses = append(uses, p.grant(h, &h.grants[i]))
			}
		}
	}
	return uses
}

// scopesOf adds the scopes of a holder's statements.
func (p *policy) scopesOf(h *holder, scopes map[Scope]bool) {
	for i := range h.grants {
		scopes[p.places.at(h.grants[i].scope).scope] = true
	}
	for i := range h.overrides() {
		scopes[p.places.at(h.overrides()[i].scope).scope] = true
	}
}
