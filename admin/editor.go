package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// Options configure an Editor. A nil *Options is the zero Options.
type Options struct {
	// OnBehalf is for whom the actor acts; both must be permitted.
	OnBehalf rolecall.Subject
	// Before is asked about each change once it is judged and before it is committed; an error vetoes it, and is what
	// the caller gets inside a *VetoError. The hooks are asked in order, and again where somebody else committed
	// meanwhile. They run while nothing is locked and must do nothing but look.
	Before []func(context.Context, Event) error
	// After is told of each change once it is committed.
	After []func(context.Context, Event)
	// BreakGlass is told of each committed break-glass activation, before After is: here it gets loud.
	BreakGlass []func(context.Context, Event)
	// NeedsApproval says which activations take a second person. Nil says none does.
	NeedsApproval func(*rolecall.Snapshot, rolecall.Activation) bool
}

// An Event is a change as hooks are told of it.
type Event struct {
	Entry rolecall.Entry     // what it adds to the history; its Deltas must not be changed
	Base  *rolecall.Snapshot // the policy that it was judged against
	Next  *rolecall.Snapshot // the policy that it makes
}

// An Editor changes policy for an acting subject, by Resolver.Update: what it returns is the revision committed, which
// the resolver enforces from then on, or an error after which nothing is changed. An edit that alters nothing is no
// change, and returns the revision that is. It is safe for concurrent use and may be copied.
type Editor struct {
	resolver *rolecall.Resolver
	actor    rolecall.Subject
	session  *Session // by which the actor acts, nil for none
	reason   string
	options  Options
	approved bool // its activations take no second person
}

// For returns an editor for an acting subject. An invalid or undeclared one is refused with each edit; so is the zero
// Subject, which would be the host itself.
func For(r *rolecall.Resolver, actor rolecall.Subject, o *Options) *Editor {
	e := &Editor{resolver: r, actor: actor}
	if o != nil {
		e.options = *o
	}
	return e
}

// ForSession returns an editor for who acts by a session or an API key: it makes and gives no more than what the session
// leaves, and is refused once the session is over. Where the session has an actor, that is who acts, on behalf of its
// subject, and both must be permitted: an owner's key that manages policy has roles of its own as well.
func ForSession(r *rolecall.Resolver, x Session, o *Options) *Editor {
	e := For(r, x.Subject, o)
	e.session = &x
	if !x.Actor.IsZero() && x.Actor != x.Subject {
		e.actor = x.Actor
		if e.options.OnBehalf.IsZero() {
			e.options.OnBehalf = x.Subject
		}
	}
	return e
}

// Because returns the same editor with a reason for what it does, which the history keeps.
func (e *Editor) Because(reason string) *Editor {
	c := *e
	c.reason = reason
	return &c
}

// Do makes several edits as one change: all of them or none. The other methods are shorter ways to say it.
func (e *Editor) Do(ctx context.Context, edits ...rolecall.Edit) (rolecall.Revision, error) {
	return e.apply(ctx, exactly(edits...))
}

// A plan says what to change in the present policy.
type plan func(*rolecall.Snapshot) ([]rolecall.Edit, error)

// exactly is the plan to make these edits, whatever the policy.
func exactly(edits ...rolecall.Edit) plan {
	return func(*rolecall.Snapshot) ([]rolecall.Edit, error) { return edits, nil }
}

// breakGlass begins the reason of each change that is recorded louder, and of no other one.
const breakGlass = "break-glass: "

func (e *Editor) meta() rolecall.Meta {
	reason := e.reason
	for strings.HasPrefix(reason, breakGlass) {
		reason = strings.TrimPrefix(reason, breakGlass)
	}
	return rolecall.Meta{Actor: e.actor, OnBehalf: e.options.OnBehalf, Reason: reason}
}

func (e *Editor) apply(ctx context.Context, p plan) (rolecall.Revision, error) {
	return e.applyAs(ctx, e.meta(), p)
}

func (e *Editor) applyAs(ctx context.Context, m rolecall.Meta, p plan) (rolecall.Revision, error) {
	if m.Actor.IsZero() {
		return 0, refuse(nil, rolecall.Change{}, wrong(rolecall.ErrInvalid, "", "an edit is made by somebody"))
	}
	var last attempt
	revision, err := e.resolver.Update(ctx, m, func(s *rolecall.Snapshot) (rolecall.Change, error) {
		var err error
		last, err = e.try(ctx, s, m, p)
		return rolecall.Change{Narrow: last.change.Narrow, Edits: last.change.Edits}, err
	})
	if err != nil {
		return 0, refuse(last.base, last.change, err)
	}
	if last.event.Next != nil && last.event.Entry.Revision == revision {
		e.tell(ctx, last.event)
	}
	return revision, nil
}

// An attempt is one try at a change, against one snapshot.
type attempt struct {
	base   *rolecall.Snapshot
	change rolecall.Change
	event  Event // where there are hooks
}

func (e *Editor) try(ctx context.Context, s *rolecall.Snapshot, m rolecall.Meta, p plan) (attempt, error) {
	a := attempt{base: s, change: rolecall.Change{Meta: m}}
	var err error
	if a.change.Narrow, err = e.left(s); err != nil {
		return a, err
	}
	if a.change.Edits, err = p(s); err != nil || len(a.change.Edits) == 0 {
		return a, err
	}
	waits := !e.approved && slices.ContainsFunc(a.change.Edits, func(edit rolecall.Edit) bool { return e.needsApproval(s, edit) })
	if !waits && !e.hooked() {
		return a, nil
	}
	proposal, err := s.Propose(a.change)
	if err != nil {
		return a, err
	}
	if waits {
		return a, ErrNeedsApproval
	}
	if len(proposal.Entry().Deltas) == 0 {
		return a, nil
	}
	a.event = Event{proposal.Entry(), s, proposal.Next().At(s.Now())}
	for _, ask := range e.options.Before {
		if err := ask(ctx, a.event); err != nil {
			return a, &VetoError{Cause: err}
		}
	}
	return a, nil
}

// left returns what the session leaves.
func (e *Editor) left(s *rolecall.Snapshot) (rolecall.Narrowing, error) {
	if e.session == nil {
		return rolecall.Narrowing{}, nil
	}
	if e.session.Subject != e.actor && (e.session.Roles != nil || e.options.OnBehalf != e.session.Subject) {
		return rolecall.Narrowing{}, problem(rolecall.ErrInvalid, "session", e.actor.String(),
			"who acts for somebody by a session does so for its subject alone and with all of its roles")
	}
	return e.session.Narrowing(), e.session.Valid(s)
}

func (e *Editor) hooked() bool {
	return len(e.options.Before)+len(e.options.After)+len(e.options.BreakGlass) > 0
}

func (e *Editor) tell(ctx context.Context, event Event) {
	hooks := e.options.After
	if IsBreakGlass(event.Entry) {
		hooks = append(append(hooks[:0:0], e.options.BreakGlass...), hooks...)
	}
	for _, hook := range hooks {
		hook(ctx, event)
	}
}

// IsBreakGlass says whether an entry of the history is a break-glass activation.
func IsBreakGlass(e rolecall.Entry) bool { return strings.HasPrefix(e.Reason, breakGlass) }
