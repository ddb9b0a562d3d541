package rolecall

import (
	"cmp"
	"slices"
)

// A policy is the content of a Snapshot, indexed for decisions. It is immutable once its draft is finished.
//
// What a subject says is kept with the subject: its grants, overrides and memberships, as small records of numbers. Most
// checks pass by their hints over those that are said elsewhere, see glance. What is said at a scope is found from the
// scope, too: a place knows which groups, and which other subjects, have statements there, for the checks that are not
// plain, and for lists. docs/design/index.md draws it.
type policy struct {
	catalog     *Catalog
	revision    Revision
	history     string            // the line of revisions that it is on, see State
	subjects    table[holder]     // all but Everyone, by the hash of the subject
	users       vector[holder]    // every subject that is no group, by number
	groups      vector[holder]    // by number; 0 is Everyone
	parts       vector[groupPart] // of the groups, by number: what a check needs of most of them
	scopes      table[place]      // all but Global, by the hash of the path
	places      vector[place]     // by number; 0 is Global
	privates    *idset            // the numbers of the private places
	closed      *hintmap          // of the private places, and of those that were
	roles       *roletable
	uses        vector[roleUse] // by number of the role
	constraints []Constraint    // sorted by name

	// Counts of what is rare, so that a check can tell at once that it need not look.
	suspendedGroups int
	replaces        int
	strictOverrides int // deny and forbid
}

// A holder is a subject with everything that is said of it.
type holder struct {
	subject   Subject
	number    uint32 // among the users or among the groups
	suspended bool
	owner     *token
	grants    []grantAt   // in order
	groups    []memberAt  // the groups it is directly in
	room      [2]memberAt // for groups, so that most holders are two pieces of memory
	rare      *rarities   // nil for most
	group     *groupPart  // of groups only
}

// Rarities are what most holders have nothing of.
type rarities struct {
	overrides []overrideAt // sorted as grants are
	terms     []term       // of the grants, overrides and memberships, by their number less one
}

// Terms say when a statement speaks; number 0 is for those that always do.
type term struct {
	Window
	when uint16 // 0: unconditional
}

// A groupPart is what a group has beside what every holder has.
type groupPart struct {
	bloom     uint64         // of up, as in an idset
	timed     bool           // some membership on the way up has a window
	halted    bool           // it or a group above it is suspended
	up        []uint32       // itself and every group above it, sorted, whatever the windows
	room      [upRoom]uint32 // for up, so that most are one piece of memory
	members   *idset         // users directly in it
	subgroups *idset         // groups directly in it
	steps     int            // the longest way up
	said      hints          // of the group itself
}

const upRoom = 6

// rise sets what lies above the group, itself included.
func (g *groupPart) rise(up []uint32) {
	g.up = append(g.room[:0], up...)
	g.bloom = bloomOf(up)
}

// A grantAt is a grant as its holder keeps it. There are millions: it takes 16 bytes.
type grantAt struct {
	scope uint32
	role  uint32
	terms uint32
	hint  uint16 // of the scope
	marks uint8
}

const (
	markReplace = 1 << iota
	markPierce
	markEligible
)

func marksOf(g Grant) (marks uint8) {
	if g.Replace {
		marks |= markReplace
	}
	if g.Pierce {
		marks |= markPierce
	}
	if g.Eligible {
		marks |= markEligible
	}
	return marks
}

type overrideAt struct {
	match  *matcher
	scope  uint32
	terms  uint32
	hint   uint16 // of the scope
	effect Effect
}

type memberAt struct {
	group uint32
	terms uint32
}

// A place is a scope that statements name, or above one that they name.
type place struct {
	scope    Scope
	number   uint32
	parent   uint32
	hash     uint32
	private  bool
	owner    *token
	children *idset // places directly inside
	groups   *idset // groups with statements here
	users    *idset // other subjects with statements here
}

// A roleUse says who holds grants of a role, eligible ones included.
type roleUse struct {
	owner  *token
	groups *idset
	users  *idset
}

const (
	everyoneNumber = 0
	globalNumber   = 0
)

