package rolecall

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Statements as JSON: a one-member object named after the kind of statement.

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
		return decodeAs(raw, (*Role).fields)
	case kindMembership:
		return decodeAs(raw, (*Membership).fields)
	case kindGrant:
		return decodeAs(raw, (*Grant).fields)
	case kindOverride:
		return decodeAs(raw, func(o *Override) []field { return o.fields(beyondKey) })
	case kindSuspension:
		return decodeAs(raw, (*Suspension).fields)
	case kindPrivate:
		return decodeAs(raw, (*PrivateScope).fields)
	default:
		return decodeAs(raw, func(c *Constraint) []field { return c.fields(beyondKey) })
	}
}

func decodeAs[S Statement](raw []byte, fields func(*S) []field) (Statement, error) {
	var s S
	err := decodeObject(raw, fields(&s)...)
	return s, err
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
