package rolecall

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall/internal/strictjson"
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
		if *t = utc(*t); !writable(*t) {
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
	given, err := strictjson.Members(data)
	if fault, ok := errors.AsType[*strictjson.Fault](err); ok {
		return nil, problem(ErrInvalid, "", fault.Word, "%s", fault.Detail)
	}
	return given, err
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
