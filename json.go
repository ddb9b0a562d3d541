package rolecall

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The JSON form, for machines. Subjects, scopes, permissions, patterns and effects are their texts; instants are RFC
// 3339; what is empty or false is left out. Statements and edits are objects of one member, named by what they are:
//
//	{"role": {"name": "artist", "inherits": ["viewer"], "rules": [{"effect": "allow", "patterns": ["task.*"], "when": "assigned"}]}}
//	{"member": {"member": "user:ada", "group": "group:animation", "until": "2026-07-01T00:00:00Z"}}
//	{"grant": {"subject": "group:animation", "role": "artist", "scope": "/project:alpha", "replace": true}}
//	{"override": {"subject": "user:ada", "effect": "deny", "pattern": "task.delete", "scope": "/"}}
//	{"suspend": {"subject": "user:bob"}}
//	{"private": {"scope": "/project:secret"}}
//	{"constraint": {"name": "pay", "kind": "static", "limit": 2, "roles": ["accountant", "approver"]}}
//
//	{"put": STATEMENT}  {"remove": STATEMENT}  {"forgetSubject": "user:ada"}  {"forgetScope": "/project:alpha"}
//	{"activate": {"subject": "user:ada", "role": "lead", "scope": "/", "until": "2026-07-01T00:00:00Z", "reason": "…"}}
//
// A change is {"actor", "onBehalf", "reason", "time", "edits"}, an entry of the history {"revision", "actor",
// "onBehalf", "reason", "time", "deltas"} with deltas {"before": STATEMENT, "after": STATEMENT}, a whole policy
// {"declarations", "revision", "statements"}.
//
// Reading is strict, because a member that is overlooked may be a deny: unknown, repeated, missing and null members,
// names in another case, unknown words, text that is not Unicode and trailing data are errors that name the place, and
// then nothing is changed. Whether names are declared is judged where a value is used.

// A field is a member of a JSON object.
type field struct {
	name string
	into any
	must presence
}

type presence uint8

const (
	optional = presence(iota) // if there, then not empty
	required
	prose // optional words for people, which may be empty
)

// decodeObject reads an object into the fields, exactly.
func decodeObject(data []byte, fields ...field) error {
	given, err := members(data)
	if err != nil {
		return err
	}
	var problems []error
	for _, f := range fields {
		raw, ok := given[f.name]
		delete(given, f.name)
		switch {
		case ok:
			err = decodeMember(raw, f)
		case f.must == required:
			err = problem(ErrInvalid, "", f.name, "this member is missing")
		default:
			err = nil
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		problems = append(problems, problem(ErrInvalid, "", name, "no such member%s", didYouMean(name, fieldNames(fields))))
	}
	return errors.Join(problems...)
}

func decodeMember(raw json.RawMessage, f field) error {
	switch {
	case string(raw) == "null":
		return fmt.Errorf("%s: %w", f.name, problem(ErrInvalid, "", "null", "leave a member out instead"))
	case f.must != prose && string(raw) == `""`:
		return fmt.Errorf("%s: %w", f.name, problem(ErrInvalid, "", "", "this member must not be empty"))
	}
	if err := decodeValue(raw, f.into); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

// decodeValue is json.Unmarshal with errors that are problems, and without the zero instant, which means an open end
// to a Window and no time to a Meta.
func decodeValue(raw json.RawMessage, into any) error {
	err := json.Unmarshal(raw, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return problem(ErrInvalid, "", wrong.Value, "not of the form that is expected here")
	}
	if err != nil {
		return asProblem(err)
	}
	if t, ok := into.(*time.Time); ok {
		if t.IsZero() {
			return problem(ErrInvalid, "", string(raw), "this instant cannot be told from none; leave the member out")
		}
		*t = t.Round(0).UTC()
		if y := t.Year(); y < 0 || y > 9999 {
			return problem(ErrInvalid, "", string(raw), "an instant is in the years 0 to 9999, in UTC")
		}
	}
	return nil
}

// asProblem makes an error that has no code ErrInvalid.
func asProblem(err error) error {
	if ProblemsOf(err) != nil {
		return err
	}
	return problem(ErrInvalid, "", "", "%v", err)
}

// members returns the members of the one object that data holds.
func members(data []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, notOf("an object", err)
	}
	given := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, notOf("an object", err)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, notOf("an object", err)
		}
		if _, twice := given[name.(string)]; twice {
			return nil, problem(ErrInvalid, "", name.(string), "this member is there twice")
		}
		given[name.(string)] = raw
	}
	if _, err := d.Token(); err != nil {
		return nil, notOf("an object", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, problem(ErrInvalid, "", "", "something follows the end of the object")
	}
	return given, checkUnicode(data)
}

