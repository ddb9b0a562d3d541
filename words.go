package rolecall

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A star in a pattern covers permissions that are declared later. To judge them, the guard asks of words: names that
// nobody declared yet, one for each way in which the patterns in play can match or not match a name. They are found by
// running all patterns at once over every sequence of segments, each segment being one that some pattern spells or a
// fresh one; sequences after which all patterns stand alike are followed once, those apart that a declared name begins
// with.

// mostStates bounds that search.
const mostStates = 1 << 13

// words returns what to ask for a subject, none where it is allowed nothing through a star.
func (t *trial) words(who Subject, r *region) []Permission {
	if !r.words {
		return nil
	}
	patterns := map[Pattern]bool{}
	for _, p := range []*policy{t.before, t.after} {
		p.starsOf(who, patterns)
	}
	t.base.starsOf(t.actor, patterns)
	if len(patterns) == 0 {
		return nil
	}
	words, complete := wordsOf(slices.Sorted(maps.Keys(patterns)), t.after.catalog)
	if !complete {
		t.undecided = true
	}
	return words
}

// starsOf adds the patterns with a star in everything that a subject, its groups and Everyone say.
func (p *policy) starsOf(who Subject, patterns map[Pattern]bool) {
	add := func(pattern Pattern) {
		if pattern.HasStar() {
			patterns[pattern] = true
		}
	}
	for _, h := range append(p.above(who), p.everyone()) {
		for i := range h.overrides {
			add(h.overrides[i].match.pattern)
		}
		for i := range h.grants {
			for _, number := range p.roles.get(h.grants[i].role).lineage {
				for _, rule := range p.roles.get(number).Rules {
					for _, pattern := range rule.Patterns {
						add(pattern)
					}
				}
			}
		}
	}
}

// A runner has consumed some segments of a pattern: bit i is set where it can stand before segment i.
type runner struct {
	segments []string
}

// step returns where the runner can stand after one more segment.
func (r runner) step(at uint16, segment string) uint16 {
	next := uint16(0)
	for i, s := range r.segments {
		switch {
		case at>>i&1 == 0:
		case s == star:
			next |= 3 << i
		case s == segment:
			next |= 2 << i
		}
	}
	return next
}

func (r runner) accepts(at uint16) bool { return at>>len(r.segments)&1 == 1 }

// wordsOf returns one undeclared name for each way in which at least one of the patterns matches, and whether the search
// was complete.
func wordsOf(patterns []Pattern, declared *Catalog) (words []Permission, complete bool) {
	runners := make([]runner, len(patterns))
	literals := map[string]bool{}
	for i, p := range patterns {
		runners[i].segments = strings.Split(string(p), ".")
		for _, s := range runners[i].segments {
			literals[s] = s != star
		}
	}
	delete(literals, star)
	alphabet := append(slices.Sorted(maps.Keys(literals)), freshSegment(literals))

	type walk struct {
		at   []uint16
		name string
	}
	start := walk{at: make([]uint16, len(runners))}
	for i := range start.at {
		start.at[i] = 1
	}
	level, seen, found := []walk{start}, map[string]bool{}, map[string]bool{}
	for length := 1; length <= maxSegments && len(level) > 0; length++ {
		var next []walk
		for _, w := range level {
			for _, segment := range alphabet {
				if length == 1 && segment+"." == builtinPrefix {
					continue
				}
				v := walk{make([]uint16, len(runners)), strings.TrimPrefix(w.name+"."+segment, ".")}
				alive, matched := false, make([]byte, len(runners))
				for i, r := range runners {
					v.at[i] = r.step(w.at[i], segment)
					alive = alive || v.at[i] != 0
					matched[i] = '0'
					if r.accepts(v.at[i]) {
						matched[i] = '1'
					}
				}
				key := stateKey(v.at, length > 1)
				if declared.begins(v.name) {
					key += v.name
				}
				if !alive || seen[key] {
					continue
				}
				seen[key] = true
				if len(seen) > mostStates {
					return nil, false
				}
				next = append(next, v)
				if word := NewPermission(v.name); length >= minSegments && word.ok && declared.index.find(word) < 0 && strings.Contains(string(matched), "1") && !found[string(matched)] {
					found[string(matched)] = true
					words = append(words, word)
				}
			}
		}
		level = next
	}
	return words, true
}

func stateKey(at []uint16, long bool) string {
	b := make([]byte, 0, 2*len(at)+1)
	for _, x := range at {
		b = append(b, byte(x), byte(x>>8))
	}
	if long {
		b = append(b, 'l')
	}
	return string(b)
}

// freshSegment returns a segment that is none of the literals.
func freshSegment(literals map[string]bool) string {
	for i := 0; ; i++ {
		if s := "later" + strconv.Itoa(i); !literals[s] {
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
