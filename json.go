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

// Statements

var statementNames = [...]string{
	kindRole: "role", kindMembership: "member", kindGrant: "grant", kindOverride: "override",
	kindSuspension: "suspend", kindPrivate: "private", kindConstraint: "constraint",
}

// MarshalStatement writes a statement in one spelling: two statements that are Equal are written alike.
func MarshalStatement(s Statement) ([]byte, error) {
	if s == nil {
		return nil, fmt.Errorf("marshal statement: %w", problem(ErrInvalid, "", "", "there is no statement"))
	}
	return marshalOne(statementNames[s.statement()], Canonical(s))
}

// UnmarshalStatement reads what MarshalStatement writes.
func UnmarshalStatement(data []byte) (Statement, error) { return decodeStatement(data, false) }

// decodeStatement reads a statement, of which byKey leaves out what is not in its key.
func decodeStatement(data []byte, byKey bool) (Statement, error) {
	name, raw, err := oneMember(data, "a statement", statementNames[:]...)
	if err != nil {
		return nil, err
	}
	s, err := decodeContent(statementKind(slices.Index(statementNames[:], name)), raw, byKey)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return Canonical(s), nil
}

func decodeContent(kind statementKind, raw []byte, byKey bool) (Statement, error) {
	beyondKey := required
	if byKey {
		beyondKey = optional
	}
	switch kind {
	case kindRole:
		var r Role
		err := decodeObject(raw, r.fields()...)
		return r, err
	case kindMembership:
		var m Membership
		err := decodeObject(raw, m.fields()...)
		return m, err
	case kindGrant:
		var g Grant
		err := decodeObject(raw, g.fields()...)
		return g, err
	case kindOverride:
		var o Override
		err := decodeObject(raw, o.fields(beyondKey)...)
		return o, err
	case kindSuspension:
		var s Suspension
		err := decodeObject(raw, s.fields()...)
		return s, err
	case kindPrivate:
		var p PrivateScope
		err := decodeObject(raw, p.fields()...)
		return p, err
	default:
		var c Constraint
		err := decodeObject(raw, c.fields(beyondKey)...)
		return c, err
	}
}

// StatementJSON is a Statement in a struct or a list that is written as JSON.
type StatementJSON struct{ Statement Statement }

// MarshalJSON writes the statement as MarshalStatement does.
func (s StatementJSON) MarshalJSON() ([]byte, error) { return MarshalStatement(s.Statement) }

// UnmarshalJSON reads a statement as UnmarshalStatement does.
func (s *StatementJSON) UnmarshalJSON(data []byte) error {
	parsed, err := UnmarshalStatement(data)
	if err != nil {
		return err
	}
	s.Statement = parsed
	return nil
}

func (w *Window) fields() []field {
	return []field{{"from", &w.NotBefore, optional}, {"until", &w.NotAfter, optional}}
}

func (r *Rule) fields() []field {
	return []field{{"effect", &r.Effect, required}, {"patterns", (*list[Pattern])(&r.Patterns), required}, {"when", &r.When, optional}}
}

func (r *Role) fields() []field {
	return []field{
		{"name", &r.Name, required}, {"title", &r.Title, prose}, {"description", &r.Description, prose},
		{"inherits", (*list[RoleName])(&r.Inherits), optional}, {"rules", (*list[Rule])(&r.Rules), optional},
		{"holders", (*list[SubjectKind])(&r.Holders), optional}, {"scopes", (*list[ScopeKind])(&r.Scopes), optional},
	}
}

func (m *Membership) fields() []field {
	return append(m.Window.fields(), field{"member", &m.Member, required}, field{"group", &m.Group, required})
}

func (g *Grant) fields() []field {
	return append(g.Window.fields(),
		field{"subject", &g.Subject, required}, field{"role", &g.Role, required}, field{"scope", &g.Scope, required},
		field{"when", &g.When, optional}, field{"replace", &g.Replace, optional}, field{"pierce", &g.Pierce, optional},
		field{"eligible", &g.Eligible, optional})
}

func (o *Override) fields(beyondKey presence) []field {
	return append(o.Window.fields(),
		field{"subject", &o.Subject, required}, field{"effect", &o.Effect, beyondKey}, field{"pattern", &o.Pattern, required},
		field{"scope", &o.Scope, required}, field{"when", &o.When, optional})
}

func (s *Suspension) fields() []field { return []field{{"subject", &s.Subject, required}} }

func (p *PrivateScope) fields() []field { return []field{{"scope", &p.Scope, required}} }

