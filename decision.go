package rolecall

import (
	"fmt"
	"strings"
	"time"
)

// A Request asks whether Subject may do Permission at Scope.
type Request struct {
	Subject    Subject
	Permission Permission
	Scope      Scope
	// Now is the instant at which windows are judged. The zero Now is the instant of the snapshot or the resolver.
	Now time.Time
	// Facts answer conditions; nil says that none holds.
	Facts Facts
	// Groups are further groups of the subject that the caller vouches for, from a token for example.
	Groups []Subject
	// Actor is who acts on behalf of Subject: a suspended actor is denied, otherwise it is only recorded.
	Actor Subject
	// Narrow takes away: a session, an API key, read-only impersonation.
	Narrow Narrowing
}

// A Reason is the kind of answer. It is an error too: every Reason but Granted is ErrDenied to errors.Is.
type Reason uint8

// The reasons. The zero Reason denies.
const (
	NothingSaid      Reason = iota // nobody allowed it
	Granted                        // allowed
	Denied                         // a deny stands against what was allowed, if anything was
	Overridden                     // something nearer overrode or replaced what would have allowed it
	Forbidden                      // a forbid, which nothing overrides
	Suspended                      // the subject, its actor or the only way to the grant is switched off
	Private                        // what would have allowed it does not reach into a private scope
	OutsideWindow                  // what would have allowed it has expired or is not yet valid
	ConditionFails                 // what would have allowed it depends on a condition that does not hold
	ConditionUnknown               // it depends on a condition of which nobody can say whether it holds
	Narrowed                       // it is outside what the session or key was narrowed to
)

var reasonNames = [...]string{
	"nothing said", "granted", "denied", "overridden", "forbidden", "suspended", "private",
	"expired or not yet valid", "condition not met", "condition unknown", "narrowed",
}

// String returns the reason in words.
func (r Reason) String() string {
	if int(r) >= len(reasonNames) {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return reasonNames[r]
}

// Error returns the reason as an error text.
func (r Reason) Error() string { return "denied: " + r.String() }

// Is makes every Reason but Granted an ErrDenied.
func (r Reason) Is(target error) bool { return target == ErrDenied && r != Granted }

// MarshalText writes the reason in words.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// A DeniedError says no to one check. errors.Is(err, ErrDenied) holds. Its text names what was asked and the kind of
// reason, no statement of the policy; Decide gives the whole explanation.
type DeniedError struct {
	Subject    Subject
	Permission Permission
	Scope      Scope
	Reason     Reason
	Revision   Revision
}

// Error names the question and the kind of reason.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("denied: %s may not %s at %s: %s", e.Subject, e.Permission, e.Scope, e.Reason.String())
}

// Unwrap returns the reason, which is ErrDenied.
func (e *DeniedError) Unwrap() error { return e.Reason }

// A Fate says what became of a statement in a decision.
type Fate uint8

// The fates, from the deciding one to the ones that were not heard.
const (
	Decides             Fate = iota + 1 // it is among what the verdict rests on
	LostToNearer                        // a nearer statement overrides it
	LostToReplace                       // a nearer replace grant makes it not count
	LostToOverride                      // an override at the same point is nearer than a grant
	LostToStricter                      // something stricter stands at the same point, or in the same role
	StoppedByPrivacy                    // an allow from above a private scope
	StoppedBySuspension                 // an allow through a suspended group
	StoppedByWindow                     // not valid at that instant
	StoppedByCondition                  // its condition, or that of the rule, does not hold
	StoppedByUnknown                    // an allow whose condition, or that of the rule, cannot be said
	StoppedByNarrowing                  // an allow outside the narrowing
	NotActivated                        // an eligible grant, which says nothing until it is activated
)

var fateNames = [...]string{
	"", "decides", "is overridden by something nearer", "is replaced", "is overridden at the same place",
	"gives way to something stricter", "does not reach into the private scope", "comes through a suspended group",
	"is not valid now", "depends on a condition that does not hold", "depends on a condition nobody can say",
	"is outside the narrowing", "is not activated",
}

// String returns the fate in words.
func (f Fate) String() string {
	if int(f) >= len(fateNames) {
		return fmt.Sprintf("fate(%d)", uint8(f))
	}
	return fateNames[f]
}

