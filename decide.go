package rolecall

// Deciding. A question is asked in three ways that must agree.
//
// glance is for most checks: of a user whom the policy names, where no condition matters. It keeps next to nothing, looks
// at no more than it must, after an Allow only at what may speak against it, and gives up as soon as anything is not plain.
//
// quick is for the usual case. It reads what the subject, its groups and Everyone say at the known places above the
// target. As long as it meets nothing but Allows, the law has nothing to weigh: one Allow that counts is enough.
//
// As soon as something strict is met (a Deny, a Forbid, a Replace), or where the subject's groups are not plain (a
// window or a suspension on the way up, groups vouched for, a narrowing), judge applies the whole law in law.go.

// A question is one request made ready, against one policy.
type question struct {
	policy     *policy
	now        instant
	permission int
	word       Permission // where the guard asks of a permission that may be declared later, in place of the number
	builtin    bool       // privacy does not stop it
	self       *holder
	path       path
	answers    answers
	missed     Reason // the best reason why an Allow did not count
	extra      *extras
}

// extras are the rare parts of a request.
type extras struct {
	groups []*holder // vouched for
	narrow bool      // to the roles in active
	active []uint32
}

// outcome is what glance or quick found at one point or several: bits.
type outcome uint8

const (
	foundAllow  = outcome(1 << iota) // an Allow that counts
	foundStrict                      // something that needs the whole law
	foundDoubt                       // an Allow that does not count: the reason is to be found
)

// glanceDepth is how many scopes there are above the targets that glance looks at, themselves and Global included.
const glanceDepth = 8

// A glimpse is what glance keeps. It does not find the places above the target: it knows their hints, and compares
// scopes where a hint fits.
type glimpse struct {
	policy     *policy
	now        *instant
	target     *Scope
	permission int
	hint       [glanceDepth]uint16 // of Global, and so on down to the target
	n          int
	bloom      uint64 // of the hints
	meek       bool   // no role says anything but Allow of the permission
	found      outcome
	enough     outcome // where one of these is found there is nothing more to look for
}

// glance answers a check where the subject is a user, or anything else but a group, of whom something is said, and where
// all that is said to it on the way to the target is Allows without conditions. Otherwise it reports false, and nothing is
// known.
func (p *policy) glance(now *instant, who *Subject, permission *Permission, target *Scope) (Reason, bool) {
	number := p.catalog.index.find(*permission)
	if number < 0 || target.path == "" || target.kinds&^p.catalog.scopeBits != 0 || target.depth >= glanceDepth {
		return NothingSaid, false
	}
	h := p.named(who)
	if h == nil || h.suspended || h.group != nil {
		return NothingSaid, false
	}
	g := glimpse{policy: p, now: now, target: target, permission: number}
	g.look()
	g.meek, g.enough = !p.roles.strict.has(number), foundStrict
	if g.meek && p.replaces == 0 && p.strictOverrides == 0 {
		g.enough |= foundAllow
	}
	g.holder(h)
	for i := 0; i < len(h.groups) && g.found&g.enough == 0; i++ {
		if m := &h.groups[i]; h.open(m.terms, now) {
			g.group(m.group)
		}
	}
	if g.found&g.enough == 0 {
		g.holder(p.everyone())
	}
	switch {
	case g.found&foundStrict != 0:
		return NothingSaid, false
	case g.found&foundAllow != 0:
		return Granted, true
	}
	return NothingSaid, g.found == 0
}

// look takes the hints of the target and of all above it.
func (g *glimpse) look() {
	g.n = int(g.target.depth) + 1
	for depth := range g.n {
		hint := hintOf(g.target.hashAt(depth))
		g.hint[depth] = hint
		g.bloom |= 1 << (hint % 64)
	}
}

// concerns says whether a group may have said something that matters on the way: where there is an Allow, only what may
// speak against it does.
func (g *glimpse) concerns(said *hints) bool {
	if g.meek && g.found&foundAllow != 0 {
		return said.strict&g.bloom != 0
	}
	return g.meets(said)
}

