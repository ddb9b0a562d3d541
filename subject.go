package rolecall

import (
	"cmp"
	"fmt"
	"strings"
)

// A SubjectKind is a kind of subject. A host may declare more in its Catalog; only a group has members.
type SubjectKind string

// The kinds every catalog knows.
const (
	KindUser    SubjectKind = "user"
	KindService SubjectKind = "service"
	KindGuest   SubjectKind = "guest"
	KindGroup   SubjectKind = "group"
)

const everyoneText = "everyone"

// A Subject is somebody who acts, or a group of them: a kind and an id. Subjects are comparable values; two are equal
// where kind and id are, byte for byte. The zero Subject is nobody and is refused everywhere.
//
// A constructor given a bad id returns a Subject that carries the fault: Valid tells it, and every use refuses it.
type Subject struct {
	kind SubjectKind
	id   string
	hash uint64 // of both, never zero where they are valid
}

// User returns the subject user:id.
func User(id string) Subject { return NewSubject(KindUser, id) }

// Service returns the subject service:id.
func Service(id string) Subject { return NewSubject(KindService, id) }

// Guest returns the subject guest:id.
func Guest(id string) Subject { return NewSubject(KindGuest, id) }

// Group returns the subject group:id.
func Group(id string) Subject { return NewSubject(KindGroup, id) }

// Everyone returns the built-in group of every subject, named or not. It joins nothing, is joined by nobody and is
// never suspended, and every other holder is nearer.
func Everyone() Subject { return Subject{id: everyoneText, hash: hash64(0, everyoneText)} }

// NewSubject returns the subject of that kind and id. Whether the kind is declared is the catalog's to say.
func NewSubject(kind SubjectKind, id string) Subject {
	s := Subject{kind: kind, id: id}
	if s.fault() != nil {
		return s
	}
	s.hash = hash64(hash64(0, string(kind)), id)
	return s
}

// ParseSubject reads the text form: everyone, or kind:id with the id escaped.
func ParseSubject(text string) (Subject, error) {
	if text == everyoneText {
		return Everyone(), nil
	}
	kind, escaped, found := strings.Cut(text, ":")
	if !found {
		return Subject{}, problem(ErrInvalid, "", text, "a subject is written kind:id, or everyone")
	}
	id, err := unescapeID(escaped)
	if err != nil {
		return Subject{}, problem(ErrInvalid, "", text, "%v", err)
	}
	s := NewSubject(SubjectKind(kind), id)
	if err := s.Valid(); err != nil {
		return Subject{}, err
	}
	return s, nil
}

// Kind returns the subject's kind. Everyone is of kind group.
func (s Subject) Kind() SubjectKind {
	if s.isEveryone() {
		return KindGroup
	}
	return s.kind
}

// ID returns the id, unescaped.
func (s Subject) ID() string { return s.id }

// IsGroup says whether the subject is a group, Everyone included.
func (s Subject) IsGroup() bool { return s.Kind() == KindGroup }

// IsZero says whether s is the zero Subject.
func (s Subject) IsZero() bool { return s == Subject{} }

func (s Subject) isEveryone() bool { return s.ok() && s.kind == "" }

func (s *Subject) ok() bool { return s.hash != 0 }

// Valid returns nil, or a *Problem that says what is wrong with the kind or the id.
func (s Subject) Valid() error {
	if s.ok() {
		return nil
	}
	return s.fault()
}

func (s Subject) fault() error {
	if s.IsZero() {
		return problem(ErrInvalid, "", "", "the zero subject is nobody")
	}
	if p := checkName("subject kind", string(s.kind)); p != nil {
		return p
	}
	if err := checkID(s.id); err != nil {
		return problem(ErrInvalid, "", s.id, "subject of kind %s: %v", s.kind, err)
	}
	return nil
}

// String returns the text form.
func (s Subject) String() string {
	switch {
	case s.isEveryone():
		return everyoneText
	case s.IsZero():
		return "(no subject)"
	}
	return string(s.kind) + ":" + escapeID(s.id)
}

// Compare orders subjects by kind, then id; Everyone comes last.
func (s Subject) Compare(other Subject) int {
	if a, b := s.isEveryone(), other.isEveryone(); a != b {
		if a {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(s.kind, other.kind), cmp.Compare(s.id, other.id))
}

// MarshalText writes the text form; the zero Subject is written as an empty text.
func (s Subject) MarshalText() ([]byte, error) {
	if s.IsZero() {
		return nil, nil
	}
	if err := s.Valid(); err != nil {
		return nil, fmt.Errorf("marshal subject: %w", err)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the text form; an empty text is the zero Subject, which every use refuses.
func (s *Subject) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = Subject{}
		return nil
	}
	parsed, err := ParseSubject(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
