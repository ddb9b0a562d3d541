package rolecall

import (
	"strconv"
	"time"
)

// A Revision counts the committed changes of a policy: every committed change makes exactly the next one.
type Revision uint64

// Meta says who changes the policy, on whose behalf, why and when.
type Meta struct {
	// Actor is who makes the change. The zero Actor is the host itself, whose edits are not judged by the rules of
	// administration; every other rule applies.
	Actor Subject `json:"actor,omitzero"`
	// OnBehalf is the subject for whom the actor acts; both must be permitted.
	OnBehalf Subject   `json:"onBehalf,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	Time     time.Time `json:"time,omitzero"`
}

// A Change is a set of edits, applied in their order, whole or not at all. It is a plain value: Snapshot.Propose
// judges it.
type Change struct {
	Meta
	// Narrow takes away from the Actor: whoever manages policy by a session or an API key makes and gives no more than
	// what that leaves.
	Narrow Narrowing
	Edits  []Edit
}

// An Op is a kind of edit.
type Op uint8

// The kinds of edit.
const (
	OpPut           Op = iota + 1 // add a statement, or change the one that has its key
	OpRemove                      // remove the statement with that key
	OpForgetSubject               // remove every statement about a subject
	OpForgetScope                 // remove every statement about a scope and all below it
	OpActivate                    // turn an eligible grant into an ordinary one for a time
)

// An Edit is one step of a Change, made by Put, Remove, ForgetSubject, ForgetScope or Activate. The zero Edit is refused.
type Edit struct {
	Op         Op
	Statement  Statement // of OpPut and OpRemove; for OpRemove its key suffices
	Subject    Subject   // of OpForgetSubject
	Scope      Scope     // of OpForgetScope
	Activation Activation
}

// An Activation takes up an eligible grant: it makes an ordinary grant of Role to Subject at Scope until Until.
type Activation struct {
	Subject Subject   `json:"subject"`
	Role    RoleName  `json:"role"`
	Scope   Scope     `json:"scope"`
	Until   time.Time `json:"until"`
	Reason  string    `json:"reason"`
}

// String returns the text form.
func (a Activation) String() string {
	text := "activate " + a.Subject.String() + " " + string(a.Role) + " at " + a.Scope.String()
	if !a.Until.IsZero() {
		text += " until " + FormatTime(a.Until)
	}
	if a.Reason != "" {
		text += " " + strconv.Quote(a.Reason)
	}
	return text
}

// Put adds a statement, or changes the one that has its key.
func Put(s Statement) Edit { return Edit{Op: OpPut, Statement: s} }

// Remove removes the statement that has the key of s; what else s says does not matter.
func Remove(s Statement) Edit { return Edit{Op: OpRemove, Statement: s} }

// ForgetSubject removes every statement about a subject, so that the id used again starts with nothing.
func ForgetSubject(s Subject) Edit { return Edit{Op: OpForgetSubject, Subject: s} }

// ForgetScope removes every statement about a scope and all below it.
func ForgetScope(t Scope) Edit { return Edit{Op: OpForgetScope, Scope: t} }

// Activate takes up an eligible grant.
func Activate(a Activation) Edit { return Edit{Op: OpActivate, Activation: a} }

// String returns the text form, as a scenario step writes it after do.
func (e Edit) String() string {
	switch e.Op {
	case OpPut:
		return textOf(e.Statement)
	case OpRemove:
		if isKeyOnly(e.Statement) {
			return "remove " + KeyOf(e.Statement).String()
		}
		return "remove " + textOf(e.Statement)
	case OpForgetSubject:
		return "forget " + e.Subject.String()
	case OpForgetScope:
		return "forget " + e.Scope.String()
	case OpActivate:
		return e.Activation.String()
	}
	return "(no edit)"
}

// isKeyOnly says whether a statement is removed by its key: because that is all that is given, or takes one line.
func isKeyOnly(s Statement) bool {
	switch s := s.(type) {
	case Role:
		return true
	case Override:
		return s.Effect == 0
	case Constraint:
		return len(s.Roles) == 0
	}
	return false
}

func textOf(s Statement) string {
	if s == nil {
		return "(no statement)"
	}
	return s.String()
}

// A Delta is what a change did to one statement: Before is nil where it was added, After where it was removed.
type Delta struct {
	Before Statement
	After  Statement
}

// Key returns the key of the statement.
func (d Delta) Key() StatementKey {
	if d.After != nil {
		return KeyOf(d.After)
	}
	return KeyOf(d.Before)
}

// An Entry is a committed change: one entry of the history, which is the audit log. Deltas are in order of their keys.
type Entry struct {
	Revision Revision
	Meta
	Deltas []Delta
}
