package sqlstore

import (
	"bytes"
	"unicode/utf8"

	"github.com/rolecall-go/rolecall"
)

// A reader reads statements. Nearly all of a large policy is grants and memberships that say no more than who, what and
// where; it reads their one spelling without going through JSON in general, which takes ten times as long, and
// remembers the subjects, places and roles that it has just met. The zero reader remembers nothing.
type reader struct {
	subjects memo[rolecall.Subject]
	scopes   memo[rolecall.Scope]
	roles    memo[rolecall.RoleName]
}

func newReader() reader {
	return reader{newMemo[rolecall.Subject](1 << 8), newMemo[rolecall.Scope](1 << 16), newMemo[rolecall.RoleName](1 << 8)}
}

// statement reads a statement, nil where there is none.
func (r reader) statement(body []byte) (rolecall.Statement, error) {
	if body == nil {
		return nil, nil
	}
	if st := r.plain(body); st != nil {
		return st, nil
	}
	return rolecall.UnmarshalStatement(body)
}

var (
	plainGrant  = marks(`{"grant":{"subject":"`, `","role":"`, `","scope":"`, `"}}`)
	plainMember = marks(`{"member":{"member":"`, `","group":"`, `"}}`)
)

func marks(texts ...string) [][]byte {
	var list [][]byte
	for _, t := range texts {
		list = append(list, []byte(t))
	}
	return list
}

// plain reads a statement in one of these spellings, and returns nil for every other one and where anything is unusual.
func (r reader) plain(body []byte) rolecall.Statement {
	var v [3][]byte
	if between(body, plainGrant, v[:]) {
		subject, ok := r.subjects.read(v[0], rolecall.ParseSubject)
		role, named := r.roles.read(v[1], func(text string) (rolecall.RoleName, error) { return rolecall.RoleName(text), nil })
		scope, placed := r.scopes.read(v[2], rolecall.ParseScope)
		if ok && named && placed {
			return rolecall.Grant{Subject: subject, Role: role, Scope: scope}
		}
	}
	if between(body, plainMember, v[:]) {
		member, ok := r.subjects.read(v[0], rolecall.ParseSubject)
		group, grouped := r.subjects.read(v[1], rolecall.ParseSubject)
		if ok && grouped {
			return rolecall.Membership{Member: member, Group: group}
		}
	}
	return nil
}

// between puts into values what is between the marks, which are all of body otherwise. Values are not empty.
func between(body []byte, marks, values [][]byte) bool {
	rest, found := bytes.CutPrefix(body, marks[0])
	for i, mark := range marks[1:] {
		end := bytes.IndexByte(rest, '"')
		if !found || end <= 0 {
			return false
		}
		values[i] = rest[:end]
		rest, found = bytes.CutPrefix(rest[end:], mark)
	}
	return found && len(rest) == 0
}

// literal says that a text in quotes stands for itself in JSON.
func literal(text []byte) bool {
	return utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\\' })
}

// A memo remembers what texts were read as, up to some number of them; then it forgets all. What is said of one subject
// tends to lie together or nowhere near, so that a few suffice; places come again and again. The zero memo remembers
// nothing.
type memo[T any] struct {
	known map[string]T
	most  int
}

func newMemo[T any](most int) memo[T] { return memo[T]{map[string]T{}, most} }

// read returns what text is read as; false where it cannot be, or does not stand for itself in JSON.
func (m memo[T]) read(text []byte, parse func(string) (T, error)) (T, bool) {
	if value, known := m.known[string(text)]; known {
		return value, true
	}
	own := string(text)
	value, err := parse(own)
	if err != nil || !literal(text) {
		return value, false
	}
	if m.most > 0 {
		if len(m.known) == m.most {
			clear(m.known)
		}
		m.known[own] = value
	}
	return value, true
}
