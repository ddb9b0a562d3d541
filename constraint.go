package rolecall

import (
	"fmt"
	"slices"
	"strings"
)

// A ConstraintKind says when a separation of duty binds.
type ConstraintKind string

// The kinds of constraint.
const (
	Static  ConstraintKind = "static"  // of what a subject holds
	Dynamic ConstraintKind = "dynamic" // of what is active in one session
)

// A Constraint is a separation of duty: of Roles, a subject may hold (static) or activate in one session (dynamic)
// fewer than Limit at once. 2 ≤ Limit ≤ number of roles. Its key is its name.
type Constraint struct {
	Name  string         `json:"name"`
	Kind  ConstraintKind `json:"kind"`
	Limit int            `json:"limit"`
	Roles []RoleName     `json:"roles"`
}

// String returns the text form.
func (c Constraint) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "constraint %s %s %d of", c.Name, c.Kind, c.Limit)
	for _, r := range c.Roles {
		b.WriteByte(' ')
		b.WriteString(string(r))
	}
	return b.String()
}

func (c Constraint) canonical() Constraint {
	c.Roles = sortedSet(c.Roles)
	return c
}

func (c Constraint) equal(other Constraint) bool {
	return c.Name == other.Name && c.Kind == other.Kind && c.Limit == other.Limit && slices.Equal(c.Roles, other.Roles)
}
