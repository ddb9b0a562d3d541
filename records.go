package rolecall

import "slices"

// The records of a draft: how it finds those of subjects and places, makes new ones, makes those that a snapshot shares its
// own before it changes them, and forgets those of which nothing is said any more.

// Recent is what a draft looked at last: statements about one subject or one place often come in a row.
type recent struct {
	holders [2]*holder // the last subject that is no group, and the last group
	place   *place
}

func (r *recent) note(h *holder) { r.holders[boolRank(h.isGroup())] = h }

func (d *draft) holder(s Subject) *holder {
	if h := d.recent.holders[boolRank(s.IsGroup())]; h != nil && h.subject == s {
		return h
	}
	h := d.policy.holder(s)
	if h != nil {
		d.recent.note(h)
	}
	return h
}

func (d *draft) place(t Scope) *place {
	if at := d.recent.place; at != nil && at.scope.path == t.path {
		return at
	}
	at := d.policy.place(t)
	if at != nil {
		d.recent.place = at
	}
	return at
}

// internHolder returns the record of a subject, made if need be, to be changed in place.
func (d *draft) internHolder(s Subject) *holder {
	if h := d.holder(s); h != nil {
		return d.ownHolder(h)
	}
	h := &holder{subject: s, owner: d.own}
	h.groups = h.room[:0]
	numbers := &d.users
	if s.IsGroup() {
		h.group = &groupPart{}
		numbers = &d.groups
	}
	h.number = numbers.next()
	if h.isGroup() {
		h.group.rise([]uint32{h.number})
		d.parts.set(d.own, h.number, h.group)
	}
	numbers.set(d.own, h.number, h)
	d.subjects.put(d.own, nil, h)
	d.recent.note(h)
	return h
}

// ownHolder returns the record to be changed in place.
func (d *draft) ownHolder(h *holder) *holder {
	if h.owner == d.own {
		return h
	}
	c := *h
	c.owner = d.own
	c.grants = slices.Clone(h.grants)
	c.groups = append(c.room[:0], h.groups...)
	if h.rare != nil {
		c.rare = &rarities{slices.Clone(h.rare.overrides), slices.Clone(h.rare.terms)}
	}
	if h.group != nil {
		g := *h.group
		g.rise(h.group.up)
		c.group = &g
		d.parts.set(d.own, c.number, c.group)
		d.groups.set(d.own, c.number, &c)
	} else {
		d.users.set(d.own, c.number, &c)
	}
	if !h.subject.isEveryone() {
		d.subjects.put(d.own, h, &c)
	}
	d.recent.note(&c)
	return &c
}

// dropHolder forgets the record of a subject of which nothing is said.
func (d *draft) dropHolder(s Subject) {
	h := d.holder(s)
	if h == nil || !h.empty() || s.isEveryone() {
		return
	}
	d.subjects.remove(d.own, h)
	d.recent = recent{}
	if h.isGroup() {
		d.groups.release(d.own, h.number)
		d.parts.set(d.own, h.number, nil)
		delete(d.groupsChanged, h.number)
		return
	}
	d.users.release(d.own, h.number)
}

// internPlace returns the place of a scope, made with the places above it if need be, to be changed in place.
func (d *draft) internPlace(t Scope) *place {
	if at := d.place(t); at != nil {
		return d.ownPlace(at)
	}
	above, _ := t.Parent()
	parent := d.internPlace(above)
	at := &place{scope: t, owner: d.own, number: d.places.next(), parent: parent.number, hash: t.lastHash()}
	parent.children = parent.children.with(d.own, at.number)
	d.places.set(d.own, at.number, at)
	d.scopes.put(d.own, nil, at)
	d.recent.place = at
	return at
}

func (d *draft) ownPlace(at *place) *place {
	if at.owner == d.own {
		return at
	}
	c := *at
	c.owner = d.own
	d.places.set(d.own, c.number, &c)
	if c.number != globalNumber {
		d.scopes.put(d.own, at, &c)
	}
	d.recent.place = &c
	return &c
}

// dropPlace forgets a place of which nothing is said, and then perhaps those above it.
func (d *draft) dropPlace(t Scope) {
	at := d.place(t)
	if at == nil || !at.empty() || at.number == globalNumber {
		return
	}
	d.scopes.remove(d.own, at)
	d.recent = recent{}
	d.places.release(d.own, at.number)
	parent := d.ownPlace(d.places.at(at.parent))
	parent.children = parent.children.without(d.own, at.number)
	d.dropPlace(parent.scope)
}

// dropEmpty forgets what the removed statement leaves without any.
func (d *draft) dropEmpty(s Statement) {
	switch s := s.(type) {
	case Role:
		d.dropRole(s.Name)
	case Membership:
		d.dropHolder(s.Member)
		d.dropHolder(s.Group)
	case Grant:
		d.dropHolder(s.Subject)
		d.dropPlace(s.Scope)
		d.dropRole(s.Role)
	case Override:
		d.dropHolder(s.Subject)
		d.dropPlace(s.Scope)
	case Suspension:
		d.dropHolder(s.Subject)
	case PrivateScope:
		d.dropPlace(s.Scope)
	}
}

// scarce returns the rarities of a holder that the draft owns.
func (h *holder) scarce() *rarities {
	if h.rare == nil {
		h.rare = &rarities{}
	}
	return h.rare
}

// addTerms keeps when a statement speaks and returns its number, 0 for the one that always does.
func (h *holder) addTerms(w Window, when uint16) uint32 {
	if w.IsZero() && when == 0 {
		return 0
	}
	r := h.scarce()
	r.terms = append(r.terms, term{w.canonical(), when})
	return uint32(len(r.terms))
}

// tidy leaves out the terms of what is gone, and works out the hints of a group anew. It is done once a draft, however much
// went.
func (h *holder) tidy() {
	if h.isGroup() {
		h.hintAnew()
	}
	if h.rare == nil {
		return
	}
	if h.rare.terms = h.termsInUse(); len(h.rare.terms) == 0 && len(h.rare.overrides) == 0 {
		h.rare = nil
	}
}

// termsInUse returns the terms of what is there, numbered anew.
func (h *holder) termsInUse() []term {
	kept := make([]term, 0, len(h.rare.terms))
	keep := func(number *uint32) {
		if *number != 0 {
			kept = append(kept, h.rare.terms[*number-1])
			*number = uint32(len(kept))
		}
	}
	for i := range h.grants {
		keep(&h.grants[i].terms)
	}
	for i := range h.rare.overrides {
		keep(&h.rare.overrides[i].terms)
	}
	for i := range h.groups {
		keep(&h.groups[i].terms)
	}
	return kept
}

// hintAnew works out the hints of a group.
func (h *holder) hintAnew() {
	h.group.said = hints{}
	for i := range h.grants {
		h.group.said.add(h.grants[i].hint, h.grants[i].strict())
	}
	for i := range h.overrides() {
		h.group.said.add(h.overrides()[i].hint, h.overrides()[i].strict())
	}
}
