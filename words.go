package rolecall

import (
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A star in a pattern covers permissions that are declared later. To judge them, the guard asks of words: names that
// nobody declared yet, one for each way in which the patterns in play can match or not match a name. They are found by
// running all patterns at once over sequences of segments, each segment being one that some pattern waits for or a fresh
// one; sequences after which all patterns stand alike are followed once, those apart that a declared name begins with.

// mostStates bounds that search.
const mostStates = 1 << 15

// words returns what to ask for a subject of what some stars cover.
func (t *trial) words(who Subject, wanted []Pattern) []Permission {
	if len(wanted) == 0 {
		return nil
	}
	patterns := map[Pattern]bool{}
	for _, p := range []*policy{t.before, t.after} {
		p.starsOf(who, patterns)
	}
	t.actor.policy.starsOf(t.actor.subject, patterns)
	for _, one := range slices.Concat(append(slices.Clone(t.actor.patterns), wanted)...) {
		if one.HasStar() {
			patterns[one] = true
		}
	}
	words, complete := wordsOf(slices.Sorted(maps.Keys(patterns)), wanted, t.after.catalog)
	if !complete {
		t.undecided = true
	}
	return words
}

// starsOf adds the patterns with a star in everything that a subject, its groups and Everyone say.
func (p *policy) starsOf(who Subject, patterns map[Pattern]bool) {
	add := func(some ...Pattern) {
		for _, one := range some {
			if one.HasStar() {
				patterns[one] = true
			}
		}
	}
	for _, h := range p.bearersOf(who) {
		for i := range h.overrides() {
			add(h.overrides()[i].match.pattern)
		}
		for i := range h.grants {
			for _, r := range p.roles.get(h.grants[i].role).lineage {
				for _, rule := range r.Rules {
					add(rule.Patterns...)
				}
			}
		}
	}
}

// A standing is where every pattern stands after some segments of a name: a bit before each of its segments and one
// after the last, for all patterns in a row.
type standing []uint64

func (s standing) set(i int) { s[i/64] |= 1 << (i % 64) }

func (s standing) meets(other standing) bool {
	for i, w := range s {
		if w&other[i] != 0 {
			return true
		}
	}
	return false
}

func (s standing) key() []byte {
	var key []byte
	for _, w := range s {
		key = binary.LittleEndian.AppendUint64(key, w)
	}
	return key
}

// A race runs patterns over names.
type race struct {
	start, stars, ends standing
	wanted             standing // everything of the patterns that matter
	literals           map[string]standing
	segments           []string // of literals, sorted
	fresh              string
}

func newRace(patterns, wanted []Pattern) *race {
	n := 0
	for _, p := range patterns {
		n += strings.Count(string(p), ".") + 2
	}
	blank := func() standing { return make(standing, (n+63)/64) }
	r := &race{start: blank(), stars: blank(), ends: blank(), wanted: blank(), literals: map[string]standing{}}
	bit := 0
	for _, p := range patterns {
		r.start.set(bit)
		matters := slices.Contains(wanted, p)
		for segment := range strings.SplitSeq(string(p), ".") {
			switch at := r.literals[segment]; {
			case segment == star:
				r.stars.set(bit)
			case at == nil:
				r.literals[segment] = blank()
				fallthrough
			default:
				r.literals[segment].set(bit)
			}
			if matters {
				r.wanted.set(bit)
			}
			bit++
		}
		if r.ends.set(bit); matters {
			r.wanted.set(bit)
		}
		bit++
	}
	r.segments = slices.Sorted(maps.Keys(r.literals))
	r.fresh = freshSegment(r.literals)
	return r
}

// step returns where the patterns stand after one more segment.
func (r *race) step(at standing, segment string) standing {
	next, literal, carry := make(standing, len(at)), r.literals[segment], uint64(0)
	for i, w := range at {
		stays := w & r.stars[i]
		moves := stays
		if literal != nil {
			moves |= w & literal[i]
		}
		next[i] = stays | moves<<1 | carry
		carry = moves >> 63
	}
	return next
}

// waitsFor lists the segments that make a difference: those that some pattern waits for, and a fresh one.
func (r *race) waitsFor(at standing) []string {
	segments := []string{r.fresh}
	for _, one := range r.segments {
		if at.meets(r.literals[one]) {
			segments = append(segments, one)
		}
	}
	return segments
}

// matched tells apart which patterns match.
func (r *race) matched(at standing) string {
	ends := slices.Clone(at)
	for i := range ends {
		ends[i] &= r.ends[i]
	}
	return string(ends.key())
}

// wordsOf returns one undeclared name for each way in which at least one of the wanted patterns matches, and whether the
// search was complete.
func wordsOf(patterns, wanted []Pattern, declared *Catalog) (words []Permission, complete bool) {
	r := newRace(patterns, wanted)
	s := wordSearch{race: r, declared: declared, wantedEnds: slices.Clone(r.wanted), seen: map[string]bool{}, found: map[string]bool{}}
	for i := range s.wantedEnds {
		s.wantedEnds[i] &= r.ends[i]
	}
	level := []walk{{r.start, ""}}
	for length := 1; length <= maxSegments && len(level) > 0; length++ {
		s.next = nil
		for _, w := range level {
			for _, segment := range r.waitsFor(w.at) {
				if length == 1 && segment+"." == builtinPrefix {
					continue
				}
				s.visit(walk{r.step(w.at, segment), strings.TrimPrefix(w.name+"."+segment, ".")}, length)
				if len(s.seen) > mostStates {
					return nil, false
				}
			}
		}
		level = s.next
	}
	return s.words, true
}

// A walk is where the patterns stand after a name.
type walk struct {
	at   standing
	name string
}

// A wordSearch goes from names to longer ones, and goes on from one of those that make no difference.
type wordSearch struct {
	race        *race
	declared    *Catalog
	wantedEnds  standing // of the wanted patterns
	seen, found map[string]bool
	next        []walk
	words       []Permission
}

// visit goes on from a walk of that many segments, and keeps its name where it ends in a new way.
func (s *wordSearch) visit(w walk, length int) {
	if !w.at.meets(s.race.wanted) {
		return
	}
	key := append(w.at.key(), byte(min(length, minSegments)))
	if s.declared.begins(w.name) {
		key = append(key, w.name...)
	}
	if s.seen[string(key)] {
		return
	}
	s.seen[string(key)] = true
	s.next = append(s.next, w)
	matched := s.race.matched(w.at)
	if length < minSegments || !w.at.meets(s.wantedEnds) || s.found[matched] {
		return
	}
	if word := NewPermission(w.name); word.ok() && s.declared.index.find(word) < 0 {
		s.found[matched] = true
		s.words = append(s.words, word)
	}
}

// freshSegment returns a segment that is none of the literals.
func freshSegment(literals map[string]standing) string {
	for i := 0; ; i++ {
		if s := "later" + strconv.Itoa(i); literals[s] == nil {
			return s
		}
	}
}

// begins says whether a declared name is that one or goes on after it.
func (c *Catalog) begins(name string) bool {
	if c.index.find(NewPermission(name)) >= 0 {
		return true
	}
	longer := name + "."
	i, _ := slices.BinarySearchFunc(c.permissions, longer, func(p Permission, text string) int { return strings.Compare(p.name, text) })
	return i < len(c.permissions) && strings.HasPrefix(c.permissions[i].name, longer)
}
