package rolecall

import (
	"cmp"
	"fmt"
	"strings"
)

// A Permission is one action on one kind of thing, for example task.status.update: two to eight dotted lower-case
// segments. Hosts declare theirs in a Catalog, once, as Go values:
//
//	var TaskUpdate = rolecall.NewPermission("task.update")
//
// Permissions are comparable values. The zero Permission is refused everywhere.
type Permission struct {
	name string
	hash uint64 // never zero where the name is valid
}

// NewPermission returns the permission of that name. Given a malformed name it returns a Permission that carries the
// fault: Valid tells it, and every use refuses it.
func NewPermission(name string) Permission {
	if checkPermission(name) != nil {
		return Permission{name: name}
	}
	return Permission{name: name, hash: hash64(0, name)}
}

// ParsePermission reads a permission's name.
func ParsePermission(text string) (Permission, error) {
	if p := checkPermission(text); p != nil {
		return Permission{}, p
	}
	return NewPermission(text), nil
}

func checkPermission(name string) *Problem {
	if len(name) > maxNameBytes {
		return problem(ErrLimit, "", name, "a permission has at most %d bytes, this one has %d", maxNameBytes, len(name))
	}
	n := 0
	for segment := range strings.SplitSeq(name, ".") {
		n++
		if !isSegment(segment) {
			return problem(ErrInvalid, "", name, "a permission is two to eight dotted segments of a-z, 0-9, '_' and '-', each starting with a letter or digit")
		}
	}
	if n < minSegments || n > maxSegments {
		return problem(ErrInvalid, "", name, "a permission has two to eight dotted segments, this one has %d", n)
	}
	return nil
}

func isSegment(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case i > 0 && (c == '_' || c == '-'):
		default:
			return false
		}
	}
	return s != ""
}

// Valid returns nil, or a *Problem that says what is wrong with the name.
func (p Permission) Valid() error {
	if p.ok() {
		return nil
	}
	if p.name == "" {
		return problem(ErrInvalid, "", "", "the zero permission is no permission")
	}
	return checkPermission(p.name)
}

func (p *Permission) ok() bool { return p.hash != 0 }

// String returns the name.
func (p Permission) String() string {
	if p.name == "" {
		return "(no permission)"
	}
	return p.name
}

// IsZero says whether p is the zero Permission.
func (p Permission) IsZero() bool { return p == Permission{} }

// Compare orders permissions by name.
func (p Permission) Compare(other Permission) int { return cmp.Compare(p.name, other.name) }

// IsBuiltin says whether p is one of the rolecall.* permissions of administration, which every catalog has and which
// privacy does not stop.
func (p Permission) IsBuiltin() bool { return strings.HasPrefix(p.name, builtinPrefix) }

// MarshalText writes the name; the zero Permission is written as an empty text.
func (p Permission) MarshalText() ([]byte, error) {
	if p.IsZero() {
		return nil, nil
	}
	if err := p.Valid(); err != nil {
		return nil, fmt.Errorf("marshal permission: %w", err)
	}
	return []byte(p.name), nil
}

// UnmarshalText reads the name; an empty text is the zero Permission, which every use refuses.
func (p *Permission) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Permission{}
		return nil
	}
	parsed, err := ParsePermission(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}

// A Pattern is what a rule, an override or a narrowing lists: a declared permission, or a name in which * stands for
// one or more whole segments: *, task.*, *.view, task.*.update.
type Pattern string

const star = "*"

// Valid returns nil, or a *Problem that says what is wrong with the pattern.
func (p Pattern) Valid() error {
	if !p.HasStar() {
		if fault := checkPermission(string(p)); fault != nil {
			return fault
		}
		return nil
	}
	if len(p) > maxNameBytes {
		return problem(ErrLimit, "", string(p), "a pattern has at most %d bytes, this one has %d", maxNameBytes, len(p))
	}
	n := 0
	for segment := range strings.SplitSeq(string(p), ".") {
		n++
		if segment != star && !isSegment(segment) {
			return problem(ErrInvalid, "", string(p), "a pattern is dotted segments, each either * or of a-z, 0-9, '_' and '-'")
		}
	}
	if n > maxSegments {
		return problem(ErrInvalid, "", string(p), "a pattern has at most %d segments, this one has %d", maxSegments, n)
	}
	return nil
}

// HasStar says whether the pattern has a wildcard, so that it also covers permissions declared later.
func (p Pattern) HasStar() bool { return strings.Contains(string(p), star) }

// Matches says whether the pattern covers permission, as it does everywhere but in an Allow.
func (p Pattern) Matches(permission Permission) bool {
	if !p.HasStar() {
		return string(p) == permission.name
	}
	return matchSegments(string(p), permission.name)
}

// AllowMatches says whether an Allow that lists the pattern covers permission: there a * never includes the rolecall.*
// permissions unless that prefix is spelled, and rolecall.escalate and rolecall.constraint.update only when spelled in
// full, so that nobody hands out administration by accident.
func (p Pattern) AllowMatches(permission Permission) bool {
	if p.HasStar() && permission.IsBuiltin() {
		if permission == Escalate || permission == ConstraintUpdate || !strings.HasPrefix(string(p), builtinPrefix) {
			return false
		}
	}
	return p.Matches(permission)
}

// matches is AllowMatches for an Allow and Matches for everything else.
func (p Pattern) matches(effect Effect, permission Permission) bool {
	if effect == Allow {
		return p.AllowMatches(permission)
	}
	return p.Matches(permission)
}

// matchSegments matches dotted segments; a star takes one or more of them.
func matchSegments(pattern, name string) bool {
	head, rest, more := strings.Cut(pattern, ".")
	first, tail, nameMore := strings.Cut(name, ".")
	if head != star {
		if head != first {
			return false
		}
		if !more || !nameMore {
			return more == nameMore
		}
		return matchSegments(rest, tail)
	}
	if !more {
		return true
	}
	for nameMore {
		if matchSegments(rest, tail) {
			return true
		}
		_, tail, nameMore = strings.Cut(tail, ".")
	}
	return false
}
