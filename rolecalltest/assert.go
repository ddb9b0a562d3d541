package rolecalltest

import (
	"context"
	"errors"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// A Decider answers with reasons: a *rolecall.Resolver, a *Policy.
type Decider interface {
	Decide(context.Context, rolecall.Request) (rolecall.Decision, error)
}

// Allow fails the test, with the explanation, where who may not do p at t.
func Allow(tb testing.TB, d Decider, who rolecall.Subject, p rolecall.Permission, t rolecall.Scope, facts ...rolecall.Facts) {
	tb.Helper()
	AllowRequest(tb, d, rolecall.Request{Subject: who, Permission: p, Scope: t, Facts: join(facts)})
}

// Deny fails the test, with the explanation, where who may do p at t. A question that cannot be answered is no denial:
// it fails the test, too.
func Deny(tb testing.TB, d Decider, who rolecall.Subject, p rolecall.Permission, t rolecall.Scope, facts ...rolecall.Facts) {
	tb.Helper()
	DenyRequest(tb, d, rolecall.Request{Subject: who, Permission: p, Scope: t, Facts: join(facts)})
}

// AllowRequest is Allow for a request with groups, an actor, a narrowing or an instant.
func AllowRequest(tb testing.TB, d Decider, r rolecall.Request) {
	tb.Helper()
	if got, ok := decide(tb, d, r); ok && !got.Allowed() {
		tb.Errorf("want allowed, got\n%s", got)
	}
}

// DenyRequest is Deny for a request with groups, an actor, a narrowing or an instant.
func DenyRequest(tb testing.TB, d Decider, r rolecall.Request) {
	tb.Helper()
	if got, ok := decide(tb, d, r); ok && got.Allowed() {
		tb.Errorf("want denied, got\n%s", got)
	}
}

func decide(tb testing.TB, d Decider, r rolecall.Request) (rolecall.Decision, bool) {
	tb.Helper()
	got, err := d.Decide(context.Background(), r)
	if err != nil {
		tb.Errorf("%s %s at %s: %v", r.Subject, r.Permission, r.Scope, err)
		return got, false
	}
	return got, true
}

// join returns several facts as one: a condition holds where one of them says so.
func join(facts []rolecall.Facts) rolecall.Facts {
	switch len(facts) {
	case 0:
		return nil
	case 1:
		return facts[0]
	}
	return rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
		var causes []error
		for _, f := range facts {
			holds, err := f.Holds(c)
			if holds && err == nil {
				return true, nil
			}
			causes = append(causes, err)
		}
		return false, errors.Join(causes...)
	})
}
