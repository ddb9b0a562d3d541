package httpauthz

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/rolecall-go/rolecall"
)

// A Source hands out the policy as it is now. *rolecall.Resolver is one.
type Source interface {
	Snapshot() (*rolecall.Snapshot, error)
}

// An Identity is who makes a request. Only Subject is needed; the zero Identity is nobody. A subject without an id, as of
// User(""), is malformed instead: 503.
type Identity struct {
	// Subject is whose rights count.
	Subject rolecall.Subject
	// Actor is who really sits there when somebody acts as Subject: support staff, a service with delegated rights. Both
	// are kept, in the Access and in the log; an actor who is suspended is denied everything.
	Actor rolecall.Subject
	// Groups are further groups of Subject that the credentials vouch for.
	Groups []rolecall.Subject
	// Narrow takes away: a session's roles, the scopes of an API key, read-only impersonation.
	Narrow rolecall.Narrowing
}

// valid says what is malformed about somebody who acts.
func (who Identity) valid() error {
	if err := who.Subject.Valid(); err != nil {
		return err
	}
	if who.Actor.IsZero() {
		return nil
	}
	if err := who.Actor.Valid(); err != nil {
		return fmt.Errorf("actor: %w", err)
	}
	return nil
}

// Options configure a Guard. A nil *Options is the zero Options.
type Options struct {
	// Realm is named in WWW-Authenticate. Empty is "api".
	Realm string
	// Impersonate is what an actor must hold, at Global and without any condition, to act as somebody else. Where it is
	// zero, nothing is asked: then the identify function must see to it that only those do who may.
	Impersonate rolecall.Permission
	// Log gets every refusal with its reason: as an error where it is answered with 503 or the facts could not say of a
	// condition whether it holds, which is then the cause. Nil is slog.Default().
	Log *slog.Logger
	// Observe is told of every answer that a guard or an Access gives to a single question.
	Observe rolecall.Observer
	// ObserveBatch is told of every page and set of an Access: CheckAll, Visible, Scopes.
	ObserveBatch rolecall.BatchObserver
	// Respond writes refusals instead of WriteProblem, for example a redirect to the login page for a browser. The header
	// fields of the refusal are already set.
	Respond func(http.ResponseWriter, *http.Request, Problem)
}

// A Guard lets requests pass that the policy permits. It is safe for concurrent use.
type Guard struct {
	source   Source
	identify func(*http.Request) (Identity, error)
	o        Options
}

// New returns a guard that asks source about whom identify finds in a request. Identify returns the zero Identity where
// the request has no credentials, and ErrBadCredentials where those it has are not accepted; any other error, and an
// identity that is malformed, is answered with 503. It must establish who the caller is: the guard believes it. Every
// guard on the way of a request asks it.
func New(source Source, identify func(*http.Request) (Identity, error), o *Options) *Guard {
	if source == nil || identify == nil {
		panic("httpauthz: a guard needs a source of policy and a function that identifies callers")
	}
	g := &Guard{source: source, identify: identify}
	if o != nil {
		g.o = *o
	}
	if g.o.Realm == "" {
		g.o.Realm = "api"
	}
	return g
}

// A Requirement is what a route demands.
type Requirement struct {
	Permission rolecall.Permission
	At         Place
	// Hide answers 404 where the permission is denied, as if the place did not exist.
	Hide bool
	// HideUnless answers a denial with 404, except to those who hold this permission there: who may see a task but not
	// change it is told so, everybody else learns nothing.
	HideUnless rolecall.Permission
}

// String describes the requirement on one line.
func (q Requirement) String() string {
	text := fmt.Sprintf("%s at %s", q.Permission, q.At)
	switch {
	case q.Hide:
		text += ", hidden"
	case !q.HideUnless.IsZero():
		text += fmt.Sprintf(", hidden unless %s", q.HideUnless)
	}
	return text
}

// Require lets those pass who may do p at the place of the request.
func (g *Guard) Require(p rolecall.Permission, at Place) func(http.Handler) http.Handler {
	return g.Enforce(Requirement{Permission: p, At: at})
}

// Enforce is Require with everything that a route can demand. A requirement that is malformed panics here, at start, and so
// does what it returns, where it is given no handler. Whether the catalog declares what a route demands is for a test to
// say: see rolecalltest.Routes.
func (g *Guard) Enforce(q Requirement) func(http.Handler) http.Handler {
	if err := q.valid(); err != nil {
		panic(fmt.Sprintf("httpauthz: requirement %s: %v", q, err))
	}
	return func(next http.Handler) http.Handler { return &guarded{g, q, some(next)} }
}

// some returns the handler, and panics where there is none: a request that is let in would panic instead.
func some(h http.Handler) http.Handler {
	if f, ok := h.(http.HandlerFunc); h == nil || ok && f == nil {
		panic("httpauthz: there is no handler")
	}
	return h
}

