package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/strictjson"
)

// A Session is a subject with something taken away: active roles, patterns of permissions, a time limit. It is a plain
// value, safe to keep in a token: whoever holds it can do no more than its subject, and nothing that was taken from the
// subject since. Signing the token is the host's. It is made by OpenSession, APIKey or Impersonate; the zero Session is refused.
type Session struct {
	Subject rolecall.Subject `json:"subject"`
	// Actor acts on behalf of the subject, or is the key by which it acts: it is recorded, and once it is suspended the
	// session denies everything.
	Actor rolecall.Subject `json:"actor,omitzero"`
	// Roles are the active ones. Nil is no narrowing; an empty list takes everything away.
	Roles []rolecall.RoleName `json:"roles,omitzero"`
	// Only are the patterns that permissions must match. Nil is no narrowing; an empty list takes everything away.
	Only []rolecall.Pattern `json:"only,omitzero"`
	// Revision is that of the policy at which the session was made. An older policy does not serve it.
	Revision rolecall.Revision `json:"revision"`
	// Pinned ends the session with the first change of the policy.
	Pinned bool `json:"pinned,omitzero"`
	// Until ends the session, zero where nothing does.
	Until time.Time `json:"until,omitzero"`
}

// Why a session gives no answers.
var (
	// ErrSessionEnded says that a session is over, by time or because it is pinned to a policy that was changed.
	ErrSessionEnded = errors.New("the session has ended")
	// ErrSessionNewer says that a session was made with a later policy than the one that is asked: refresh first.
	ErrSessionNewer = errors.New("the session was made with a later policy")
)

// OpenSession makes a session of a subject with these active roles. Each must be held by the subject, itself or by
// inheritance, somewhere and now (rolecall.ErrHolder), and together they must not break a dynamic separation of duty
// (rolecall.ErrSeparation).
func OpenSession(s *rolecall.Snapshot, who rolecall.Subject, roles ...rolecall.RoleName) (Session, error) {
	session := Session{Subject: who, Roles: slices.Sorted(slices.Values(roles)), Revision: s.Revision()}
	if session.Roles = slices.Compact(session.Roles); session.Roles == nil {
		session.Roles = []rolecall.RoleName{}
	}
	if _, err := session.View(s); err != nil {
		return Session{}, err
	}
	held := AuthorizedRoles(s, who)
	for _, name := range session.Roles {
		if !slices.Contains(held, name) {
			return Session{}, problem(rolecall.ErrHolder, "session", string(name), "an active role is one that "+who.String()+" holds")
		}
	}
	return session, nil
}

// Activate returns the session with one more active role, judged as OpenSession does. A session that is over, or newer
// than the policy, stays so: the error is that of Valid. One that was not narrowed to roles is narrowed to that one.
func (x Session) Activate(s *rolecall.Snapshot, role rolecall.RoleName) (Session, error) {
	if err := x.Valid(s); err != nil {
		return Session{}, err
	}
	next, err := OpenSession(s, x.Subject, append(slices.Clone(x.Roles), role)...)
	if err != nil {
		return Session{}, err
	}
	x.Roles, x.Revision = next.Roles, next.Revision
	return x, nil
}

// Deactivate returns the session with one active role less. One that was not narrowed to roles, in which none is active by
// name, is left with none.
func (x Session) Deactivate(role rolecall.RoleName) Session {
	x.Roles = slices.DeleteFunc(append([]rolecall.RoleName{}, x.Roles...), func(name rolecall.RoleName) bool { return name == role })
	return x
}

// APIKey makes a session by which a key acts for its owner, with the owner's roles, narrowed to patterns. The key is a
// subject of its own, recorded as the actor; suspending it ends it. A key with roles of its own needs no session: grant
// them to the key.
func APIKey(s *rolecall.Snapshot, key, owner rolecall.Subject, only ...rolecall.Pattern) (Session, error) {
	return narrowed(s, Session{Subject: owner, Actor: key, Only: only})
}

