package rolecall

import "slices"

// The law (docs/model.md), over everything that speaks of the question.
//
// inReach lists the bearers. collect writes down, point by point, what each says: a point is a run of said with one
// bearer and one depth. weigh then gives each said its fate:
//
//	a Forbid decides at once
//	an Allow that privacy, a suspension or a narrowing stops is struck
//	an Allow with a Replace at a nearer point is struck
//	each point says the strictest of its overrides, else of its grants
//	a point that has a nearer speaking point is struck
//	what is left decides: allowed where all of it says Allow
//
// The same run of the law answers checks and fills explanations, so that an explanation cannot tell another story.

// A bearer is a holder in reach of the subject. A dead one is or can only be reached through a suspended group.
type bearer struct {
	*holder
	live bool
}

// A said is one statement that speaks, or one that would have.
type said struct {
	bearer   int32
	depth    int32
	index    int32 // of the grant or override with its holder
	by       int32 // the said that beat it, -1 where none did
	effect   Effect
	fate     Fate // 0 while it counts
	override bool
	replace  bool
	pierce   bool
}

const (
	inlineBearers = 24
	inlineSaid    = 24
)

// judge applies the whole law.
func (q *question) judge() Reason {
	var room [inlineBearers]bearer
	return q.judgeAmong(q.inReach(room[:0]))
}

// judgeAmong applies the law to what these bearers say, who are all that are in reach.
func (q *question) judgeAmong(bearers []bearer) Reason {
	var room [inlineSaid]said
	c := court{question: q, bearers: bearers}
	c.said = c.collect(room[:0], false)
	return c.weigh()
}

// A court has a question, everybody in reach of it, and everything said.
type court struct {
	*question
	bearers []bearer
	said    []said
}

// unnamed stands for a subject of which the policy says nothing.
var unnamed = &holder{}

// inReach lists the subject first and Everyone last, with every group in between: first those that are reached
// without passing a suspended group, then the rest.
func (q *question) inReach(list []bearer) []bearer {
	self := q.self
	if self == nil {
		self = unnamed
	}
	var seen map[*holder]bool // those beyond the first two dozen
	list = append(list, bearer{self, true})
	if self.isEveryone() {
		return list
	}
	for _, live := range []bool{true, false} {
		if q.extra != nil {
			for _, g := range q.extra.groups {
				list = addBearer(list, &seen, g, live)
			}
		}
		for i := 0; i < len(list); i++ {
			h := list[i].holder
			for j := range h.groups {
				if m := &h.groups[j]; h.open(m.terms, &q.now) {
					list = addBearer(list, &seen, q.policy.groups.at(m.group), live)
				}
			}
		}
		if q.policy.suspendedGroups == 0 {
			break
		}
	}
	return append(list, bearer{q.policy.everyone(), true})
}

// addBearer adds a holder that is not there yet: the first two dozen are looked through, the others looked up.
func addBearer(list []bearer, seen *map[*holder]bool, h *holder, live bool) []bearer {
	if live && h.suspended {
		return list
	}
	for i := range list[:min(len(list), inlineBearers)] {
		if list[i].holder == h {
			return list
		}
	}
	if len(list) >= inlineBearers {
		if *seen == nil {
			*seen = map[*holder]bool{}
		}
		if (*seen)[h] {
			return list
		}
		(*seen)[h] = true
	}
	return append(list, bearer{h, live})
}

// nearerHolder says whether bearer a is b or nearer than b.
func (c *court) nearerHolder(a, b int32) bool {
	switch {
	case a == b || a == 0 || int(b) == len(c.bearers)-1:
		return true
	case b == 0 || int(a) == len(c.bearers)-1:
		return false
	}
	return c.policy.reaches(c.bearers[a].holder, c.bearers[b].holder, &c.now)
}

// nearer says whether the point of a is nearer than the point of b.
func (c *court) nearer(a, b *said) bool {
	return a.depth >= b.depth && (a.bearer != b.bearer || a.depth != b.depth) && c.nearerHolder(a.bearer, b.bearer)
}

// collect appends to list what is said at every point. With all it also writes down what would have been said but for a
// window, a condition or because it is only eligible.
func (c *court) collect(list []said, all bool) []said {
	for b := range c.bearers {
		h := c.bearers[b].holder
		if len(h.grants) == 0 && h.rare == nil {
			continue
		}
		for depth := range c.path.n {
			at := c.path.places[depth]
			if h.group != nil && !at.groups.has(h.number) {
				continue
			}
			list = c.collectAt(list, int32(b), int32(depth), at, all)
		}
	}
	return list
}