func notOf(what string, err error) error {
	switch {
	case err == nil:
		return problem(ErrInvalid, "", "", "%s is expected here", what)
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return problem(ErrInvalid, "", "", "%s is expected here, and the text ends", what)
	}
	return problem(ErrInvalid, "", "", "%s is expected here: %v", what, err)
}

// checkUnicode refuses what encoding/json would silently replace by U+FFFD: two ids that differ must not become one.
func checkUnicode(data []byte) error {
	if !utf8.Valid(data) {
		return problem(ErrInvalid, "", "", "the text is not valid UTF-8")
	}
	for rest := data; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 || i+1 >= len(rest) {
			return nil
		}
		escape := rest[i:]
		width := 2
		if escape[1] == 'u' {
			width = 6
			switch low := surrogate(escape); {
			case low == 'l', low == 'h' && (len(escape) < 12 || surrogate(escape[6:]) != 'l'):
				return problem(ErrInvalid, "", string(escape[:6]), "half of a surrogate pair is not a character")
			case low == 'h':
				width = 12
			}
		}
		rest = escape[min(width, len(escape)):]
	}
}

// surrogate says whether text starts with the escape of a high ('h') or low ('l') half of a surrogate pair.
func surrogate(text []byte) byte {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' || text[2]|0x20 != 'd' {
		return 0
	}
	switch c := text[3] | 0x20; {
	case c == '8' || c == '9' || c == 'a' || c == 'b':
		return 'h'
	case 'c' <= c && c <= 'f':
		return 'l'
	}
	return 0
}

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// A list reads an array, with the number of the element in errors.
type list[T any] []T

// UnmarshalJSON reads an array without null elements.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	var raws []json.RawMessage
	if err := json.Unmarshal(data, &raws); err != nil {
		return problem(ErrInvalid, "", "", "a list is expected here")
	}
	out := make([]T, len(raws))
	var problems []error
	for i, raw := range raws {
		err := decodeElement(raw, &out[i])
		if err != nil {
			problems = append(problems, fmt.Errorf("[%d]: %w", i, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	*l = out
	return nil
}

func decodeElement(raw json.RawMessage, into any) error {
	if string(raw) == "null" || string(raw) == `""` {
		return problem(ErrInvalid, "", string(raw), "an element must not be empty")
	}
	return decodeValue(raw, into)
}

// oneMember returns the name and the value of an object of exactly one member.
func oneMember(data []byte, what string, names ...string) (string, json.RawMessage, error) {
	given, err := members(data)
	if err != nil {
		return "", nil, err
	}
	for name, raw := range given {
		switch {
		case len(given) > 1:
			return "", nil, problem(ErrInvalid, "", "", "%s is an object of one member, this one has %d", what, len(given))
		case !slices.Contains(names, name):
			return "", nil, problem(ErrInvalid, "", name, "%s is one of %s%s", what, strings.Join(names, ", "), didYouMean(name, names))
		case string(raw) == "null":
			return "", nil, fmt.Errorf("%s: %w", name, problem(ErrInvalid, "", "null", "a value is expected here"))
		}
		return name, raw, nil
	}
	return "", nil, problem(ErrInvalid, "", "", "%s is one of %s; this object is empty", what, strings.Join(names, ", "))
}

func marshalOne(name string, value any) ([]byte, error) {
	return json.Marshal(map[string]any{name: value})
}
