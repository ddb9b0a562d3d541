package rolecall

import (
	"strings"
	"time"
)

// A Window bounds validity: valid from NotBefore, no longer at NotAfter. A zero end is open; the zero Window is always
// open. Instants are compared as instants, whatever their time zone.
type Window struct {
	NotBefore time.Time `json:"from,omitzero"`
	NotAfter  time.Time `json:"until,omitzero"`
}

// Open says whether the window is open at now.
func (w Window) Open(now time.Time) bool {
	return (w.NotBefore.IsZero() || !now.Before(w.NotBefore)) && (w.NotAfter.IsZero() || now.Before(w.NotAfter))
}

// IsZero says whether the window is always open.
func (w Window) IsZero() bool { return w.NotBefore.IsZero() && w.NotAfter.IsZero() }

// Empty says whether no instant is inside.
func (w Window) Empty() bool {
	return !w.NotBefore.IsZero() && !w.NotAfter.IsZero() && !w.NotBefore.Before(w.NotAfter)
}

// canonical drops monotonic readings and time zones, so that equal windows are equal values.
func (w Window) canonical() Window {
	return Window{utc(w.NotBefore), utc(w.NotAfter)}
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Round(0).UTC()
}

func (w Window) write(b *strings.Builder) {
	if !w.NotBefore.IsZero() {
		b.WriteString(" from ")
		b.WriteString(FormatTime(w.NotBefore))
	}
	if !w.NotAfter.IsZero() {
		b.WriteString(" until ")
		b.WriteString(FormatTime(w.NotAfter))
	}
}

// FormatTime writes an instant in the text form: a bare date at midnight UTC, otherwise RFC 3339 in UTC.
func FormatTime(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

// ParseTime reads RFC 3339, or a bare date, which is midnight UTC. The first instant of year 1 is refused: Go takes it
// for no time at all, so that as the end of a window it would read as no end.
func ParseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t, err = time.Parse(time.RFC3339Nano, text)
	}
	if err != nil {
		return time.Time{}, problem(ErrInvalid, "", text, "a time is RFC 3339 or a date, for example 2026-03-01T09:00:00Z or 2026-03-01")
	}
	if t = t.UTC(); t.IsZero() || !writable(t) {
		return time.Time{}, problem(ErrInvalid, "", text, "a time lies in the years 0 to 9999, in UTC, and is not the first instant of year 1")
	}
	return t, nil
}

// writable says whether an instant can be written and read again.
func writable(t time.Time) bool {
	year := t.UTC().Year()
	return 0 <= year && year <= 9999
}

// A Grant gives a role to a subject at a scope and everywhere inside it. Its key is (Subject, Role, Scope, When,
// Eligible): putting another grant with that key changes the one that stands.
type Grant struct {
	Subject  Subject   `json:"subject"`
	Role     RoleName  `json:"role"`
	Scope    Scope     `json:"scope"`
	When     Condition `json:"when,omitempty"`
	Replace  bool      `json:"replace,omitempty"`  // the allows of every farther point do not count
	Pierce   bool      `json:"pierce,omitempty"`   // reaches into private scopes below
	Eligible bool      `json:"eligible,omitempty"` // says nothing until activated
	Window
}

// String returns the text form.
func (g Grant) String() string {
	b := g.key()
	g.Window.write(b)
	return b.String()
}

// key writes what identifies the grant, and what it is marked with.
func (g Grant) key() *strings.Builder {
	var b strings.Builder
	b.WriteString("grant ")
	b.WriteString(g.Subject.String())
	b.WriteByte(' ')
	b.WriteString(string(g.Role))
	b.WriteString(" at ")
	b.WriteString(g.Scope.String())
	if g.Replace {
		b.WriteString(" replace")
	}
	if g.Pierce {
		b.WriteString(" pierce")
	}
	if g.Eligible {
		b.WriteString(" eligible")
	}
	writeWhen(&b, g.When)
	return &b
}

// An Override is a single exception without a role, nearer than the grants at the same point. Its key is (Subject,
// Scope, Pattern, When). Its effect is not Except, which has a meaning inside a role only.
type Override struct {
	Subject Subject   `json:"subject"`
	Effect  Effect    `json:"effect"`
	Pattern Pattern   `json:"pattern"`
	Scope   Scope     `json:"scope"`
	When    Condition `json:"when,omitempty"`
	Window
}

// String returns the text form.
func (o Override) String() string {
	var b strings.Builder
	b.WriteString("override ")
	b.WriteString(o.Subject.String())
	b.WriteByte(' ')
	b.WriteString(o.Effect.String())
	b.WriteByte(' ')
	b.WriteString(string(o.Pattern))
	b.WriteString(" at ")
	b.WriteString(o.Scope.String())
	writeWhen(&b, o.When)
	o.Window.write(&b)
	return b.String()
}

// A Membership puts a subject or a group into a group. Its key is (Member, Group).
type Membership struct {
	Member Subject `json:"member"`
	Group  Subject `json:"group"`
	Window
}

// String returns the text form.
func (m Membership) String() string {
	var b strings.Builder
	b.WriteString("member ")
	b.WriteString(m.Member.String())
	b.WriteString(" of ")
	b.WriteString(m.Group.String())
	m.Window.write(&b)
	return b.String()
}

// A Suspension switches a subject off. A suspended subject is denied everything and loses nothing.
type Suspension struct {
	Subject Subject `json:"subject"`
}

// String returns the text form.
func (s Suspension) String() string { return "suspend " + s.Subject.String() }

// A PrivateScope is a scope that allows from above do not open.
type PrivateScope struct {
	Scope Scope `json:"scope"`
}

// String returns the text form.
func (p PrivateScope) String() string { return "private " + p.Scope.String() }
