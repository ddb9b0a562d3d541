// Package httpauthz guards HTTP routes with a Rolecall policy: what a route needs stands beside the route.
//
//	guard := httpauthz.New(resolver, identify, nil)
//	mux := httpauthz.NewMux()
//	mux.Handle("GET /projects/{project}/shots/{shot}", guard.Require(ShotView, httpauthz.Path("project", "shot"))(showShot))
//	mux.Handle("GET /about", httpauthz.Public(about))
//
// A Mux refuses a route without a requirement; with another router Require is the same func(http.Handler) http.Handler.
//
// # Answers
//
// Caller not known: 401. Known and not permitted: 403, or 404 where the route hides what exists. No such place: 404. A
// request that can be read in two ways: 400. Could not be found out: 503. The body is a problem (RFC 9457) that names
// none of subject, permission, place, role and reason; those go to the log. A handler that asks by itself answers the same
// way with Access.Refuse.
//
// # One request, one policy
//
// The first guard of a request pins a snapshot, and every later question in that request is asked of it, through the
// Access that From finds in the context. So a page does not show a button that its own list contradicts. A handler that
// goes on for long, one that streams for example, has to ask the resolver again from time to time.
//
// Requests that a handler makes with the context of its own, of a batch for example, are part of its request as long as
// they are those of the same caller: each guard identifies the caller again, and pins anew for another one.
//
// # Places
//
// A Place says where a request wants to act. Path reads the values that the router matched, never the raw path, so an
// encoded slash stays inside one id. The handler acts on Access.Scope, or on the same values, and on nothing else.
package httpauthz