func (q Requirement) valid() error {
	if q.At.find == nil {
		return errors.New("it names no place")
	}
	if q.At.fault != nil {
		return q.At.fault
	}
	if !q.HideUnless.IsZero() {
		if err := q.HideUnless.Valid(); err != nil {
			return err
		}
	}
	return q.Permission.Valid()
}

// guarded is a handler behind a requirement.
type guarded struct {
	guard *Guard
	Requirement
	next http.Handler
}

// ServeHTTP passes the request on, or refuses it.
func (h *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, ok := h.guard.pin(w, r)
	if !ok {
		return
	}
	a, _ := From(r.Context())
	at, facts, err := h.locate(r, a.Subject())
	if err != nil {
		h.guard.refuse(w, r, refusal{err: err, access: a, requirement: &h.Requirement, at: at})
		return
	}
	facts, failed := watch(facts)
	if err = a.Check(r.Context(), h.Permission, at, facts); err == nil {
		a.arrive(at)
		h.next.ServeHTTP(w, r)
		return
	}
	hidden := errors.Is(err, rolecall.ErrDenied) && h.hides(r.Context(), a, at, facts)
	h.guard.refuse(w, r, refusal{err: err, cause: failed.cause(), access: a, requirement: &h.Requirement, at: at, hidden: hidden})
}

// hides says whether a denial is to look as if the place did not exist.
func (h *guarded) hides(ctx context.Context, a *Access, at rolecall.Scope, facts rolecall.Facts) bool {
	return h.Hide || !h.HideUnless.IsZero() && a.Check(ctx, h.HideUnless, at, facts) != nil
}

func (h *guarded) locate(r *http.Request, who rolecall.Subject) (rolecall.Scope, rolecall.Facts, error) {
	at, err := h.At.find(r)
	if err != nil || h.At.facts == nil {
		return at, nil, err
	}
	facts, err := h.At.facts(r, who, at)
	return at, facts, err
}

// Identify pins the policy and the caller for what comes behind it, and refuses only where the caller is not known (401)
// or something could not be found out (503). It is for handlers that ask by themselves, through From: a list page that
// shows what its reader may see. A Mux takes it as a requirement, and its table says so. A route with Require does not
// need it.
func (g *Guard) Identify(next http.Handler) http.Handler { return &identified{g, some(next)} }

// identified is a handler for anybody who is known.
type identified struct {
	guard *Guard
	next  http.Handler
}

// ServeHTTP passes the request on, or refuses it.
func (h *identified) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r, ok := h.guard.pin(w, r); ok {
		h.next.ServeHTTP(w, r)
	}
}

// pin returns the request with an Access in its context, or refuses it.
func (g *Guard) pin(w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	a, err := g.access(r)
	if err != nil {
		g.refuse(w, r, refusal{err: err, access: a})
		return nil, false
	}
	return r.WithContext(context.WithValue(r.Context(), accessKey{}, a)), true
}

// errNobody is a request without credentials.
const errNobody = Error("no credentials")

// access finds out who asks and pins the policy, or goes on with the one that is pinned for that caller. A request that a
// handler makes with the context of its own may be somebody else's. With an error the Access tells who it was, as far as
// that is known.
func (g *Guard) access(r *http.Request) (*Access, error) {
	who, err := g.identify(r)
	a := &Access{pinned: &pinned{guard: g, who: who}}
	switch {
	case err != nil:
		return a, fmt.Errorf("identify: %w", err)
	case who.Subject.IsZero():
		if !who.Actor.IsZero() {
			return a, errors.New("identify: an actor without a subject")
		}
		return a, errNobody
	}
	if err := who.valid(); err != nil {
		return a, fmt.Errorf("identify: %w", err)
	}
	if before, ok := From(r.Context()); ok && before.guard == g && reflect.DeepEqual(before.who, who) {
		return &Access{pinned: before.pinned, at: before.Scope()}, nil
	}
	if a.snapshot, err = g.source.Snapshot(); err != nil {
		return a, err
	}
	if err := g.mayImpersonate(r.Context(), a); err != nil {
		return a, err
	}
	a.view, err = a.see()
	return a, err
}

func (g *Guard) mayImpersonate(ctx context.Context, a *Access) error {
	if a.who.Actor.IsZero() || g.o.Impersonate.IsZero() {
		return nil
	}
	err := a.snapshot.Check(a.who.Actor, g.o.Impersonate, rolecall.Global())
	g.observe(ctx, rolecall.Observation{
		Subject: a.who.Actor, Permission: g.o.Impersonate, Scope: rolecall.Global(), Revision: a.Revision(), Err: err,
	})
	return err
}

func (g *Guard) observe(ctx context.Context, o rolecall.Observation) {
	if g.o.Observe != nil {
		g.o.Observe(ctx, o)
	}
}

func (g *Guard) log() *slog.Logger {
	if g.o.Log != nil {
		return g.o.Log
	}
	return slog.Default()
}
