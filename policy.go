package rolecall

import (
	"slices"
)

// A policy is the content of a Snapshot, indexed for decisions. It is immutable once its draft is finished.
//
// What a subject says is kept with the subject: its grants, overrides and memberships, as small records of numbers.
// What is said at a scope is found from the scope: a place knows which groups, and which other subjects, have
// statements there. A check walks the few known places above its target, reads the subject's own statements there, and
// asks each place which of the subject's groups speak there. docs/design/index.md draws it.
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
	grants    []grantAt    // sorted by scope number
	overrides []overrideAt // sorted by scope number
	groups    []memberAt   // the groups it is directly in
	windows   []Window     // of all of these, by their window number less one
	group     *groupPart   // of groups only
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
}

const upRoom = 6

// rise sets what lies above the group, itself included.
func (g *groupPart) rise(up []uint32) {
	g.up = append(g.room[:0], up...)
	g.bloom = bloomOf(up)
}

type grantAt struct {
	scope  uint32
	role   uint32
	window uint32 // 0: always valid
	when   uint16 // 0: unconditional
	marks  uint8
}

const (
	markReplace = 1 << iota
	markPierce
	markEligible
)

type overrideAt struct {
	match  *matcher
	scope  uint32
	window uint32
	when   uint16
	effect Effect
}

type memberAt struct {
	group  uint32
	window uint32
}

// A place is a scope that statements name, or above one that they name.
type place struct {
	scope    Scope
	number   uint32
	parent   uint32
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
	p := &policy{catalog: c, roles: &roletable{byName: map[RoleName]*role{}, strict: newPermset(len(c.permissions))}}
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
	return holderIn(p.subjects.bucketOf(s.hash), &s)
}

func holderIn(b *bucket[holder], s *Subject) *holder {
	for ; b != nil; b = b.more {
		for i := range b.n {
			if b.hash[i] == s.hash {
				if h := b.value[i]; h.subject.id == s.id && h.subject.kind == s.kind {
					return h
				}
			}
		}
	}
	return nil
}

// place returns the place of a scope, nil where no statement names it or anything inside it.
func (p *policy) place(t Scope) *place {
	if t.depth == 0 {
		return p.global()
	}
	hash := t.lastHash()
	return p.scopes.find(hash, func(at *place) bool { return at.scope.path == t.path })
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
	var hash uint32
	if n <= inlineHashes {
		hash = target.hash[n-1]
	} else {
		hash = target.prefixHash(n)
	}
	return placeIn(p.scopes.bucketOf(hash), hash, target, n)
}

func placeIn(b *bucket[place], hash uint32, target *Scope, n int) *place {
	for ; b != nil; b = b.more {
		for i := range b.n {
			if b.hash[i] == hash {
				if at := b.value[i]; int(at.scope.depth) == n && startsPath(at.scope.path, target.path) {
					return at
				}
			}
		}
	}
	return nil
}

// grantsAt returns the holder's grants at a place.
func (h *holder) grantsAt(scope uint32) []grantAt {
	lo := 0
	if len(h.grants) > 8 {
		lo, _ = slices.BinarySearchFunc(h.grants, scope, func(g grantAt, scope uint32) int {
			return int(int64(g.scope) - int64(scope))
		})
	} else {
		for lo < len(h.grants) && h.grants[lo].scope < scope {
			lo++
		}
	}
	hi := lo
	for hi < len(h.grants) && h.grants[hi].scope == scope {
		hi++
	}
	return h.grants[lo:hi]
}

// overridesAt returns the holder's overrides at a place.
func (h *holder) overridesAt(scope uint32) []overrideAt {
	if len(h.overrides) == 0 {
		return nil
	}
	lo, _ := slices.BinarySearchFunc(h.overrides, scope, func(o overrideAt, scope uint32) int {
		return int(int64(o.scope) - int64(scope))
	})
	hi := lo
	for hi < len(h.overrides) && h.overrides[hi].scope == scope {
		hi++
	}
	return h.overrides[lo:hi]
}

// open says whether the window of that number is open now.
func (h *holder) open(window uint32, now *instant) bool {
	return window == 0 || h.windows[window-1].Open(now.now())
}

func (h *holder) window(number uint32) Window {
	if number == 0 {
		return Window{}
	}
	return h.windows[number-1]
}

func (h *holder) isGroup() bool { return h.group != nil }

// empty says whether nothing is said of the holder any more.
func (h *holder) empty() bool {
	return len(h.grants) == 0 && len(h.overrides) == 0 && len(h.groups) == 0 && !h.suspended &&
		(h.group == nil || h.group.members == nil && h.group.subgroups == nil)
}

func (at *place) empty() bool {
	return !at.private && at.children == nil && at.groups == nil && at.users == nil
}

// grant returns the grant as a statement.
func (p *policy) grant(h *holder, g *grantAt) Grant {
	return Grant{
		Subject: h.subject, Role: p.roles.get(g.role).Name, Scope: p.places.at(g.scope).scope,
		When: p.catalog.conditionOf[g.when], Window: h.window(g.window),
		Replace: g.marks&markReplace != 0, Pierce: g.marks&markPierce != 0, Eligible: g.marks&markEligible != 0,
	}
}

// override returns the override as a statement.
func (p *policy) override(h *holder, o *overrideAt) Override {
	return Override{
		Subject: h.subject, Effect: o.effect, Pattern: o.match.pattern, Scope: p.places.at(o.scope).scope,
		When: p.catalog.conditionOf[o.when], Window: h.window(o.window),
	}
}

// membership returns the membership as a statement.
func (p *policy) membership(h *holder, m *memberAt) Membership {
	return Membership{Member: h.subject, Group: p.groups.at(m.group).subject, Window: h.window(m.window)}
}

// reaches says whether group k is reachable from group h over memberships valid at now; every group reaches itself
// and Everyone.
func (p *policy) reaches(h, k *holder, now *instant) bool {
	if h == k || k.number == everyoneNumber {
		return true
	}
	if _, above := slices.BinarySearch(h.group.up, k.number); !above {
		return false
	}
	return !h.group.timed || p.climbs(h, k, now, map[uint32]bool{})
}

func (p *policy) climbs(h, k *holder, now *instant, seen map[uint32]bool) bool {
	for i := range h.groups {
		m := &h.groups[i]
		if !h.open(m.window, now) || seen[m.group] {
			continue
		}
		seen[m.group] = true
		if m.group == k.number || p.climbs(p.groups.at(m.group), k, now, seen) {
			return true
		}
	}
	return false
}