func (c *Constraint) fields(beyondKey presence) []field {
	return []field{
		{"name", &c.Name, required}, {"kind", &c.Kind, beyondKey}, {"limit", &c.Limit, beyondKey},
		{"roles", (*list[RoleName])(&c.Roles), beyondKey},
	}
}

// UnmarshalText reads static or dynamic.
func (k *ConstraintKind) UnmarshalText(text []byte) error {
	switch kind := ConstraintKind(text); kind {
	case Static, Dynamic:
		*k = kind
		return nil
	}
	return problem(ErrInvalid, "", string(text), "a constraint is static or dynamic")
}

// decodeInto reads data into v by the fields of next, which is v's where all went well.
func decodeInto[T any](v *T, data []byte, fields func(next *T) []field) error {
	var next T
	if err := decodeObject(data, fields(&next)...); err != nil {
		return err
	}
	*v = next
	return nil
}

// UnmarshalJSON reads a rule.
func (r *Rule) UnmarshalJSON(data []byte) error { return decodeInto(r, data, (*Rule).fields) }

// UnmarshalJSON reads a role.
func (r *Role) UnmarshalJSON(data []byte) error { return decodeInto(r, data, (*Role).fields) }

// UnmarshalJSON reads a membership.
func (m *Membership) UnmarshalJSON(data []byte) error {
	return decodeInto(m, data, (*Membership).fields)
}

// MarshalJSON writes a membership, its window in UTC.
func (m Membership) MarshalJSON() ([]byte, error) {
	type plain Membership
	m.Window = m.Window.canonical()
	return json.Marshal(plain(m))
}

// UnmarshalJSON reads a grant.
func (g *Grant) UnmarshalJSON(data []byte) error { return decodeInto(g, data, (*Grant).fields) }

// MarshalJSON writes a grant, its window in UTC.
func (g Grant) MarshalJSON() ([]byte, error) {
	type plain Grant
	g.Window = g.Window.canonical()
	return json.Marshal(plain(g))
}

// UnmarshalJSON reads an override.
func (o *Override) UnmarshalJSON(data []byte) error {
	return decodeInto(o, data, func(next *Override) []field { return next.fields(required) })
}

// MarshalJSON writes an override, its window in UTC. A zero effect, as in the key of a removal, is left out.
func (o Override) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Subject Subject   `json:"subject"`
		Effect  Effect    `json:"effect,omitzero"`
		Pattern Pattern   `json:"pattern"`
		Scope   Scope     `json:"scope"`
		When    Condition `json:"when,omitempty"`
		Window
	}{o.Subject, o.Effect, o.Pattern, o.Scope, o.When, o.Window.canonical()})
}

// UnmarshalJSON reads a suspension.
func (s *Suspension) UnmarshalJSON(data []byte) error {
	return decodeInto(s, data, (*Suspension).fields)
}

// UnmarshalJSON reads a private scope.
func (p *PrivateScope) UnmarshalJSON(data []byte) error {
	return decodeInto(p, data, (*PrivateScope).fields)
}

// UnmarshalJSON reads a constraint.
func (c *Constraint) UnmarshalJSON(data []byte) error {
	return decodeInto(c, data, func(next *Constraint) []field { return next.fields(required) })
}

// MarshalJSON writes a constraint. What is zero beside the name, as in the key of a removal, is left out.
func (c Constraint) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name  string         `json:"name"`
		Kind  ConstraintKind `json:"kind,omitempty"`
		Limit int            `json:"limit,omitzero"`
		Roles []RoleName     `json:"roles,omitempty"`
	}{c.Name, c.Kind, c.Limit, c.Roles})
}

// Changes and history

func (m *Meta) fields() []field {
	return []field{{"actor", &m.Actor, optional}, {"onBehalf", &m.OnBehalf, optional}, {"reason", &m.Reason, prose}, {"time", &m.Time, optional}}
}

func (m Meta) canonical() Meta {
	m.Time = Window{NotBefore: m.Time}.canonical().NotBefore
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
	a.Until = Window{NotAfter: a.Until}.canonical().NotAfter
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
		Edits []Edit `json:"edits"`
	}{c.Meta.canonical(), orEmpty(c.Edits)})
}