func (c *court) collectAt(list []said, b, depth int32, at *place, all bool) []said {
	h := c.bearers[b].holder
	if grants := h.grantsAt(at); len(grants) > 0 {
		first := offsetIn(h.grants, grants)
		for i := range grants {
			list = c.keep(list, c.hear(h, &grants[i], said{bearer: b, depth: depth, index: int32(first + i), by: -1}), all)
		}
	}
	if overrides := h.overridesAt(at); len(overrides) > 0 {
		first := offsetIn(h.overrides(), overrides)
		for i := range overrides {
			if o := &overrides[i]; c.overrideCovers(o) {
				s := said{bearer: b, depth: depth, index: int32(first + i), by: -1, override: true, effect: o.effect}
				s.fate = c.unheard(h, o.terms, o.effect)
				list = c.keep(list, s, all)
			}
		}
	}
	return list
}

// offsetIn returns where part, a non-empty piece of whole, begins.
func offsetIn[E any](whole, part []E) int { return cap(whole) - cap(part) }

// keep adds what speaks to a list; what is not heard is a reason, and is added only where everything is asked for.
func (q *question) keep(list []said, s said, all bool) []said {
	if s.fate == 0 {
		if s.effect != 0 || s.replace {
			return append(list, s)
		}
		if !all {
			return list
		}
	}
	if s.effect == Allow {
		q.miss(reasonOf(s.fate))
	}
	if all && s.effect != 0 {
		return append(list, s)
	}
	return list
}

// unheard says why a statement is not heard, 0 where it is.
func (q *question) unheard(h *holder, terms uint32, effect Effect) Fate {
	if !h.open(terms, &q.now) {
		return StoppedByWindow
	}
	switch q.answers.ask(q.policy.catalog, h.when(terms)) {
	case fails:
		return StoppedByCondition
	case unknown:
		if effect == Allow {
			return StoppedByUnknown
		}
	}
	return 0
}

// hear fills in what a grant says.
func (q *question) hear(h *holder, g *grantAt, s said) said {
	s.effect = q.says(g.role)
	s.replace, s.pierce = g.marks&markReplace != 0, g.marks&markPierce != 0
	if g.marks&markEligible != 0 {
		s.fate = NotActivated
	} else {
		s.fate = q.unheard(h, g.terms, s.effect)
	}
	if s.fate == StoppedByUnknown && s.replace { // what it replaces stays replaced
		q.miss(ConditionUnknown)
		s.fate, s.effect = 0, 0
	}
	if !q.word.ok() {
		q.hearSilence(g, &s)
	}
	return s
}

// hearSilence tells of a grant that does not allow what its role would allow for other facts, or were it heard.
func (q *question) hearSilence(g *grantAt, s *said) {
	switch {
	case s.fate != 0 && q.mayAllow(g.role):
		q.miss(reasonOf(s.fate))
		if s.effect == 0 {
			s.effect = Allow
		}
	case s.fate == 0 && s.effect == 0:
		why := q.whyNot(g.role)
		q.miss(why)
		if why != NothingSaid && !s.replace {
			s.effect, s.fate = Allow, stoppedBy(why)
		}
	}
}

// stoppedBy returns the fate of an Allow whose condition fails or cannot be said.
func stoppedBy(why Reason) Fate {
	if why == ConditionUnknown {
		return StoppedByUnknown
	}
	return StoppedByCondition
}

func reasonOf(f Fate) Reason {
	switch f {
	case StoppedByPrivacy:
		return Private
	case StoppedBySuspension:
		return Suspended
	case StoppedByWindow:
		return OutsideWindow
	case StoppedByCondition:
		return ConditionFails
	case StoppedByUnknown:
		return ConditionUnknown
	case StoppedByNarrowing:
		return Narrowed
	case LostToNearer, LostToReplace:
		return Overridden
	}
	return NothingSaid
}

// weigh gives each said its fate and returns the verdict.
func (c *court) weigh() Reason {
	if c.forbidden() {
		return Forbidden
	}
	c.strike()
	return c.conclude()
}

// strike gives a fate to all that does not count, where nothing forbids.
func (c *court) strike() {
	c.strikeAllows()
	c.strikeReplaced()
	c.strikeWithinPoints()
	c.strikeFarther()
}

// speaks says whether s still has something to say.
func (s *said) speaks() bool { return s.fate == 0 && s.effect != 0 }

func (c *court) forbidden() bool {
	by := int32(-1)
	for i := range c.said {
		if s := &c.said[i]; s.speaks() && s.effect == Forbid {
			s.fate = Decides
			by = int32(i)
		}
	}
	if by < 0 {
		return false
	}
	for i := range c.said {
		if s := &c.said[i]; s.fate == 0 {
			s.fate, s.by = LostToStricter, by
		}
	}
	return true
}

