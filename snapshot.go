package rolecall

import (
	"fmt"
	"slices"
	"time"
)

// A Snapshot is a whole policy at one revision. It is immutable and safe for concurrent use; deciding on it is a pure
// function. It carries the instant at which it judges windows; At gives the same policy at another one for the price
// of a small allocation. Snapshots that follow each other share what did not change.
type Snapshot struct {
	policy *policy   // nil in the zero Snapshot, which answers nothing
	at     time.Time // zero: no instant, see At
}

// NewSnapshot builds a policy at revision 0 out of statements in any order. The same statement twice counts once; two
// different statements with one key are ErrInvalid. The error is a Problems that lists everything wrong; nothing is
// built then. The snapshot has no instant yet: call At before Check.
func NewSnapshot(c *Catalog, statements ...Statement) (*Snapshot, error) {
	return LoadSnapshot(c, State{Statements: func(yield func(Statement, error) bool) {
		for _, s := range statements {
			if !yield(s, nil) {
				return
			}
		}
	}})
}

// LoadSnapshot builds the policy that a store hands out. Data that breaks a rule of the model is refused as a whole.
func LoadSnapshot(c *Catalog, state State) (*Snapshot, error) {
	if c == nil {
		return nil, problem(ErrInvalid, "snapshot", "", "a snapshot needs a catalog")
	}
	d := emptyPolicy(c).draft()
	d.loading = true
	d.separate.all = true
	if state.Statements != nil {
		for s, err := range state.Statements {
			if err != nil {
				return nil, fmt.Errorf("load policy: %w", err)
			}
			d.put(s)
		}
	}
	d.policy.revision, d.policy.history = state.Revision, state.History
	p := d.finish(nil)
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	return &Snapshot{policy: p}, nil
}

// Revision returns the revision of the policy.
func (s *Snapshot) Revision() Revision { return s.policy.revision }

// History identifies the line of revisions that the policy is on, as the store's State told; empty for a snapshot that
// came from no store.
func (s *Snapshot) History() string { return s.policy.history }

// Catalog returns the vocabulary of the policy.
func (s *Snapshot) Catalog() *Catalog { return s.policy.catalog }

// At returns the same policy judged at another instant.
func (s *Snapshot) At(now time.Time) *Snapshot {
	if s.policy == nil {
		return &Snapshot{}
	}
	return &Snapshot{s.policy, now}
}

// Now returns the instant at which windows are judged, zero where there is none yet.
func (s *Snapshot) Now() time.Time { return s.at }

// Check answers whether who may do p at t: nil says yes, an error that is ErrDenied says no, any other error that it
// could not be found out. Several facts are asked in turn: a condition holds where one of them says so. It costs finding the
// subject, and a look at each group that it is in. It allocates nothing up to two dozen groups and as many statements in
// reach, in a catalog of up to 31 conditions.
func (s *Snapshot) Check(who Subject, p Permission, t Scope, facts ...Facts) error {
	if s.at.IsZero() {
		return errNoInstant()
	}
	now := instant{at: s.at}
	return s.check(&now, &who, &p, &t, facts)
}

func errNoInstant() error {
	return problem(ErrInvalid, "snapshot", "", "a snapshot without an instant answers no questions; call At first")
}

func (s *Snapshot) check(now *instant, who *Subject, p *Permission, t *Scope, facts []Facts) error {
	if len(facts) == 0 || len(facts) == 1 && s.policy.catalog.checkFacts(facts[0]) == nil {
		if r, plain := s.policy.glance(now, who, p, t); plain {
			if r == Granted {
				return nil
			}
			return r
		}
	}
	return s.checkFully(now, who, p, t, facts)
}

// checkFully is check without the short way.
func (s *Snapshot) checkFully(now *instant, who *Subject, p *Permission, t *Scope, facts []Facts) error {
	q := question{now: *now}
	if err := q.ready(s.policy, who, p, t); err != nil {
		return err
	}
	if len(facts) > 0 {
		if err := q.giveFacts(joinFacts(facts)); err != nil {
			return err
		}
	}
	if r := q.verdict(); r != Granted {
		return r
	}
	return nil
}

// Decide answers a request with its reasons. An error says that it could not be found out; the Decision then denies.
// It costs a few microseconds and allocates.
func (s *Snapshot) Decide(r Request) (Decision, error) {
	now := instant{at: s.at}
	return s.decide(&now, r)
}

func (s *Snapshot) decide(now *instant, r Request) (Decision, error) {
	if !r.Now.IsZero() {
		*now = instant{at: r.Now}
	}
	if s.policy == nil || now.clock == nil && now.at.IsZero() {
		return Decision{}, errNoInstant()
	}
	r.Groups = slices.Clone(r.Groups) // a decision keeps its request
	q := question{now: *now}
	if err := q.ready(s.policy, &r.Subject, &r.Permission, &r.Scope); err != nil {
		return Decision{}, err
	}
	if err := q.giveFacts(r.Facts); err != nil {
		return Decision{}, err
	}
	reason, err := q.readyRare(r.Subject, &ViewOptions{Groups: r.Groups, Actor: r.Actor, Narrow: r.Narrow})
	if err != nil {
		return Decision{}, err
	}
	if r.Now.IsZero() {
		r.Now = q.now.now()
	}
	switch reason {
	case Suspended:
		return q.suspended(r, r.Actor), nil
	case Narrowed:
		return Decision{request: r, reason: Narrowed, revision: s.policy.revision}, nil
	}
	return q.explain(r), nil
}