// UnmarshalJSON reads a change.
func (c *Change) UnmarshalJSON(data []byte) error {
	return decodeInto(c, data, func(next *Change) []field {
		return append(next.Meta.fields(), field{"edits", (*list[Edit])(&next.Edits), required})
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

// Requests and decisions

type requestForm struct {
	Subject    Subject        `json:"subject"`
	Permission Permission     `json:"permission"`
	Scope      Scope          `json:"scope"`
	Now        time.Time      `json:"now,omitzero"`
	Facts      Given          `json:"facts,omitempty"`
	Groups     []Subject      `json:"groups,omitempty"`
	Actor      Subject        `json:"actor,omitzero"`
	Narrow     *narrowingForm `json:"narrow,omitempty"`
}

type narrowingForm struct {
	Roles    *[]RoleName `json:"roles,omitempty"`
	Patterns *[]Pattern  `json:"patterns,omitempty"`
	And      [][]Pattern `json:"andPatterns,omitempty"`
}

func formOf(r Request) requestForm {
	f := requestForm{
		Subject: r.Subject, Permission: r.Permission, Scope: r.Scope, Groups: r.Groups, Actor: r.Actor,
		Now: Window{NotBefore: r.Now}.canonical().NotBefore,
	}
	f.Facts, _ = r.Facts.(Given)
	if !r.Narrow.IsZero() {
		f.Narrow = &narrowingForm{}
	}
	if r.Narrow.byRole {
		roles := orEmpty(r.Narrow.roles)
		f.Narrow.Roles = &roles
	}
	if r.Narrow.byPattern {
		patterns := orEmpty(r.Narrow.patterns[0])
		f.Narrow.Patterns = &patterns
		for _, more := range r.Narrow.patterns[1:] {
			f.Narrow.And = append(f.Narrow.And, orEmpty(more))
		}
	}
	return f
}

// MarshalJSON writes a request: {"subject", "permission", "scope", "now", "facts", "groups", "actor", "narrow"} with
// narrow {"roles", "patterns", "andPatterns"}. Facts are names of conditions that hold; Facts other than Given cannot be written, and
// leaving them out would say that no condition holds, so that is an error.
func (r Request) MarshalJSON() ([]byte, error) {
	if _, names := r.Facts.(Given); r.Facts != nil && !names {
		return nil, problem(ErrInvalid, "request", fmt.Sprintf("%T", r.Facts), "only facts that are Given can be written")
	}
	return json.Marshal(formOf(r))
}

// UnmarshalJSON reads a request.
func (r *Request) UnmarshalJSON(data []byte) error {
	var given Given
	var narrow Narrowing
	var next Request
	err := decodeObject(data,
		field{"subject", &next.Subject, required}, field{"permission", &next.Permission, required},
		field{"scope", &next.Scope, required}, field{"now", &next.Now, optional},
		field{"facts", (*list[Condition])(&given), optional}, field{"groups", (*list[Subject])(&next.Groups), optional},
		field{"actor", &next.Actor, optional}, field{"narrow", &narrow, optional})
	if err != nil {
		return err
	}
	if given != nil {
		next.Facts = given
	}
	next.Narrow = narrow
	*r = next
	return nil
}

// UnmarshalJSON reads a narrowing. An empty list takes everything away; without any list there is none.
func (n *Narrowing) UnmarshalJSON(data []byte) error {
	var roles list[RoleName]
	var patterns list[Pattern]
	var more list[list[Pattern]]
	if err := decodeObject(data, field{"roles", &roles, optional}, field{"patterns", &patterns, optional}, field{"andPatterns", &more, optional}); err != nil {
		return err
	}
	if roles == nil && patterns == nil || patterns == nil && more != nil {
		return problem(ErrInvalid, "", "", "a narrowing lists roles, patterns or both")
	}
	*n = Narrowing{}
	if roles != nil {
		*n = ToRoles(roles...)
	}
	if patterns != nil {
		*n = n.AndPatterns(patterns...)
	}
	for _, list := range more {
		*n = n.AndPatterns(list...)
	}
	return nil
}

// MarshalJSON writes a finding: {"statement", "holder", "path", "role", "rule", "effect", "fate", "by", "cause",
// "where"}. Findings are written only: the cause is a text.
func (f Finding) MarshalJSON() ([]byte, error) {
	cause := ""
	if f.Cause != nil {
		cause = f.Cause.Error()
	}
	return json.Marshal(struct {
		Statement *StatementJSON `json:"statement,omitempty"`
		Holder    Subject        `json:"holder,omitzero"`
		Path      []Subject      `json:"path,omitempty"`
		Role      RoleName       `json:"role,omitempty"`
		Rule      *Rule          `json:"rule,omitempty"`
		Effect    Effect         `json:"effect,omitzero"`
		Fate      Fate           `json:"fate"`
		By        *StatementJSON `json:"by,omitempty"`
		Cause     string         `json:"cause,omitempty"`
		Where     Scope          `json:"where,omitzero"`
	}{statementOrNone(f.Statement), f.Holder, f.Path, f.Role, f.Rule, f.Effect, f.Fate, statementOrNone(f.By), cause, f.Where})
}

// MarshalJSON writes a decision: {"allowed", "reason", "revision", "request", "deciding", "losing"}. Of the request's
// facts only those that are Given are written.
func (d Decision) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Allowed  bool        `json:"allowed"`
		Reason   Reason      `json:"reason"`
		Revision Revision    `json:"revision"`
		Request  requestForm `json:"request"`
		Deciding []Finding   `json:"deciding"`
		Losing   []Finding   `json:"losing"`
	}{d.Allowed(), d.reason, d.revision, formOf(d.request), orEmpty(d.deciding), orEmpty(d.losing)})
}