// MarshalText writes the fate in words.
func (f Fate) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// A Finding is one statement that bears on a decision, and what became of it.
type Finding struct {
	Statement Statement // the grant or override, or the suspension that denies
	Holder    Subject   // whose statement it is
	Path      []Subject // the memberships from the subject to the holder, both included
	Role      RoleName  // the role whose rule that is: the granted one or one it inherits from; empty for an override
	Rule      *Rule     // the rule that speaks, or would but for its condition; nil for an override, and for a replace whose role says nothing
	Effect    Effect    // what it says of the permission; zero where it only replaces
	Fate      Fate
	By        Statement // what overrode it, nil where nothing did
	Cause     error     // why a condition cannot be said
	Where     Scope     // the private scope or the place that stopped it, zero where none did
}

// String returns the finding on one line.
func (f Finding) String() string {
	var b strings.Builder
	if f.Statement != nil {
		b.WriteString(f.Statement.String())
	}
	if f.Rule != nil {
		fmt.Fprintf(&b, " (role %s: %s)", f.Role, f.Rule)
	}
	if len(f.Path) > 2 || len(f.Path) == 2 && !f.Holder.isEveryone() {
		b.WriteString(" through")
		for i, s := range f.Path[1:] {
			if i > 0 {
				b.WriteString(" in")
			}
			b.WriteByte(' ')
			b.WriteString(s.String())
		}
	}
	b.WriteString(": ")
	b.WriteString(f.Fate.String())
	if f.By != nil {
		b.WriteString(": ")
		first, _, _ := strings.Cut(f.By.String(), "\n")
		b.WriteString(first)
	}
	if !f.Where.IsZero() {
		b.WriteByte(' ')
		b.WriteString(f.Where.String())
	}
	if f.Cause != nil {
		b.WriteString(" (")
		b.WriteString(f.Cause.Error())
		b.WriteByte(')')
	}
	return b.String()
}

// A Decision is the answer to a request with everything it rests on. The zero Decision denies.
type Decision struct {
	request  Request
	reason   Reason
	revision Revision
	deciding []Finding
	losing   []Finding
}

// Allowed says whether the request is allowed.
func (d Decision) Allowed() bool { return d.reason == Granted }

// Reason returns the kind of answer.
func (d Decision) Reason() Reason { return d.reason }

// Revision returns the revision of the policy that was asked.
func (d Decision) Revision() Revision { return d.revision }

// Request returns what was asked.
func (d Decision) Request() Request { return d.request }

// Deciding returns the statements that the verdict rests on; none where nothing was said. The caller owns the slice.
func (d Decision) Deciding() []Finding { return append([]Finding(nil), d.deciding...) }

// Losing returns every other statement that speaks, or would speak, of the permission, and what overrode or stopped
// it. The caller owns the slice.
func (d Decision) Losing() []Finding { return append([]Finding(nil), d.losing...) }

// Err returns nil where the request is allowed, otherwise a *DeniedError.
func (d Decision) Err() error {
	if d.Allowed() {
		return nil
	}
	return &DeniedError{d.request.Subject, d.request.Permission, d.request.Scope, d.reason, d.revision}
}

// String explains the decision in a few lines: the verdict, what it rests on, and what lost to what.
func (d Decision) String() string { return d.text(func(*strings.Builder, Finding) {}) }

// text is String, with what beneath writes below each finding.
func (d Decision) text(beneath func(*strings.Builder, Finding)) string {
	var b strings.Builder
	b.WriteString(d.head())
	for _, f := range d.deciding {
		b.WriteString("\n  because " + f.String())
		beneath(&b, f)
	}
	for _, f := range d.losing {
		b.WriteString("\n  not     " + f.String())
		beneath(&b, f)
	}
	if len(d.deciding) == 0 && len(d.losing) == 0 {
		b.WriteString("\n  nothing in the policy speaks of it")
	}
	return b.String()
}

// head returns the verdict.
func (d Decision) head() string {
	verdict := "denied"
	if d.Allowed() {
		verdict = "allowed"
	}
	text := fmt.Sprintf("%s: %s %s at %s", verdict, d.request.Subject, d.request.Permission, d.request.Scope)
	if d.reason != Granted && d.reason != Denied {
		text += " (" + d.reason.String() + ")"
	}
	return text
}
