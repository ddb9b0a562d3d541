package rolecall

// A hint is a part of the hash of a scope. A statement carries the hint of its place, so that a check passes over nearly
// all that is said elsewhere without finding out where that is. Hints may be equal by chance: where one fits, the scope
// itself is compared.
func hintOf(hash uint32) uint16 { return uint16(hash >> 16) }

// orderOf puts statements in order of their places: those of one place, and those whose hints are equal, lie together.
func orderOf(hint uint16, number uint32) uint64 { return uint64(hint)<<32 | uint64(number) }

func (at *place) hint() uint16      { return hintOf(at.hash) }
func (at *place) order() uint64     { return orderOf(at.hint(), at.number) }
func (g *grantAt) order() uint64    { return orderOf(g.hint, g.scope) }
func (o *overrideAt) order() uint64 { return orderOf(o.hint, o.scope) }

// Hints is a filter of hints: it has those that were put into it, and by chance others. It is as large as to spare most
// checks a look at a group with a hundred statements. Those of what may speak against an Allow are rare, and have a small
// filter besides.
type hints struct {
	all    [16]uint64
	strict uint64
}

func (s *hints) add(hint uint16, strict bool) {
	s.all[hint>>6%16] |= 1 << (hint % 64)
	if strict {
		s.strict |= 1 << (hint % 64)
	}
}

func (s *hints) has(hint uint16) bool { return s.all[hint>>6%16]>>(hint%64)&1 == 1 }

// A hintmap has a bit for every hint, so that what it does not have is nowhere. It is for what is rare in the whole
// policy; nil has none. Nothing is taken out of it.
type hintmap struct {
	owner *token
	bits  [1 << 16 / 64]uint64
}

func (m *hintmap) has(hint uint16) bool { return m != nil && m.bits[hint/64]>>(hint%64)&1 == 1 }

// with returns the map with a hint.
func (m *hintmap) with(own *token, hint uint16) *hintmap {
	switch {
	case m.has(hint):
		return m
	case m == nil:
		m = &hintmap{owner: own}
	case m.owner != own:
		c := *m
		c.owner = own
		m = &c
	}
	m.bits[hint/64] |= 1 << (hint % 64)
	return m
}

// strict says whether the grant may speak against an Allow whatever its role says.
func (g *grantAt) strict() bool { return g.marks&markReplace != 0 }

func (o *overrideAt) strict() bool { return o.effect != Allow }