func emptyPolicy(c *Catalog) *policy {
	own := new(token)
	p := &policy{catalog: c, subjects: table[holder]{hash: (*holder).hashed}, scopes: table[place]{hash: (*place).hashed}, roles: &roletable{byName: map[RoleName]*role{}, strict: newPermset(len(c.permissions))}}
	all := &groupPart{}
	all.rise([]uint32{everyoneNumber})
	p.groups.set(own, p.groups.next(), &holder{subject: Everyone(), group: all})
	p.parts.set(own, everyoneNumber, all)
	p.places.set(own, p.places.next(), &place{scope: Global()})
	return p
}

func (p *policy) everyone() *holder { return p.groups.at(everyoneNumber) }
func (p *policy) global() *place    { return p.places.at(globalNumber) }

// holder returns what is said of a subject, nil where nothing is.
func (p *policy) holder(s Subject) *holder {
	if s.isEveryone() {
		return p.everyone()
	}
	return p.named(&s)
}

// named returns what is said of a subject other than Everyone.
func (p *policy) named(s *Subject) *holder {
	hash := uint32(s.hash)
	for n := p.subjects.leaf(hash); n != nil; n = n.more {
		for m := n.match(hash); m != 0; m &= m - 1 {
			if h := n.at(m); h.subject.id == s.id && h.subject.kind == s.kind {
				return h
			}
		}
	}
	return nil
}

// place returns the place of a scope, nil where no statement names it or anything inside it.
func (p *policy) place(t Scope) *place {
	switch {
	case !t.valid():
		return nil
	case t.depth == 0:
		return p.global()
	}
	return p.step(&t, int(t.depth))
}

// A path is the chain of known places from Global down towards a target.
type path struct {
	places  [maxScopeSegments + 1]*place
	n       int
	private int // depth of the deepest private place, 0 where there is none
}

// walk fills the path of target. It ends at the first unknown place: nothing is said below it.
func (p *policy) walk(target *Scope, to *path) {
	to.places[0], to.n, to.private = p.global(), 1, 0
	for n := 1; n <= int(target.depth); n++ {
		next := p.step(target, n)
		if next == nil {
			return
		}
		to.places[n] = next
		to.n++
		if next.private {
			to.private = n
		}
	}
}

// step returns the place of the first n segments of target, nil where it is unknown.
func (p *policy) step(target *Scope, n int) *place {
	hash := target.hashAt(n)
	for leaf := p.scopes.leaf(hash); leaf != nil; leaf = leaf.more {
		for m := leaf.match(hash); m != 0; m &= m - 1 {
			if at := leaf.at(m); int(at.scope.depth) == n && startsPath(at.scope.path, target.path) {
				return at
			}
		}
	}
	return nil
}

// grantsAt returns the holder's grants at a place.
func (h *holder) grantsAt(at *place) []grantAt {
	lo := 0
	if len(h.grants) > 8 {
		lo, _ = slices.BinarySearchFunc(h.grants, at.order(), func(g grantAt, order uint64) int { return cmp.Compare(g.order(), order) })
	} else {
		for lo < len(h.grants) && h.grants[lo].scope != at.number {
			lo++
		}
	}
	hi := lo
	for hi < len(h.grants) && h.grants[hi].scope == at.number {
		hi++
	}
	return h.grants[lo:hi]
}

// overridesAt returns the holder's overrides at a place.
func (h *holder) overridesAt(at *place) []overrideAt {
	list := h.overrides()
	if len(list) == 0 {
		return nil
	}
	lo, _ := slices.BinarySearchFunc(list, at.order(), func(o overrideAt, order uint64) int { return cmp.Compare(o.order(), order) })
	hi := lo
	for hi < len(list) && list[hi].scope == at.number {
		hi++
	}
	return list[lo:hi]
}

func (h *holder) overrides() []overrideAt {
	if h.rare == nil {
		return nil
	}
	return h.rare.overrides
}

func (h *holder) terms() []term {
	if h.rare == nil {
		return nil
	}
	return h.rare.terms
}

// open says whether the window of these terms is open now.
func (h *holder) open(terms uint32, now *instant) bool {
	return terms == 0 || h.rare.terms[terms-1].Open(now.now())
}

func (h *holder) window(terms uint32) Window {
	if terms == 0 {
		return Window{}
	}
	return h.rare.terms[terms-1].Window
}

