package rolecall

import "cmp"

// A Statement is one thing that a policy says: a Role, Membership, Grant, Override, Suspension, PrivateScope or
// Constraint, and nothing else. Its String is its text form.
type Statement interface {
	String() string
	statement() statementKind
}

type statementKind uint8

const (
	kindRole = statementKind(iota)
	kindMembership
	kindGrant
	kindOverride
	kindSuspension
	kindPrivate
	kindConstraint
)

func (Role) statement() statementKind         { return kindRole }
func (Membership) statement() statementKind   { return kindMembership }
func (Grant) statement() statementKind        { return kindGrant }
func (Override) statement() statementKind     { return kindOverride }
func (Suspension) statement() statementKind   { return kindSuspension }
func (PrivateScope) statement() statementKind { return kindPrivate }
func (Constraint) statement() statementKind   { return kindConstraint }

// A StatementKey identifies a statement within a policy: two statements with equal keys are the same statement, before
// and after a change. Keys are comparable and can serve as map keys and, by String, as primary keys in a store.
type StatementKey struct {
	kind     statementKind
	subject  Subject
	other    Subject // the group of a membership
	name     string  // of a role, a constraint, a granted role or a pattern
	scope    Scope
	when     Condition
	eligible bool
}

// KeyOf returns the statement's key.
func KeyOf(s Statement) StatementKey {
	k := StatementKey{kind: s.statement()}
	switch s := s.(type) {
	case Role:
		k.name = string(s.Name)
	case Membership:
		k.subject, k.other = s.Member, s.Group
	case Grant:
		k.subject, k.name, k.scope, k.when, k.eligible = s.Subject, string(s.Role), s.Scope, s.When, s.Eligible
	case Override:
		k.subject, k.name, k.scope, k.when = s.Subject, string(s.Pattern), s.Scope, s.When
	case Suspension:
		k.subject = s.Subject
	case PrivateScope:
		k.scope = s.Scope
	case Constraint:
		k.name = s.Name
	}
	return k
}

// String returns the key in words: the text form of the statement without what may change under one key.
func (k StatementKey) String() string {
	switch k.kind {
	case kindRole:
		return "role " + k.name
	case kindMembership:
		return Membership{Member: k.subject, Group: k.other}.String()
	case kindGrant:
		return Grant{Subject: k.subject, Role: RoleName(k.name), Scope: k.scope, When: k.when, Eligible: k.eligible}.String()
	case kindOverride:
		text := "override " + k.subject.String() + " " + k.name + " at " + k.scope.String()
		if k.when != "" {
			text += " when " + string(k.when)
		}
		return text
	case kindSuspension:
		return Suspension{k.subject}.String()
	case kindPrivate:
		return PrivateScope{k.scope}.String()
	}
	return "constraint " + k.name
}

// Compare orders keys by kind (roles, memberships, grants, overrides, suspensions, private scopes, constraints), then
// by name or subject, then by scope and the rest. Statements are listed in this order everywhere.
func (k StatementKey) Compare(other StatementKey) int {
	return cmp.Or(
		cmp.Compare(k.kind, other.kind),
		k.subject.Compare(other.subject),
		k.other.Compare(other.other),
		k.scope.Compare(other.scope),
		cmp.Compare(k.name, other.name),
		cmp.Compare(k.when, other.when),
		cmp.Compare(boolRank(k.eligible), boolRank(other.eligible)),
	)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Canonical returns the statement in its one spelling, sharing nothing with the caller: sets sorted and folded, instants
// in UTC, rules of one effect and condition joined.
func Canonical(s Statement) Statement {
	switch s := s.(type) {
	case Role:
		return s.canonical()
	case Membership:
		s.Window = s.Window.canonical()
		return s
	case Grant:
		s.Window = s.Window.canonical()
		return s
	case Override:
		s.Window = s.Window.canonical()
		return s
	case Constraint:
		return s.canonical()
	}
	return s
}

// Equal says whether two statements say the same: same key and same content, however they were spelled.
func Equal(a, b Statement) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if KeyOf(a) != KeyOf(b) {
		return false
	}
	switch a := Canonical(a).(type) {
	case Role:
		return a.equal(Canonical(b).(Role))
	case Constraint:
		return a.equal(Canonical(b).(Constraint))
	default:
		return a == Canonical(b)
	}
}
