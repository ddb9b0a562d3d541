package rolecall

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"iter"
	"strings"
	"sync/atomic"
)

// A ScopeKind is a kind of scope, declared in the Catalog.
type ScopeKind string

// GlobalKind stands for the whole instance in a role's limits.
const GlobalKind ScopeKind = "/"

// A Scope is a place: the whole instance (Global), or a path of (kind, id) segments inside it. A scope contains itself
// and everything below it. Scopes are comparable values; two are equal where their paths are. The zero Scope is no
// place at all (it is not Global) and is refused everywhere.
//
// Building a scope costs one allocation a segment; checks on a built scope cost none. A builder given a bad id returns
// a Scope that carries the fault: Valid tells it, and every use refuses it.
type Scope struct {
	path  string               // the text form
	hash  [inlineHashes]uint32 // of the first prefixes, so that a check does not read the path again
	kinds uint64               // bits of the kinds on the path, see kindBit
	depth uint8                // number of segments; beyond maxScopeSegments the path holds a fault instead
}

const (
	inlineHashes  = 4
	depthFaulty   = 255
	depthBeyond   = 254 // a limit
	globalPath    = "/"
	unlistedKinds = 63 // the bit shared by kinds that came too late for one of their own
)

// Global returns the whole instance, which contains every scope.
func Global() Scope { return Scope{path: globalPath} }

// In returns the scope kind:id at the top of the instance, for example In("project", "alpha").
func In(kind ScopeKind, id string) Scope { return Global().In(kind, id) }

// In returns the scope kind:id inside s, for example project.In("shot", "010").
func (s Scope) In(kind ScopeKind, id string) Scope {
	switch {
	case s.path == "":
		return faulty(depthFaulty, "the zero scope is no place; start from Global() or In(kind, id)")
	case s.depth > maxScopeSegments:
		return s
	case s.depth == maxScopeSegments:
		return faulty(depthBeyond, fmt.Sprintf("a scope has at most %d segments", maxScopeSegments))
	}
	if p := checkName("scope kind", string(kind)); p != nil {
		depth := uint8(depthFaulty)
		if p.Code == ErrLimit {
			depth = depthBeyond
		}
		return faulty(depth, p.Detail+fmt.Sprintf(": %q", kind))
	}
	if err := checkID(id); err != nil {
		return faulty(depthFaulty, fmt.Sprintf("scope of kind %s: %v: %q", kind, err, id))
	}
	return s.child(string(kind)+":"+escapeID(id), string(kind))
}

// child appends one segment that is already in text form.
func (s Scope) child(segment, kind string) Scope {
	next := s
	next.path = strings.TrimSuffix(s.path, globalPath) + globalPath + segment
	if s.depth < inlineHashes {
		next.hash[s.depth] = mix(s.lastHash(), segment)
	}
	next.kinds |= 1 << kindBit(kind)
	next.depth++
	return next
}

func faulty(depth uint8, what string) Scope { return Scope{path: what, depth: depth} }

// mix chains the hash of a prefix with the next segment.
func mix(prefix uint32, segment string) uint32 {
	return fold((maphash.String(seed, segment) ^ uint64(prefix)) * 0x9E3779B97F4A7C15)
}

func (s *Scope) lastHash() uint32 { return s.hashAt(int(s.depth)) }

// hashAt returns the hash of the first n segments; Global's is 0.
func (s *Scope) hashAt(n int) uint32 {
	switch {
	case n == 0:
		return 0
	case n <= inlineHashes:
		return s.hash[n-1]
	}
	return s.prefixHash(n)
}

// prefixHash reads the path for the hash of more segments than have one inline.
func (s *Scope) prefixHash(n int) uint32 {
	h, i := s.hash[inlineHashes-1], 0
	for segment := range s.segments() {
		if i++; i > inlineHashes && i <= n {
			h = mix(h, segment)
		}
	}
	return h
}

// segments yields the escaped segments from the top.
func (s Scope) segments() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s.depth == 0 || s.depth > maxScopeSegments {
			return
		}
		for segment := range strings.SplitSeq(s.path[1:], globalPath) {
			if !yield(segment) {
				return
			}
		}
	}
}

// ParseScope reads the text form: /, or /kind:id/kind:id… with ids escaped.
func ParseScope(text string) (Scope, error) {
	if text == globalPath {
		return Global(), nil
	}
	if !strings.HasPrefix(text, globalPath) {
		return Scope{}, problem(ErrInvalid, "", text, "a scope is written / or /kind:id/kind:id")
	}
	s := Global()
	for segment := range strings.SplitSeq(text[1:], globalPath) {
		kind, escaped, found := strings.Cut(segment, ":")
		if !found {
			return Scope{}, problem(ErrInvalid, "", text, "each segment of a scope is written kind:id, not %q", segment)
		}
		id, err := unescapeID(escaped)
		if err != nil {
			return Scope{}, problem(ErrInvalid, "", text, "segment %q: %v", segment, err)
		}
		s = s.In(ScopeKind(kind), id)
		if err := s.Valid(); err != nil {
			p := *err.(*Problem)
			p.Word = text
			return Scope{}, &p
		}
	}
	return s, nil
}