// Impersonate makes a session by which an actor sees what a subject sees, narrowed to the patterns of what only looks
// ("*.view"). Both are recorded. Whether the actor may do that is the host's to check.
func Impersonate(s *rolecall.Snapshot, actor, subject rolecall.Subject, looking ...rolecall.Pattern) (Session, error) {
	return narrowed(s, Session{Subject: subject, Actor: actor, Only: looking})
}

func narrowed(s *rolecall.Snapshot, x Session) (Session, error) {
	if x.Actor.IsZero() || x.Actor == x.Subject {
		return Session{}, problem(rolecall.ErrInvalid, "session", x.Actor.String(), "somebody other than the subject acts")
	}
	x.Only = slices.Compact(slices.Sorted(slices.Values(x.Only)))
	if x.Only == nil {
		x.Only = []rolecall.Pattern{}
	}
	x.Revision = s.Revision()
	if _, err := x.View(s); err != nil {
		return Session{}, err
	}
	return x, nil
}

// Lasting returns the session with an end, or with an earlier one; never with a later one. The zero instant is no end, and
// changes nothing.
func (x Session) Lasting(until time.Time) Session {
	if !until.IsZero() && (x.Until.IsZero() || until.Before(x.Until)) {
		x.Until = until.Round(0).UTC()
	}
	return x
}

// Narrowing returns what the session takes away.
func (x Session) Narrowing() rolecall.Narrowing {
	var n rolecall.Narrowing
	if x.Roles != nil {
		n = rolecall.ToRoles(x.Roles...)
	}
	if x.Only != nil {
		n = n.AndPatterns(x.Only...)
	}
	return n
}

// Valid says whether the session may be used with a policy, at its instant.
func (x Session) Valid(s *rolecall.Snapshot) error {
	switch {
	case x.Subject.IsZero():
		return x.Subject.Valid()
	case s.Now().IsZero():
		return errors.New("a session is judged at an instant: call Snapshot.At first")
	case s.Revision() < x.Revision:
		return fmt.Errorf("%w: revision %d, asked at %d", ErrSessionNewer, x.Revision, s.Revision())
	case x.Pinned && s.Revision() != x.Revision:
		return fmt.Errorf("%w: the policy of revision %d was changed", ErrSessionEnded, x.Revision)
	case !x.Until.IsZero() && !s.Now().Before(x.Until):
		return fmt.Errorf("%w at %s", ErrSessionEnded, rolecall.FormatTime(x.Until))
	}
	return nil
}

// View binds a policy to the session: what it answers is what the session may do. Groups are vouched for.
func (x Session) View(s *rolecall.Snapshot, groups ...rolecall.Subject) (*rolecall.View, error) {
	if err := x.Valid(s); err != nil {
		return nil, err
	}
	return s.For(x.Subject, &rolecall.ViewOptions{Groups: groups, Actor: x.Actor, Narrow: x.Narrowing()})
}

// Decide answers a request made by the session, whose subject, actor and narrowing take the place of those of r.
func (x Session) Decide(s *rolecall.Snapshot, r rolecall.Request) (rolecall.Decision, error) {
	if !r.Now.IsZero() {
		s = s.At(r.Now)
	}
	if err := x.Valid(s); err != nil {
		return rolecall.Decision{}, err
	}
	r.Subject, r.Actor, r.Narrow = x.Subject, x.Actor, x.Narrowing()
	return s.Decide(r)
}

// UnmarshalJSON reads a session exactly: what is overlooked could be a narrowing, so unknown, repeated, null and misspelled
// members are errors, and so is text that is not Unicode.
func (x *Session) UnmarshalJSON(data []byte) error {
	if _, err := strictjson.Members(data); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	type plain Session
	var next plain
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&next); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	again, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	var given, understood any
	if err := errors.Join(json.Unmarshal(data, &given), json.Unmarshal(again, &understood)); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if !reflect.DeepEqual(given, understood) {
		return fmt.Errorf("session: %s is not how a session is written, which would be %s", data, again)
	}
	*x = Session(next)
	return nil
}