// UnmarshalJSON refuses: only a snapshot makes decisions. Read the members that matter into a struct of your own.
func (d *Decision) UnmarshalJSON([]byte) error {
	return problem(ErrInvalid, "decision", "", "a decision is made by a snapshot, not read")
}

// The vocabulary and the whole policy

func (d *PermissionDecl) fields() []field {
	return []field{{"permission", &d.Permission, required}, {"title", &d.Title, prose}, {"group", &d.Group, prose}}
}

func (d *ConditionDecl) fields() []field {
	return []field{{"condition", &d.Condition, required}, {"title", &d.Title, prose}}
}

func (d *ScopeKindDecl) fields() []field {
	return []field{{"kind", &d.Kind, required}, {"title", &d.Title, prose}}
}

func (d *SubjectKindDecl) fields() []field {
	return []field{{"kind", &d.Kind, required}, {"title", &d.Title, prose}}
}

func (d *Declarations) fields() []field {
	return []field{
		{"permissions", (*list[PermissionDecl])(&d.Permissions), optional},
		{"conditions", (*list[ConditionDecl])(&d.Conditions), optional},
		{"scopeKinds", (*list[ScopeKindDecl])(&d.ScopeKinds), optional},
		{"subjectKinds", (*list[SubjectKindDecl])(&d.SubjectKinds), optional},
	}
}

// UnmarshalJSON reads the declaration of a permission.
func (d *PermissionDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*PermissionDecl).fields)
}

// UnmarshalJSON reads the declaration of a condition.
func (d *ConditionDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*ConditionDecl).fields)
}

// UnmarshalJSON reads the declaration of a kind of scope.
func (d *ScopeKindDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*ScopeKindDecl).fields)
}

// UnmarshalJSON reads the declaration of a kind of subject.
func (d *SubjectKindDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*SubjectKindDecl).fields)
}

// UnmarshalJSON reads declarations: {"permissions", "conditions", "scopeKinds", "subjectKinds"}.
func (d *Declarations) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*Declarations).fields)
}

// MarshalJSON writes the catalog as its declarations. To read one, read Declarations and call NewCatalog.
func (c *Catalog) MarshalJSON() ([]byte, error) { return json.Marshal(c.Declarations()) }

// UnmarshalJSON refuses: a catalog is immutable.
func (c *Catalog) UnmarshalJSON([]byte) error {
	return problem(ErrInvalid, "catalog", "", "read Declarations and make a catalog of them")
}

// MarshalJSON writes the whole policy: {"declarations", "revision", "statements"}, statements in their usual order.
func (s *Snapshot) MarshalJSON() ([]byte, error) {
	declarations, err := json.Marshal(s.Catalog())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"declarations":%s,"revision":%d,"statements":[`, declarations, s.Revision())
	separator := ""
	for statement := range s.Statements() {
		text, err := MarshalStatement(statement)
		if err != nil {
			return nil, err
		}
		b.WriteString(separator)
		b.Write(text)
		separator = ","
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

// UnmarshalSnapshot reads what marshalling a Snapshot writes: a whole policy with its vocabulary. Everything is judged
// as when a snapshot is built; where anything is wrong there is no snapshot.
func UnmarshalSnapshot(data []byte) (*Snapshot, error) {
	var d Declarations
	var revision Revision
	var statements list[StatementJSON]
	err := decodeObject(data,
		field{"declarations", &d, required}, field{"revision", &revision, required}, field{"statements", &statements, required})
	if err != nil {
		return nil, fmt.Errorf("policy in JSON: %w", err)
	}
	c, err := NewCatalog(d)
	if err != nil {
		return nil, fmt.Errorf("policy in JSON: declarations: %w", err)
	}
	s, err := LoadSnapshot(c, State{Revision: revision, Statements: func(yield func(Statement, error) bool) {
		for _, s := range statements {
			if !yield(s.Statement, nil) {
				return
			}
		}
	}})
	if err != nil {
		return nil, fmt.Errorf("policy in JSON: %w", err)
	}
	return s, nil
}
