package review

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A Row is one way in which somebody has something, or is kept from it: a grant or an override, and the memberships
// through which it reaches the subject.
type Row struct {
	// Subject is who. In a report as granted it may be a group. Everyone stands for all who have no rows of their own and
	// are not suspended, those that the policy names nowhere included.
	Subject rolecall.Subject
	// Path leads from the subject to the holder of the statement, both included. Of several ways it is one that counts now
	// if there is one: of those one whose windows end last, then one where they began first, then the shortest.
	Path []rolecall.Subject
	// Statement is the rolecall.Grant or rolecall.Override.
	Statement rolecall.Statement
	// Title is the title of the granted role.
	Title string
	// Scope is where the row is judged: the place of the statement, or the reviewed place inside it.
	Scope rolecall.Scope
	// State says whether the statement has any effect there, and if not why not.
	State State
	// Gives is what the subject may do at Scope where the statement is among those that decide it.
	Gives []Item
	// Takes is what the subject may not do at Scope where the statement is among those that decide it.
	Takes []Item
	// Window is when the row can count: the overlap of the statement's window and those of the memberships.
	Window rolecall.Window
	// Since is when the subject came to have it, with this path: when the last of the memberships and the statement was
	// added, or its window opened. One that had ended, or said the opposite, counts as added when it was put again. It is
	// zero where the history does not tell.
	Since time.Time
	// Given is the change that made the statement what it is, nil where the history does not tell.
	Given *rolecall.Origin
	// Joined are the changes that made the memberships of Path what they are, in its order; nil where the history does not
	// tell. Being in Everyone is none.
	Joined []*rolecall.Origin
	// Defined is the change that made the granted role what it is, nil where the history does not tell.
	Defined *rolecall.Origin
	// LastUsed is when the subject last used, at Scope or inside it, any of what the row gives; zero where no use is known.
	LastUsed time.Time
	// UseKnown says that a use would be known: where LastUsed is zero, there was none since the record began. It is false
	// where Subject is a group other than Everyone, since tokens may have vouched for it.
	UseKnown bool
	// Due is when the row is to be reviewed; zero where it is not to be.
	Due time.Time
}

// An Item is a permission that a row gives or takes, and the rule by which facts decide whether the subject may.
type Item struct {
	Permission rolecall.Permission
	When       rolecall.ScopeRule
}

// String returns the permission, and its rule where facts decide.
func (i Item) String() string {
	if i.When.Always() || i.When.Never() {
		return i.Permission.String()
	}
	return i.Permission.String() + " " + i.When.String()
}

// MarshalJSON writes the permission, and the rule in words where facts decide.
func (i Item) MarshalJSON() ([]byte, error) {
	plain := struct {
		Permission rolecall.Permission `json:"permission"`
		When       string              `json:"when,omitempty"`
	}{Permission: i.Permission}
	if _, when, depends := strings.Cut(i.String(), " "); depends {
		plain.When = when
	}
	return json.Marshal(plain)
}

// A State says what a row amounts to at the instant of its report.
type State uint8

// The states.
const (
	Active    State = iota + 1 // it gives or takes something, or cuts off what farther statements give
	NoEffect                   // something nearer or stricter decides everything that it speaks of, or it speaks of nothing
	Eligible                   // it says nothing until it is activated
	Upcoming                   // it is not valid yet
	Expired                    // it is not valid any more
	Suspended                  // the subject is, or a group on the way
	Private                    // it does not reach into the private scope
)

var stateNames = [...]string{"", "active", "no effect", "eligible", "upcoming", "expired", "suspended", "private"}

// String returns the state in words.
func (s State) String() string {
	if int(s) >= len(stateNames) {
		return "unknown"
	}
	return stateNames[s]
}

// MarshalText writes the state in words.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Holder returns whose statement it is.
func (r Row) Holder() rolecall.Subject { return r.Path[len(r.Path)-1] }

// What names what the row is about: the granted role, or the effect and the pattern of an override.
func (r Row) What() string {
	switch one := r.Statement.(type) {
	case rolecall.Grant:
		return string(one.Role)
	case rolecall.Override:
		return one.Effect.String() + " " + string(one.Pattern)
	}
	return ""
}

// Through names the groups on the way to the statement, in order; it is empty where it is the subject's own.
func (r Row) Through() string {
	var names []string
	for _, s := range r.Path[1:] {
		names = append(names, s.String())
	}
	return strings.Join(names, " in ")
}

// Revoke returns the edit that ends the statement, for a change. It ends it for everybody who has it through the holder.
func (r Row) Revoke() rolecall.Edit { return rolecall.Remove(r.Statement) }

// MarshalJSON writes the row.
func (r Row) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Subject   rolecall.Subject       `json:"subject"`
		Path      []rolecall.Subject     `json:"path"`
		Statement rolecall.StatementJSON `json:"statement"`
		Title     string                 `json:"title,omitempty"`
		Scope     rolecall.Scope         `json:"scope"`
		State     State                  `json:"state"`
		Gives     []Item                 `json:"gives,omitempty"`
		Takes     []Item                 `json:"takes,omitempty"`
		rolecall.Window
		Since    time.Time          `json:"since,omitzero"`
		Given    *rolecall.Origin   `json:"given,omitempty"`
		Joined   []*rolecall.Origin `json:"joined,omitempty"`
		Defined  *rolecall.Origin   `json:"defined,omitempty"`
		LastUsed time.Time          `json:"lastUsed,omitzero"`
		UseKnown bool               `json:"useKnown,omitempty"`
		Due      time.Time          `json:"due,omitzero"`
	}{
		r.Subject, r.Path, rolecall.StatementJSON{Statement: r.Statement}, r.Title, r.Scope, r.State, r.Gives, r.Takes, r.Window,
		r.Since, r.Given, r.Joined, r.Defined, r.LastUsed, r.UseKnown, r.Due,
	})
}
