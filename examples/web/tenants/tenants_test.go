package main

import (
	"net/http/httptest"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

func TestTenants(t *testing.T) {
	p := rolecalltest.Load(t, "policy.rolecall")
	mux := routes(p.Resolver)
	rolecalltest.CheckRoutes(t, mux.Routes(), p.Catalog())
	// In order: what one request changes the next one sees.
	for _, tc := range []struct {
		method, target, user, as string
		want                     int
		body                     string
	}{
		{"GET", "/t/acme/documents/plan", "bea", "", 200, "user:bea reads /tenant:acme/document:plan\n"},
		{"GET", "/t/acme/documents/plan", "", "", 401, ""},
		{"GET", "/t/acme/documents/plan", "zoe", "", 404, ""},
		{"GET", "/t/zenith/documents/plan", "bea", "", 404, ""},
		{"GET", "/t/acme%2Fdocument:plan/documents/x", "bea", "", 404, ""},
		{"GET", "/t/ACME/documents/plan", "bea", "", 404, ""},

		{"GET", "/t/acme/documents/plan", "carl", "", 404, ""},
		{"PUT", "/t/acme/members/carl/editor", "bea", "", 403, ""},
		{"PUT", "/t/acme/members/carl/editor", "zoe", "", 404, ""},
		{"PUT", "/t/acme/members/carl/editor", "ann", "", 204, ""},
		{"GET", "/t/acme/documents/plan", "carl", "", 200, "user:carl reads /tenant:acme/document:plan\n"},
		{"GET", "/t/zenith/documents/plan", "carl", "", 404, ""},
		{"PUT", "/t/zenith/members/carl/editor", "ann", "", 403, ""},
		{"PUT", "/t/acme/members/carl/support", "ann", "", 400, ""},
		{"PUT", "/t/acme/members/carl/nonsense", "ann", "", 400, ""},

		{"GET", "/t/acme/documents/plan", "sue", "", 404, ""},
		{"GET", "/t/acme/documents/plan", "sue", "bea", 200, "user:sue reads /tenant:acme/document:plan as user:bea\n"},
		{"PUT", "/t/acme/members/sue/editor", "sue", "ann", 403, ""},
		{"GET", "/t/acme/documents/plan", "zoe", "bea", 403, ""},
	} {
		r := httptest.NewRequest(tc.method, tc.target, nil)
		r.Header.Set("User", tc.user)
		r.Header.Set("Act-As", tc.as)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != tc.want || tc.body != "" && w.Body.String() != tc.body {
			t.Errorf("%s %s as %q for %q: got %d %s, want %d %s", tc.method, tc.target, tc.user, tc.as, w.Code, w.Body, tc.want, tc.body)
		}
	}
}

// An administrator of one tenant gives nothing that reaches another one.
func TestNobodyClimbsOutOfATenant(t *testing.T) {
	p := rolecalltest.Load(t, "policy.rolecall")
	for _, g := range []rolecall.Grant{
		{Subject: rolecall.User("ann"), Role: "editor", Scope: rolecall.Global()},
		{Subject: rolecall.User("ann"), Role: "editor", Scope: rolecall.In("tenant", "zenith")},
		{Subject: rolecall.User("ann"), Role: "support", Scope: rolecall.Global()},
	} {
		if _, err := p.Resolver.Edit(t.Context(), rolecall.Meta{Actor: rolecall.User("ann")}, rolecall.Put(g)); err == nil {
			t.Errorf("%s by user:ann: got no error, want a refusal", g)
		}
	}
}