// meets says whether a group may have said something on the way.
func (g *glimpse) meets(said *hints) bool {
	for _, hint := range g.hint[:g.n] {
		if said.has(hint) {
			return true
		}
	}
	return false
}

// group looks at what a group and those above it say on the way.
func (g *glimpse) group(group uint32) {
	part := g.policy.parts.at(group)
	for _, number := range part.up {
		if !g.concerns(&g.policy.parts.at(number).said) {
			continue
		}
		if part.halted {
			g.found |= foundStrict
			return
		}
		if steps := climbSteps; !part.timed || g.climbs(group, number, &steps) {
			g.holder(g.policy.groups.at(number))
		} else if steps < 0 {
			g.found |= foundStrict
		}
		if g.found&g.enough != 0 {
			return
		}
	}
}

// holder looks at what one holder says on the way.
func (g *glimpse) holder(h *holder) {
	if h.rare != nil {
		g.overrides(h)
	}
	if len(h.grants) > fewGrants {
		g.manyGrants(h)
		return
	}
	for i := range h.grants {
		if one := &h.grants[i]; g.bloom>>(one.hint%64)&1 == 1 {
			g.grant(h, one)
		}
	}
}

// fewGrants is how many grants are gone through one by one.
const fewGrants = 8

// manyGrants looks at the grants of a holder of many, by searching for the hints.
func (g *glimpse) manyGrants(h *holder) {
	for _, hint := range g.hint[:g.n] {
		if h.group != nil && !h.group.said.has(hint) {
			continue
		}
		lo, hi := 0, len(h.grants)
		for lo < hi {
			if mid := int(uint(lo+hi) >> 1); h.grants[mid].hint < hint {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		for ; lo < len(h.grants) && h.grants[lo].hint == hint; lo++ {
			g.grant(h, &h.grants[lo])
		}
	}
}

// overrides gives up where an override speaks of the permission on the way.
func (g *glimpse) overrides(h *holder) {
	for i := range h.rare.overrides {
		o := &h.rare.overrides[i]
		if g.bloom>>(o.hint%64)&1 == 0 || !o.match.covers(o.effect, g.permission) {
			continue
		}
		if _, above := g.above(o.scope); above {
			g.found |= foundStrict
		}
	}
}

// climbSteps is how far glance looks for a way up of memberships that are valid now.
const climbSteps = 32

// climbs says whether one group is reached from another over memberships valid now. Where steps end below zero it gave
// up.
func (g *glimpse) climbs(from, to uint32, steps *int) bool {
	if from == to {
		return true
	}
	h := g.policy.groups.at(from)
	for i := range h.groups {
		m := &h.groups[i]
		if g.policy.parts.at(m.group).bloom>>(to%64)&1 == 0 || !h.open(m.terms, g.now) {
			continue
		}
		if *steps--; *steps < 0 || g.climbs(m.group, to, steps) {
			return *steps >= 0
		}
	}
	return false
}

// grant looks at what a grant says if its scope is the target or above it.
func (g *glimpse) grant(h *holder, one *grantAt) {
	says := g.policy.roles.says[one.role][g.permission]
	if one.marks&markEligible != 0 || says == 0 && one.marks&markReplace == 0 {
		return
	}
	depth, above := g.above(one.scope)
	switch {
	case !above:
	case one.marks&markReplace != 0 || says != uint8(Allow) || h.when(one.terms) != 0:
		g.found |= foundStrict
	case !h.open(one.terms, g.now), one.marks&markPierce == 0 && g.closed(depth):
		g.found |= foundDoubt
	default:
		g.found |= foundAllow
	}
}

// above says whether the scope of that number is the target or above it, and its depth.
func (g *glimpse) above(scope uint32) (depth int, above bool) {
	if scope == globalNumber {
		return 0, true
	}
	at := &g.policy.places.at(scope).scope
	return int(at.depth), at.depth <= g.target.depth && startsPath(at.path, g.target.path)
}

// closed says whether a private scope lies on the way below that depth.
func (g *glimpse) closed(depth int) bool {
	return g.policy.privates != nil && !g.policy.builtin(g.permission) && g.policy.closes(g.target, depth)
}

// ready makes the question of a subject, a permission and a target. It returns an error where one of them is invalid
// or not declared.
func (q *question) ready(p *policy, who *Subject, permission *Permission, target *Scope) error {
	q.policy = p
	q.permission = p.catalog.index.find(*permission)
	if q.permission < 0 {
		return p.catalog.unknownPermission("request", *permission)
	}
	if target.path == "" || target.kinds&^p.catalog.scopeBits != 0 || target.depth > maxScopeSegments {
		if fault := p.catalog.checkScope("request", *target); fault != nil {
			return fault
		}
	}
	if q.self = p.holder(*who); q.self == nil {
		if fault := p.catalog.checkSubject("request", *who); fault != nil {
			return fault
		}
	}
	q.builtin = p.builtin(q.permission)
	p.walk(target, &q.path)
	return nil
}

// builtin says whether that permission is one of rolecall.*.
func (p *policy) builtin(permission int) bool {
	c := p.catalog
	return permission >= c.builtins[0] && permission < c.builtins[1]
}

// giveFacts sets what answers conditions; it refuses a Given that names an undeclared condition.
func (q *question) giveFacts(facts Facts) error {
	q.answers.facts = facts
	return q.policy.catalog.checkFacts(facts)
}

func (c *Catalog) checkFacts(facts Facts) error {
	switch facts := facts.(type) {
	case Given:
		for _, name := range facts {
			if name == "" {
				return problem(ErrInvalid, "request", "", "a given condition has no name")
			}
			if p := c.checkCondition("request", name); p != nil {
				return p
			}
		}
	case severalFacts:
		for _, f := range facts {
			if err := c.checkFacts(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// miss remembers why an Allow does not count; of several reasons the one nearest to success stays.
func (q *question) miss(r Reason) {
	if r > q.missed {
		q.missed = r
	}
}

// verdict answers the question: Granted or why not.
func (q *question) verdict() Reason {
	if q.self.off() {
		return Suspended
	}
	if q.extra == nil {
		if r, plain := q.quick(); plain {
			return r
		}
		q.missed = NothingSaid
	}
	return q.judge()
}

// verdictFor answers the question of another subject.
func (q *question) verdictFor(h *holder) Reason {
	q.self, q.missed = h, NothingSaid
	return q.verdict()
}

// quick answers where nothing strict is in reach; otherwise it reports false.
func (q *question) quick() (Reason, bool) {
	p := q.policy
	lone := p.replaces == 0 && p.strictOverrides == 0 && !p.roles.strict.has(q.permission)
	found := outcome(0)
	for depth := q.path.n - 1; depth >= 0; depth-- {
		at := q.path.places[depth]
		if h := q.self; h != nil && h.group == nil {
			found |= q.scan(h, at, depth)
		}
		if at.groups != nil {
			more, plain := q.scanGroups(at, depth)
			if !plain {
				return 0, false
			}
			found |= more
		}
		if found&foundStrict != 0 {
			return 0, false
		}
		if lone && found&foundAllow != 0 {
			return Granted, true
		}
	}
	if found&foundAllow != 0 {
		return Granted, true
	}
	return q.missed, true
}

// scanGroups scans what the groups of the subject and Everyone say at a place. It reports false where some group is
// not plain.
func (q *question) scanGroups(at *place, depth int) (outcome, bool) {
	p := q.policy
	found := outcome(0)
	if at.groups.has(everyoneNumber) {
		found |= q.scan(p.everyone(), at, depth)
	}
	h := q.self
	switch {
	case h == nil || h.isEveryone():
		return found, true
	case h.group != nil:
		if h.group.timed || h.group.halted {
			return 0, false
		}
		return found | q.scanUp(h.group, at, depth), true
	}
	for i := range h.groups {
		m := &h.groups[i]
		if !h.open(m.terms, &q.now) {
			continue
		}
		g := p.groups.at(m.group).group
		if g.timed || g.halted {
			return 0, false
		}
		found |= q.scanUp(g, at, depth)
	}
	return found, true
}

// scanUp scans what a group and those above it say at a place.
func (q *question) scanUp(g *groupPart, at *place, depth int) outcome {
	found := outcome(0)
	for _, number := range g.up {
		if at.groups.has(number) {
			found |= q.scan(q.policy.groups.at(number), at, depth)
		}
	}
	return found
}

// scan reads what one holder says at one place. Its grants that only miss the mark are remembered as reasons.
func (q *question) scan(h *holder, at *place, depth int) outcome {
	found := outcome(0)
	open := depth >= q.path.private || q.builtin
	grants := h.grantsAt(at)
	for i := range grants {
		found |= q.scanGrant(h, &grants[i], open)
	}
	overrides := h.overridesAt(at)
	for i := range overrides {
		if o := &overrides[i]; o.match.covers(o.effect, q.permission) {
			found |= q.scanOverride(h, o, open)
		}
	}
	return found
}

func (q *question) scanGrant(h *holder, g *grantAt, open bool) outcome {
	if g.marks&markEligible != 0 {
		return 0
	}
	says := q.policy.roles.get(g.role).say[q.permission]
	if says == 0 && g.marks&markReplace == 0 {
		return 0
	}
	if !h.open(g.terms, &q.now) {
		q.missGrant(g, OutsideWindow)
		return 0
	}
	doubt := false
	switch q.answers.ask(q.policy.catalog, h.when(g.terms)) {
	case fails:
		q.missGrant(g, ConditionFails)
		return 0
	case unknown:
		doubt = true
	}
	if g.marks&markReplace != 0 {
		return foundStrict
	}
	effect := Effect(says)
	if says == conditional {
		if effect = q.says(g.role); effect == 0 {
			q.miss(q.whyNot(g.role))
			return 0
		}
	}
	switch {
	case effect != Allow:
		return foundStrict
	case doubt:
		q.miss(ConditionUnknown)
	case open || g.marks&markPierce != 0:
		return foundAllow
	default:
		q.miss(Private)
	}
	return 0
}

// missGrant remembers why a grant is not heard, where its role allows for some facts.
func (q *question) missGrant(g *grantAt, r Reason) {
	if q.mayAllow(g.role) {
		q.miss(r)
	}
}

// mayAllow says whether a role allows the permission for some facts.
func (q *question) mayAllow(role uint32) bool {
	return q.policy.roles.get(role).can.gives.permissions.has(q.permission)
}

func (q *question) scanOverride(h *holder, o *overrideAt, open bool) outcome {
	if !h.open(o.terms, &q.now) {
		if o.effect == Allow {
			q.miss(OutsideWindow)
		}
		return 0
	}
	answer := q.answers.ask(q.policy.catalog, h.when(o.terms))
	switch {
	case o.effect != Allow && answer != fails:
		return foundStrict
	case o.effect != Allow:
	case answer == fails:
		q.miss(ConditionFails)
	case answer == unknown:
		q.miss(ConditionUnknown)
	case open:
		return foundAllow
	default:
		q.miss(Private)
	}
	return 0
}

// whyNot tells why a role whose say depends on conditions says nothing: some Allow in it has a condition that fails or
// that nobody can say, or some Except has one that nobody can say.
func (q *question) whyNot(number uint32) Reason {
	why := NothingSaid
	if q.policy.roles.get(number).say[q.permission] != conditional || !q.mayAllow(number) {
		return why
	}
	for _, rule := range q.policy.roles.get(number).rulesOn(q.permission) {
		why = max(why, q.stops(rule))
	}
	return why
}

// stops tells how the condition of a rule that lists the permission keeps a role from allowing, NothingSaid where it does not.
func (q *question) stops(rule *ruleAt) Reason {
	if rule.effect > Except || rule.when == 0 {
		return NothingSaid
	}
	switch answer := q.answers.ask(q.policy.catalog, rule.when); {
	case answer == unknown:
		return ConditionUnknown
	case answer == fails && rule.effect == Allow:
		return ConditionFails
	}
	return NothingSaid
}
