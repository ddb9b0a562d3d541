package rolecall

import (
	"encoding/json"
	"fmt"
	"time"
)

// Requests and decisions as JSON.

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
		Subject: r.Subject, Permission: r.Permission, Scope: r.Scope, Groups: r.Groups, Actor: r.Actor, Now: utc(r.Now),
	}
	f.Facts, _ = r.Facts.(Given)
	f.Narrow = r.Narrow.form()
	return f
}

// form returns the narrowing to be written, nil where it takes nothing away.
func (n Narrowing) form() *narrowingForm {
	if n.IsZero() {
		return nil
	}
	f := &narrowingForm{}
	if n.byRole {
		roles := orEmpty(n.roles)
		f.Roles = &roles
	}
	if n.byPattern {
		patterns := orEmpty(n.patterns[0])
		f.Patterns = &patterns
		for _, more := range n.patterns[1:] {
			f.And = append(f.And, orEmpty(more))
		}
	}
	return f
}

// MarshalJSON writes a request: {"subject", "permission", "scope", "now", "facts", "groups", "actor", "narrow"}. Facts are
// names of conditions that hold; Facts other than Given cannot be written, and leaving them out would say that no condition
// holds, so that is an error.
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

// MarshalJSON writes a narrowing: {"roles", "patterns", "andPatterns"}, or null where it takes nothing away.
func (n Narrowing) MarshalJSON() ([]byte, error) { return json.Marshal(n.form()) }

// UnmarshalJSON reads a narrowing. An empty list takes everything away; no list at all is an error, and null takes nothing
// away.
func (n *Narrowing) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Narrowing{}
		return nil
	}
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