// Valid returns nil, or a *Problem that says what is wrong: code limit for too many segments and for a kind that is too
// long, otherwise invalid.
func (s Scope) Valid() error {
	switch {
	case s.path == "":
		return problem(ErrInvalid, "", "", "the zero scope is no place (it is not Global)")
	case s.depth == depthBeyond:
		return problem(ErrLimit, "", "", "%s", s.path)
	case s.depth == depthFaulty:
		return problem(ErrInvalid, "", "", "%s", s.path)
	}
	return nil
}

func (s Scope) valid() bool { return s.path != "" && s.depth <= maxScopeSegments }

// IsGlobal says whether s is the whole instance.
func (s Scope) IsGlobal() bool { return s.valid() && s.depth == 0 }

// IsZero says whether s is the zero Scope.
func (s Scope) IsZero() bool { return s.path == "" }

// Depth returns the number of segments; Global has none.
func (s Scope) Depth() int {
	if !s.valid() {
		return 0
	}
	return int(s.depth)
}

// Kind returns the kind of the last segment, GlobalKind for Global.
func (s Scope) Kind() ScopeKind {
	kind, _ := s.last()
	return kind
}

// ID returns the id of the last segment, unescaped; Global has none.
func (s Scope) ID() string {
	_, id := s.last()
	return id
}

func (s Scope) last() (ScopeKind, string) {
	if !s.valid() {
		return "", ""
	}
	if s.depth == 0 {
		return GlobalKind, ""
	}
	return splitSegment(s.path[strings.LastIndexByte(s.path, '/')+1:])
}

func splitSegment(segment string) (ScopeKind, string) {
	kind, escaped, _ := strings.Cut(segment, ":")
	id, _ := decodePercents(escaped)
	return ScopeKind(kind), id
}

// Segments yields the kind and the unescaped id of each segment, from the top.
func (s Scope) Segments() iter.Seq2[ScopeKind, string] {
	return func(yield func(ScopeKind, string) bool) {
		for segment := range s.segments() {
			if !yield(splitSegment(segment)) {
				return
			}
		}
	}
}

// Parent returns the scope one segment up. Global has none: the result is false.
func (s Scope) Parent() (Scope, bool) {
	if !s.valid() || s.depth == 0 {
		return Scope{}, false
	}
	return s.prefix(int(s.depth) - 1), true
}

// prefix returns the scope of the first n segments.
func (s Scope) prefix(n int) Scope {
	p, i := Global(), 0
	for segment := range s.segments() {
		if i++; i > n {
			break
		}
		kind, _, _ := strings.Cut(segment, ":")
		p = p.child(segment, kind)
	}
	return p
}

// Contains says whether other is s or inside it.
func (s Scope) Contains(other Scope) bool {
	switch {
	case !s.valid() || !other.valid():
		return false
	case s.depth == 0:
		return true
	}
	return startsPath(s.path, other.path)
}

// startsPath says whether path is prefix or continues it at a segment border. prefix is not Global's.
func startsPath(prefix, path string) bool {
	if len(path) < len(prefix) || path[:len(prefix)] != prefix {
		return false
	}
	return len(path) == len(prefix) || path[len(prefix)] == '/'
}

// Ancestors yields s and the scopes above it, nearest first, Global last.
func (s Scope) Ancestors() iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		for at, ok := s, s.valid(); ok; at, ok = at.Parent() {
			if !yield(at) {
				return
			}
		}
	}
}

// String returns the text form.
func (s Scope) String() string {
	if !s.valid() {
		return "(no scope)"
	}
	return s.path
}

// Compare orders scopes by their text form, so that a scope comes before what is inside it.
func (s Scope) Compare(other Scope) int { return cmp.Compare(s.path, other.path) }

// MarshalText writes the text form; the zero Scope is written as an empty text.
func (s Scope) MarshalText() ([]byte, error) {
	if s.IsZero() {
		return nil, nil
	}
	if err := s.Valid(); err != nil {
		return nil, fmt.Errorf("marshal scope: %w", err)
	}
	return []byte(s.path), nil
}

// UnmarshalText reads the text form; an empty text is the zero Scope, which every use refuses.
func (s *Scope) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = Scope{}
		return nil
	}
	parsed, err := ParseScope(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// kindBits numbers the scope kinds of this process in the order in which they are first seen. It only grows, and only
// to 63 entries; it lets a check see with one operation that a scope names declared kinds only.
var kindBits atomic.Pointer[map[string]uint8]

func kindBit(kind string) uint8 {
	for {
		known := kindBits.Load()
		if known != nil {
			if bit, ok := (*known)[kind]; ok {
				return bit
			}
			if len(*known) >= unlistedKinds {
				return unlistedKinds
			}
		}
		grown := map[string]uint8{}
		if known != nil {
			for k, b := range *known {
				grown[k] = b
			}
		}
		grown[strings.Clone(kind)] = uint8(len(grown))
		if kindBits.CompareAndSwap(known, &grown) {
			return grown[kind]
		}
	}
}
