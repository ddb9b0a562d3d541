package rolecall

import (
	"encoding/json"
	"fmt"
)

// Changes, edits and entries of the history as JSON.

func (m *Meta) fields() []field {
	return []field{{"actor", &m.Actor, optional}, {"onBehalf", &m.OnBehalf, optional}, {"reason", &m.Reason, prose}, {"time", &m.Time, optional}}
}

func (m Meta) canonical() Meta {
	m.Time = utc(m.Time)
	return m
}

// UnmarshalJSON reads who, on whose behalf, why and when.
func (m *Meta) UnmarshalJSON(data []byte) error { return decodeInto(m, data, (*Meta).fields) }

func (a *Activation) fields() []field {
	return []field{
		{"subject", &a.Subject, required}, {"role", &a.Role, required}, {"scope", &a.Scope, required},
		{"until", &a.Until, required}, {"reason", &a.Reason, prose},
	}
}

// UnmarshalJSON reads an activation.
func (a *Activation) UnmarshalJSON(data []byte) error {
	return decodeInto(a, data, (*Activation).fields)
}

// MarshalJSON writes an activation, its end in UTC.
func (a Activation) MarshalJSON() ([]byte, error) {
	type plain Activation
	a.Until = utc(a.Until)
	return json.Marshal(plain(a))
}

// MarshalJSON writes an edit as an object of one member that names its kind.
func (e Edit) MarshalJSON() ([]byte, error) {
	switch e.Op {
	case OpPut:
		return marshalOne("put", StatementJSON{e.Statement})
	case OpRemove:
		return marshalOne("remove", StatementJSON{e.Statement})
	case OpForgetSubject:
		return marshalOne("forgetSubject", e.Subject)
	case OpForgetScope:
		return marshalOne("forgetScope", e.Scope)
	case OpActivate:
		return marshalOne("activate", e.Activation)
	}
	return nil, problem(ErrInvalid, "edit", "", "the zero edit does nothing")
}

// UnmarshalJSON reads an edit. Of a statement to remove, what is not in its key may be missing.
func (e *Edit) UnmarshalJSON(data []byte) error {
	name, raw, err := oneMember(data, "an edit", "put", "remove", "forgetSubject", "forgetScope", "activate")
	if err != nil {
		return err
	}
	var next Edit
	switch name {
	case "put":
		next.Op = OpPut
		next.Statement, err = decodeStatement(raw, false)
	case "remove":
		next.Op = OpRemove
		next.Statement, err = decodeStatement(raw, true)
	case "forgetSubject":
		next.Op = OpForgetSubject
		err = decodeElement(raw, &next.Subject)
	case "forgetScope":
		next.Op = OpForgetScope
		err = decodeElement(raw, &next.Scope)
	case "activate":
		next.Op = OpActivate
		err = decodeElement(raw, &next.Activation)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*e = next
	return nil
}

// MarshalJSON writes a change.
func (c Change) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Meta
		Narrow *narrowingForm `json:"narrow,omitempty"`
		Edits  []Edit         `json:"edits"`
	}{c.Meta.canonical(), c.Narrow.form(), orEmpty(c.Edits)})
}

// UnmarshalJSON reads a change.
func (c *Change) UnmarshalJSON(data []byte) error {
	return decodeInto(c, data, func(next *Change) []field {
		return append(next.Meta.fields(), field{"narrow", &next.Narrow, optional}, field{"edits", (*list[Edit])(&next.Edits), required})
	})
}

// MarshalJSON writes what was before and what is after; where a statement was added or removed, one of them only.
func (d Delta) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Before *StatementJSON `json:"before,omitempty"`
		After  *StatementJSON `json:"after,omitempty"`
	}{statementOrNone(d.Before), statementOrNone(d.After)})
}

// UnmarshalJSON reads a delta: before and after are of one key, and at least one of them is there.
func (d *Delta) UnmarshalJSON(data []byte) error {
	var before, after StatementJSON
	if err := decodeObject(data, field{"before", &before, optional}, field{"after", &after, optional}); err != nil {
		return err
	}
	next := Delta{before.Statement, after.Statement}
	switch {
	case next.Before == nil && next.After == nil:
		return problem(ErrInvalid, "", "", "a delta has a statement before, after or both")
	case next.Before != nil && next.After != nil && KeyOf(next.Before) != KeyOf(next.After):
		return problem(ErrInvalid, "", KeyOf(next.After).String(), "what is after a delta has the key of what was before, %q", KeyOf(next.Before))
	}
	*d = next
	return nil
}

func statementOrNone(s Statement) *StatementJSON {
	if s == nil {
		return nil
	}
	return &StatementJSON{s}
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// MarshalJSON writes an entry of the history.
func (e Entry) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Revision Revision `json:"revision"`
		Meta
		Deltas []Delta `json:"deltas"`
	}{e.Revision, e.Meta.canonical(), orEmpty(e.Deltas)})
}

// UnmarshalJSON reads an entry of the history.
func (e *Entry) UnmarshalJSON(data []byte) error {
	return decodeInto(e, data, func(next *Entry) []field {
		return append(next.Meta.fields(),
			field{"revision", &next.Revision, required}, field{"deltas", (*list[Delta])(&next.Deltas), required})
	})
}
