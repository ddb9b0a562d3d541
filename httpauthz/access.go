package httpauthz

import (
	"context"
	"sync"

	"github.com/rolecall-go/rolecall"
)

type accessKey struct{}

// From returns the Access of a request behind a guard; false says that no guard let it in.
func From(ctx context.Context) (*Access, bool) {
	a, ok := ctx.Value(accessKey{}).(*Access)
	return a, ok
}

// An Access is who makes a request and the policy as it was when the first guard saw it. It answers further questions
// of the request, consistently with each other. It is safe for concurrent use, also by the facts of a question that it is
// asked, and to be dropped with the request.
type Access struct {
	*pinned
	at rolecall.Scope // guarded by mu
}

// pinned is what the guards share that one caller comes to in one request.
type pinned struct {
	guard    *Guard
	who      Identity
	snapshot *rolecall.Snapshot

	mu   sync.Mutex
	view *rolecall.View // nil while it is lent out
}

// see returns a view of the caller.
func (p *pinned) see() (*rolecall.View, error) {
	return p.snapshot.For(p.who.Subject, &rolecall.ViewOptions{Groups: p.who.Groups, Actor: p.who.Actor, Narrow: p.who.Narrow})
}

// ask lends the view out for a question: it belongs to one goroutine, and is not to be asked by the facts of a question
// that it answers. Where it is lent out already another one is made.
func (p *pinned) ask(question func(*rolecall.View) error) error {
	p.mu.Lock()
	view := p.view
	p.view = nil
	p.mu.Unlock()
	if view == nil {
		var err error
		if view, err = p.see(); err != nil {
			return err
		}
	}
	err := question(view)
	p.mu.Lock()
	p.view = view
	p.mu.Unlock()
	return err
}

// Subject returns whose rights count.
func (a *Access) Subject() rolecall.Subject { return a.who.Subject }

// Actor returns who acts as Subject, zero where Subject acts itself.
func (a *Access) Actor() rolecall.Subject { return a.who.Actor }

// Meta returns how a change of policy made by this request is to be signed. When somebody acts as Subject, both are
// named and both must be permitted.
func (a *Access) Meta(reason string) rolecall.Meta {
	if a.who.Actor.IsZero() {
		return rolecall.Meta{Actor: a.who.Subject, Reason: reason}
	}
	return rolecall.Meta{Actor: a.who.Actor, OnBehalf: a.who.Subject, Reason: reason}
}

// Scope returns the place at which the innermost guard in front of whoever asked From let the request pass, zero where
// none asked for one. What a guard further in lets pass does not move it.
func (a *Access) Scope() rolecall.Scope {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}

func (a *Access) arrive(at rolecall.Scope) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = at
}

// Snapshot returns the pinned policy, for questions that Access does not know.
func (a *Access) Snapshot() *rolecall.Snapshot { return a.snapshot }

// Revision returns the revision of the pinned policy.
func (a *Access) Revision() rolecall.Revision { return a.snapshot.Revision() }

// Check says whether the subject may do p at t: nil for yes, ErrDenied for no, another error where that could not be
// found out.
func (a *Access) Check(ctx context.Context, p rolecall.Permission, t rolecall.Scope, facts ...rolecall.Facts) error {
	err := a.ask(func(v *rolecall.View) error { return v.Check(p, t, facts...) })
	if a.guard.o.Observe != nil {
		a.guard.observe(ctx, rolecall.Observation{
			Subject: a.who.Subject, Actor: a.who.Actor, Permission: p, Scope: t, Revision: a.Revision(), Err: err,
		})
	}
	return err
}

// CheckAll answers each permission at each target, at a cost that follows the distinct places and facts among them.
func (a *Access) CheckAll(ctx context.Context, targets []rolecall.Target, permissions ...rolecall.Permission) (*rolecall.Answers, error) {
	var answers *rolecall.Answers
	err := a.ask(func(v *rolecall.View) (err error) {
		answers, err = v.CheckAll(targets, permissions...)
		return err
	})
	if a.guard.o.ObserveBatch == nil {
		return answers, err
	}
	o := rolecall.BatchObservation{Permissions: permissions, Err: err}
	if err == nil {
		o.Asked = len(targets) * len(permissions)
		for i := range targets {
			for j := range permissions {
				if answers.Allowed(i, j) {
					o.Granted++
				}
			}
		}
	}
	a.tell(ctx, o)
	return answers, err
}

// Scopes returns the scopes of a kind at which the subject may do p, for a list page that the database filters: see the
// package sqlfilter.
func (a *Access) Scopes(ctx context.Context, kind rolecall.ScopeKind, p rolecall.Permission) (*rolecall.ScopeSet, error) {
	var set *rolecall.ScopeSet
	err := a.ask(func(v *rolecall.View) (err error) {
		set, err = v.Scopes(kind, p)
		return err
	})
	if a.guard.o.ObserveBatch == nil {
		return set, err
	}
	o := rolecall.BatchObservation{Permissions: []rolecall.Permission{p}, Kind: kind, Err: err}
	if err == nil {
		o.Asked = 1
		if !set.Empty() {
			o.Granted = 1
		}
	}
	a.tell(ctx, o)
	return set, err
}

func (a *Access) tell(ctx context.Context, o rolecall.BatchObservation) {
	o.Subject, o.Actor, o.Revision = a.who.Subject, a.who.Actor, a.Revision()
	a.guard.o.ObserveBatch(ctx, o)
}

// Decide answers with reasons, for support staff.
func (a *Access) Decide(ctx context.Context, p rolecall.Permission, t rolecall.Scope, facts rolecall.Facts) (rolecall.Decision, error) {
	var d rolecall.Decision
	err := a.ask(func(v *rolecall.View) (err error) {
		d, err = v.Decide(p, t, facts)
		return err
	})
	if a.guard.o.Observe != nil {
		o := rolecall.Observation{Subject: a.who.Subject, Actor: a.who.Actor, Permission: p, Scope: t, Revision: a.Revision(), Err: err}
		if err == nil {
			o.Err, o.Decision = d.Err(), &d
		}
		a.guard.observe(ctx, o)
	}
	return d, err
}

// Visible returns the items of a list page that the subject may do p with, in their order, in a slice of its own. Where
// tells the place of an item and the facts that hold there. An error says that some place is not valid; there is no
// list then.
//
// It judges what was loaded. Where the page is limited, let the database filter (Access.Scopes), so that a page of fifty
// has fifty.
func Visible[T any](ctx context.Context, a *Access, p rolecall.Permission, items []T, where func(T) rolecall.Target) ([]T, error) {
	targets := make([]rolecall.Target, len(items))
	for i, item := range items {
		targets[i] = where(item)
	}
	answers, err := a.CheckAll(ctx, targets, p)
	if err != nil {
		return nil, err
	}
	visible := make([]T, 0, len(items))
	for i, item := range items {
		if answers.Allowed(i, 0) {
			visible = append(visible, item)
		}
	}
	return visible, nil
}
