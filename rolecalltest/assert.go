package rolecalltest

import (
	"context"
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
// it fails the test, too. So does a condition that the policy does not declare, in each Given and in *Facts.
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
	got, err := ask(d, r)
	if err != nil {
		tb.Errorf("%s %s at %s: %v", r.Subject, r.Permission, r.Scope, err)
		return got, false
	}
	return got, true
}

// ask answers a request, unless it names a condition that is not declared: a resolver looks into a Given alone, and what is
// misspelt elsewhere would be denied for that reason.
func ask(d Decider, r rolecall.Request) (rolecall.Decision, error) {
	if keeper, ok := d.(interface {
		Snapshot() (*rolecall.Snapshot, error)
	}); ok {
		if s, err := keeper.Snapshot(); err == nil { // otherwise Decide tells
			if err := declared(s, conditions(r.Facts)); err != nil {
				return rolecall.Decision{}, err
			}
		}
	}
	return d.Decide(context.Background(), r)
}

// declared asks the snapshot a question about nobody, in which nothing can be wrong but the conditions.
func declared(s *rolecall.Snapshot, names rolecall.Given) error {
	_, err := s.Decide(rolecall.Request{Subject: rolecall.Everyone(), Permission: rolecall.RoleCreate, Scope: rolecall.Global(), Facts: names})
	return err
}