// when returns the condition of these terms.
func (h *holder) when(terms uint32) uint16 {
	if terms == 0 {
		return 0
	}
	return h.rare.terms[terms-1].when
}

func (h *holder) isGroup() bool    { return h.group != nil }
func (h *holder) isEveryone() bool { return h.group != nil && h.number == everyoneNumber }

// off says whether the holder is suspended; one of whom nothing is said is not.
func (h *holder) off() bool { return h != nil && h.suspended }

// empty says whether nothing is said of the holder any more.
func (h *holder) empty() bool {
	return len(h.grants) == 0 && len(h.overrides()) == 0 && len(h.groups) == 0 && !h.suspended &&
		(h.group == nil || h.group.members == nil && h.group.subgroups == nil)
}

func (h *holder) compare(other *holder) int { return h.subject.Compare(other.subject) }

func (h *holder) hashed() uint32 { return uint32(h.subject.hash) }
func (at *place) hashed() uint32 { return at.hash }

func (at *place) empty() bool {
	return !at.private && at.children == nil && at.groups == nil && at.users == nil
}

// grant returns the grant as a statement.
func (p *policy) grant(h *holder, g *grantAt) Grant {
	return Grant{
		Subject: h.subject, Role: p.roles.get(g.role).Name, Scope: p.places.at(g.scope).scope,
		When: p.catalog.conditionOf[h.when(g.terms)], Window: h.window(g.terms),
		Replace: g.marks&markReplace != 0, Pierce: g.marks&markPierce != 0, Eligible: g.marks&markEligible != 0,
	}
}

// override returns the override as a statement.
func (p *policy) override(h *holder, o *overrideAt) Override {
	return Override{
		Subject: h.subject, Effect: o.effect, Pattern: o.match.pattern, Scope: p.places.at(o.scope).scope,
		When: p.catalog.conditionOf[h.when(o.terms)], Window: h.window(o.terms),
	}
}

// membership returns the membership as a statement.
func (p *policy) membership(h *holder, m *memberAt) Membership {
	return Membership{Member: h.subject, Group: p.groups.at(m.group).subject, Window: h.window(m.terms)}
}

// membershipIn returns the membership of h in a group in which it is directly.
func (p *policy) membershipIn(h, group *holder) Membership {
	return p.membership(h, &h.groups[h.indexIn(group)])
}

// indexIn returns which of the memberships of h is that in a group, -1 where none is.
func (h *holder) indexIn(group *holder) int {
	return slices.IndexFunc(h.groups, func(m memberAt) bool { return m.group == group.number })
}

// reaches says whether group k is reachable from group h over memberships valid at now; every group reaches itself
// and Everyone.
func (p *policy) reaches(h, k *holder, now *instant) bool {
	if h == k || k.number == everyoneNumber {
		return true
	}
	if h.group.bloom>>(k.number%64)&1 == 0 || !hasSorted(h.group.up, k.number) {
		return false
	}
	return !h.group.timed || p.climbs(h, k, now, map[uint32]bool{})
}

func (p *policy) climbs(h, k *holder, now *instant, seen map[uint32]bool) bool {
	for i := range h.groups {
		m := &h.groups[i]
		if !h.open(m.terms, now) || seen[m.group] {
			continue
		}
		seen[m.group] = true
		if m.group == k.number || p.climbs(p.groups.at(m.group), k, now, seen) {
			return true
		}
	}
	return false
}

// descend visits a holder and, where it is a group, everybody in it, however deep, until visit reports false. It passes
// over those who are in seen, and puts there whom it meets. It reports whether it came to the end.
func (p *policy) descend(seen map[*holder]bool, h *holder, visit func(*holder) bool) bool {
	if seen[h] {
		return true
	}
	seen[h] = true
	if !visit(h) {
		return false
	}
	if !h.isGroup() {
		return true
	}
	for number := range h.group.members.all() {
		if !p.descend(seen, p.users.at(number), visit) {
			return false
		}
	}
	for number := range h.group.subgroups.all() {
		if !p.descend(seen, p.groups.at(number), visit) {
			return false
		}
	}
	return true
}