func (c *court) strikeAllows() {
	for i := range c.said {
		s := &c.said[i]
		if !s.speaks() || s.effect != Allow {
			continue
		}
		switch {
		case !c.bearers[s.bearer].live:
			s.fate = StoppedBySuspension
		case int(s.depth) < c.path.private && !s.pierce && !c.builtin:
			s.fate = StoppedByPrivacy
		case c.extra != nil && c.extra.narrow && !c.active(s):
			s.fate = StoppedByNarrowing
		}
		if s.fate != 0 {
			c.miss(reasonOf(s.fate))
		}
	}
}

// active says whether an Allow comes through one of the active roles of a session.
func (c *court) active(s *said) bool {
	if s.override {
		return false
	}
	granted := c.policy.roles.get(c.bearers[s.bearer].grants[s.index].role)
	return slices.ContainsFunc(c.extra.active, func(number uint32) bool {
		return granted.number == number || granted.above.has(number) && c.says(number) == Allow
	})
}

func (c *court) strikeReplaced() {
	for from, to := 0, 0; from < len(c.said); from = to {
		to = c.pointEnd(from)
		by := slices.IndexFunc(c.said[from:to], func(s said) bool { return s.replace && s.stands() })
		if by < 0 {
			continue
		}
		r := &c.said[from+by]
		for other, end := 0, 0; other < len(c.said); other = end {
			end = c.pointEnd(other)
			if !c.nearer(r, &c.said[other]) {
				continue
			}
			for k := other; k < end; k++ {
				if s := &c.said[k]; s.speaks() && s.effect == Allow {
					s.fate, s.by = LostToReplace, int32(from+by)
					c.miss(Overridden)
				}
			}
		}
	}
}

// pointEnd returns where the point that begins at from ends.
func (c *court) pointEnd(from int) int {
	to := from + 1
	for to < len(c.said) && c.said[to].bearer == c.said[from].bearer && c.said[to].depth == c.said[from].depth {
		to++
	}
	return to
}

// stands says whether a Replace is in force: it was heard, whatever became of the Allow of its role.
func (s *said) stands() bool {
	switch s.fate {
	case NotActivated, StoppedByWindow, StoppedByCondition:
		return false
	}
	return true
}

// strikeWithinPoints leaves at each point the strictest of the overrides, or else the strictest of what roles say.
func (c *court) strikeWithinPoints() {
	for from, to := 0, 0; from < len(c.said); from = to {
		to = c.pointEnd(from)
		best := int32(-1)
		for i := from; i < to; i++ {
			if s := &c.said[i]; s.speaks() && (best < 0 || s.outranks(&c.said[best])) {
				best = int32(i)
			}
		}
		for i := from; i < to && best >= 0; i++ {
			if s := &c.said[i]; s.speaks() && c.said[best].outranks(s) {
				s.by = best
				s.fate = LostToStricter
				if c.said[best].override && !s.override {
					s.fate = LostToOverride
				}
			}
		}
	}
}

// outranks orders what is said at one point.
func (s *said) outranks(other *said) bool {
	if s.override != other.override {
		return s.override
	}
	return s.effect > other.effect
}

// strikeFarther strikes each point that a nearer speaking point overrides. Nearness is transitive, so it does not
// matter that the nearer one may be struck as well.
func (c *court) strikeFarther() {
	var room [inlineSaid]int32
	speakers := room[:0] // the first that speaks at each point
	for from := 0; from < len(c.said); from = c.pointEnd(from) {
		for k, to := from, c.pointEnd(from); k < to; k++ {
			if c.said[k].speaks() {
				speakers = append(speakers, int32(k))
				break
			}
		}
	}
	for _, i := range speakers {
		for _, j := range speakers {
			if !c.nearer(&c.said[j], &c.said[i]) {
				continue
			}
			for k, to := int(i), c.pointEnd(int(i)); k < to; k++ {
				if s := &c.said[k]; s.speaks() {
					s.fate, s.by = LostToNearer, j
				}
			}
			break
		}
	}
}

func (c *court) conclude() Reason {
	verdict := NothingSaid
	for i := range c.said {
		s := &c.said[i]
		switch {
		case s.speaks() && s.effect == Deny:
			verdict = Denied
		case s.speaks() && verdict == NothingSaid:
			verdict = Granted
		}
	}
	overridden := false
	for i := range c.said {
		s := &c.said[i]
		switch {
		case s.speaks() && s.effect == Allow && verdict == Denied:
			s.fate = LostToStricter
		case s.speaks():
			s.fate = Decides
		case s.effect == Allow && (s.fate == LostToNearer || s.fate == LostToReplace || s.fate == LostToOverride):
			overridden = true
		}
	}
	switch {
	case verdict == Denied && overridden && !c.survivingAllow():
		return Overridden
	case verdict == NothingSaid:
		return c.missed
	}
	return verdict
}

// survivingAllow says whether some Allow was left beside the Deny that stood against it.
func (c *court) survivingAllow() bool {
	return slices.ContainsFunc(c.said, func(s said) bool { return s.effect == Allow && s.fate == LostToStricter })
}
