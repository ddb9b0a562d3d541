package httpauthz_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

var (
	shotView   = rolecall.NewPermission("shot.view")
	shotUpdate = rolecall.NewPermission("shot.update")
	mayActAs   = rolecall.NewPermission("support.impersonate")
)

const studio = `
permission shot.view
permission shot.update
permission support.impersonate
condition assigned
kind scope project
kind scope shot

role viewer
  allow shot.view
role artist
  inherits viewer
  allow shot.update when assigned
role support
  allow support.impersonate

grant user:ada artist at /project:alpha
grant user:bob viewer at /project:alpha/shot:010
grant user:sue support at /
grant user:ada viewer at /project:a%2Fb
suspend user:gone
grant user:gone artist at /
`

func resolver(t testing.TB) *rolecall.Resolver {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open() (*rolecall.Resolver, error) {
	_, s, err := policy.Load("studio", []byte(studio))
	if err != nil {
		return nil, err
	}
	return rolecall.Open(context.Background(), memstore.With(s), s.Catalog(), nil)
}

// identify believes a header, as only a test may.
func identify(r *http.Request) (httpauthz.Identity, error) {
	var id httpauthz.Identity
	switch name := r.Header.Get("Test-User"); name {
	case "":
	case "forged":
		return id, fmt.Errorf("signature: %w", httpauthz.ErrBadCredentials)
	case "nobody-knows":
		return id, errors.New("the identity provider is down")
	default:
		id.Subject = rolecall.User(name)
	}
	if actor := r.Header.Get("Test-Actor"); actor != "" {
		id.Actor = rolecall.User(actor)
	}
	if r.Header.Get("Test-Key") == "read-only" {
		id.Narrow = rolecall.ToPatterns("*.view")
	}
	return id, nil
}

// A site is a guarded mux and what it logged.
type site struct {
	mux *httpauthz.Mux
	log *bytes.Buffer
}

func newSite(t testing.TB, o httpauthz.Options) site {
	var s site
	s.log = &bytes.Buffer{}
	o.Log = slog.New(slog.NewTextHandler(s.log, nil))
	guard := httpauthz.New(resolver(t), identify, &o)
	assigned := func(r *http.Request, who rolecall.Subject, at rolecall.Scope) (rolecall.Facts, error) {
		if at.ID() == "broken" {
			return nil, errors.New("the database is down")
		}
		return rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return at.ID() == "010", nil }), nil
	}
	where := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, _ := httpauthz.From(r.Context())
		fmt.Fprintf(w, "%s as %s at %s", a.Actor(), a.Subject(), a.Scope())
	})
	shot := httpauthz.Path("project", "shot")
	s.mux = httpauthz.NewMux()
	s.mux.Handle("GET /open", httpauthz.Public(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })))
	s.mux.Handle("GET /me", guard.Identify(where))
	s.mux.Handle("GET /projects/{project}/shots/{shot}", guard.Require(shotView, shot)(where))
	s.mux.Handle("PUT /projects/{project}/shots/{shot}", guard.Enforce(httpauthz.Requirement{
		Permission: shotUpdate, At: shot.WithFacts(assigned), HideUnless: shotView,
	})(where))
	s.mux.Handle("GET /secret/{project}", guard.Enforce(httpauthz.Requirement{Permission: shotView, At: httpauthz.Path("project"), Hide: true})(where))
	s.mux.Handle("GET /search", guard.Require(shotView, httpauthz.Query("project", "project"))(where))
	s.mux.Handle("GET /load/{id}", guard.Require(shotView, httpauthz.PlaceFunc("loaded by id", func(r *http.Request) (rolecall.Scope, error) {
		switch r.PathValue("id") {
		case "7":
			return rolecall.In("project", "alpha"), nil
		case "8":
			return rolecall.Scope{}, fmt.Errorf("task 8: %w", httpauthz.ErrNotFound)
		}
		return rolecall.Scope{}, errors.New("the database is down")
	}))(where))
	return s
}

// get asks as user; more are header fields.
func (s site) get(method, target, user string, more ...string) *httptest.ResponseRecorder {
	return ask(s.mux, method, target, user, more...)
}

// ask returns what a handler answers to a user; more are header fields.
func ask(h http.Handler, method, target, user string, more ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, requestAs(user, method, target, more...))
	return w
}

func requestAs(user, method, target string, more ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	if user != "" {
		r.Header.Set("Test-User", user)
	}
	for i := 0; i < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	return r
}

// What a route answers: nobody 401, not permitted 403 or 404, no such place 404, two readings 400, cannot say 503.
func TestGuardAnswers(t *testing.T) {
	for _, tc := range []struct {
		method, target, user string
		status               int
		code                 string
	}{
		{"GET", "/open", "", 200, ""},
		{"GET", "/me", "eve", 200, ""},
		{"GET", "/me", "", 401, "unauthenticated"},
		{"GET", "/projects/alpha/shots/010", "ada", 200, ""},
		{"GET", "/projects/alpha/shots/010", "bob", 200, ""},
		{"GET", "/projects/alpha/shots/020", "bob", 403, "denied"},
		{"GET", "/projects/alpha/shots/010", "", 401, "unauthenticated"},
		{"GET", "/projects/alpha/shots/010", "forged", 401, "invalid-token"},
		{"GET", "/projects/alpha/shots/010", "nobody-knows", 503, "unavailable"},
		{"GET", "/projects/alpha/shots/010", "gone", 403, "denied"},
		{"HEAD", "/projects/alpha/shots/020", "bob", 403, ""},
		{"PUT", "/projects/alpha/shots/010", "ada", 200, ""},
		{"PUT", "/projects/alpha/shots/020", "ada", 403, "denied"},
		{"PUT", "/projects/alpha/shots/010", "bob", 403, "denied"},
		{"PUT", "/projects/alpha/shots/020", "bob", 404, "not-found"},
		{"PUT", "/projects/alpha/shots/broken", "ada", 503, "unavailable"},
		{"GET", "/secret/alpha", "ada", 200, ""},
		{"GET", "/secret/alpha", "bob", 404, "not-found"},
		{"GET", "/secret/alpha", "", 401, "unauthenticated"},
		{"GET", "/search?project=alpha", "ada", 200, ""},
		{"GET", "/search?project=beta", "ada", 403, "denied"},
		{"GET", "/search?project=alpha&project=beta", "ada", 400, "bad-request"},
		{"GET", "/search?project=beta&project=alpha", "ada", 400, "bad-request"},
		{"GET", "/search?project=alpha;project=beta", "ada", 400, "bad-request"},
		{"GET", "/search?project=", "ada", 400, "bad-request"},
		{"GET", "/search", "ada", 400, "bad-request"},
		{"GET", "/search?Project=alpha", "ada", 400, "bad-request"},
		{"GET", "/search?project=alpha&%zz", "ada", 400, "bad-request"},
		{"GET", "/load/7", "ada", 200, ""},
		{"GET", "/load/8", "ada", 404, "not-found"},
		{"GET", "/load/9", "ada", 503, "unavailable"},
	} {
		w := newSite(t, httpauthz.Options{}).get(tc.method, tc.target, tc.user)
		if w.Code != tc.status {
			t.Errorf("%s %s as %q: got status %d %s, want %d", tc.method, tc.target, tc.user, w.Code, w.Body, tc.status)
		}
		if tc.code == "" {
			continue
		}
		var p httpauthz.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Errorf("%s %s as %q: body %q: %v", tc.method, tc.target, tc.user, w.Body, err)
		}
		want := httpauthz.Problem{Type: "about:blank", Title: http.StatusText(tc.status), Status: tc.status, Code: tc.code}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("%s %s as %q: problem (-want +got):\n%s", tc.method, tc.target, tc.user, diff)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s %s as %q: got Content-Type %q, want application/problem+json", tc.method, tc.target, tc.user, got)
		}
	}
}

// The path is read as the router matched it: what is encoded stays inside one id, and no spelling of a path leads into
// a place that its plain spelling does not.
func TestHostilePaths(t *testing.T) {
	for _, tc := range []struct {
		target, user string
		status       int
		body         string
	}{
		{"/projects/a%2Fb/shots/1", "ada", 200, "(no subject) as user:ada at /project:a%2Fb/shot:1"},
		{"/projects/a%2fb/shots/1", "ada", 200, "(no subject) as user:ada at /project:a%2Fb/shot:1"},
		{"/projects/a/b/shots/1", "ada", 404, ""},
		{"/projects/alpha%2Fshot:010/shots/1", "bob", 403, ""},
		{"/projects/alpha/shots/010%2Fx", "bob", 403, ""},
		{"/projects/alpha/shots/010%00", "bob", 404, ""},
		{"/projects/alpha/shots/%ff", "ada", 404, ""},
		{"/projects/alpha/shots/" + strings.Repeat("x", 257), "ada", 404, ""},
		{"/projects/alpha/shots/%30%31%30", "bob", 200, "(no subject) as user:bob at /project:alpha/shot:010"},
		{"/projects/alpha%2Fshots%2F010", "bob", 404, ""},
		{"/projects/Alpha/shots/010", "bob", 403, ""},
		{"/Projects/alpha/shots/010", "bob", 404, ""},
		{"/projects/alpha/shots/010/", "bob", 404, ""},
		{"/projects/alpha/shots/010;x=1", "bob", 403, ""},
		{"/projects/alpha/shots/010%20", "bob", 403, ""},
		{"/projects/beta%2F..%2Falpha/shots/010", "bob", 403, ""},
		{"/projects/beta/%2e%2e/alpha/shots/010", "bob", 0, ""},
		{"/projects/beta/../alpha/shots/010", "bob", 0, ""},
		{"/projects//shots/010", "ada", 0, ""},
		{"//projects/alpha/shots/020", "bob", 0, ""},
		{"/projects/alpha/shots/010?shot=020&project=beta", "bob", 200, "(no subject) as user:bob at /project:alpha/shot:010"},
	} {
		w := newSite(t, httpauthz.Options{}).get("GET", tc.target, tc.user)
		// Status 0 stands for: sent elsewhere, or not found, but nothing was served.
		if tc.status == 0 {
			if w.Code == 200 {
				t.Errorf("GET %s as %s: got 200 %q, want a redirect or a refusal", tc.target, tc.user, w.Body)
			}
			continue
		}
		if w.Code != tc.status || tc.body != "" && w.Body.String() != tc.body {
			t.Errorf("GET %s as %s: got %d %q, want %d %q", tc.target, tc.user, w.Code, w.Body, tc.status, tc.body)
		}
	}
}

// What is hidden and what does not exist are the same bytes and the same header.
func TestHiddenCannotBeToldFromMissing(t *testing.T) {
	s := newSite(t, httpauthz.Options{})
	hidden := s.get("GET", "/secret/alpha", "bob")
	missing := s.get("GET", "/load/8", "bob")
	malformed := s.get("GET", "/secret/%01", "bob")
	for name, other := range map[string]*httptest.ResponseRecorder{"missing": missing, "malformed": malformed} {
		if diff := cmp.Diff(hidden.Header(), other.Header()); diff != "" {
			t.Errorf("header of hidden and %s differ:\n%s", name, diff)
		}
		if hidden.Code != other.Code || hidden.Body.String() != other.Body.String() {
			t.Errorf("hidden: %d %q, %s: %d %q, want the same", hidden.Code, hidden.Body, name, other.Code, other.Body)
		}
	}
}

// A refusal names nothing to the client and everything to the log.
func TestRefusalsLeakNothingAndAreLogged(t *testing.T) {
	s := newSite(t, httpauthz.Options{})
	w := s.get("GET", "/projects/alpha/shots/020", "bob", "Test-Actor", "sue")
	answer := w.Body.String() + fmt.Sprint(w.Header())
	for _, secret := range []string{"bob", "sue", "alpha", "020", "shot.view", "viewer", "nothing said", "revision"} {
		if strings.Contains(answer, secret) {
			t.Errorf("the refusal %q tells %q", answer, secret)
		}
		if secret == "viewer" {
			continue
		}
		if !strings.Contains(s.log.String(), secret) {
			t.Errorf("the log %q does not tell %q", s.log, secret)
		}
	}
}

// Facts that fail at one condition are no reason to answer 503, since another grant may allow, but a refusal in which they
// did is an error in the log, with the cause; any other one is not.
func TestFactsThatFailAreLoggedAsErrors(t *testing.T) {
	say := func(ok bool, err error) rolecall.Facts {
		return rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return ok, err })
	}
	for _, tc := range []struct {
		name, user string
		facts      rolecall.Facts
		hide       bool
		status     int
		log        string // "" for nothing at all
	}{
		{"down", "ada", say(false, errors.New("the table is down")), false, 403, `level=ERROR .*error="denied: .*" cause="condition assigned: the table is down"`},
		{"down behind Hide", "ada", say(false, errors.New("the table is down")), true, 404, `level=ERROR .*cause="condition assigned: the table is down"`},
		{"panic", "ada", rolecall.FactFunc(func(rolecall.Condition) (bool, error) { panic("no table") }), false, 403, `level=ERROR .*cause="condition assigned: panic: no table"`},
		{"true and down", "ada", say(true, errors.New("the table is down")), false, 403, `level=ERROR .*cause="condition assigned: the table is down"`},
		{"does not hold", "ada", say(false, nil), false, 403, `level=INFO [^\n]*error="denied: [^"]*"\n$`},
		{"holds", "ada", say(true, nil), false, 200, ""},
		{"a set", "ada", rolecall.Given{"assigned"}, false, 200, ""},
		{"none", "ada", nil, false, 403, `level=INFO [^\n]*error="denied: [^"]*"\n$`},
		{"down and not asked", "bob", say(false, errors.New("the table is down")), false, 403, `level=INFO [^\n]*error="denied: [^"]*"\n$`},
	} {
		log := &bytes.Buffer{}
		guard := httpauthz.New(resolver(t), identify, &httpauthz.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
		at := httpauthz.Fixed(rolecall.In("project", "alpha")).WithFacts(func(*http.Request, rolecall.Subject, rolecall.Scope) (rolecall.Facts, error) { return tc.facts, nil })
		h := guard.Enforce(httpauthz.Requirement{Permission: shotUpdate, At: at, Hide: tc.hide})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		w := ask(h, "PUT", "/", tc.user)
		if w.Code != tc.status || tc.log == "" && log.Len() > 0 || !regexp.MustCompile(tc.log).MatchString(log.String()) {
			t.Errorf("%s: PUT as %s: got %d and log %q, want %d and %q", tc.name, tc.user, w.Code, log, tc.status, tc.log)
		}
	}
}

// What a handler that asks by itself answers is what a guard would.
func TestRefuse(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
		body string
	}{
		{rolecall.NothingSaid, 403, "denied"},
		{fmt.Errorf("update shot 010: %w", rolecall.ErrDenied), 403, "denied"},
		{httpauthz.ErrNotFound, 404, "not-found"},
		{fmt.Errorf("page: %w", httpauthz.ErrBadRequest), 400, "bad-request"},
		{&rolecall.Problem{Code: rolecall.ErrUnknown, Detail: "no such permission"}, 503, "unavailable"},
		{httpauthz.ErrBadCredentials, 401, "invalid-token"},
		{errors.New("database is down"), 503, "unavailable"},
	} {
		var log bytes.Buffer
		guard := httpauthz.New(resolver(t), identify, &httpauthz.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		h := guard.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a, _ := httpauthz.From(r.Context())
			a.Refuse(w, r, tc.err)
		}))
		w := ask(h, "GET", "/", "ada")
		if w.Code != tc.want || !strings.Contains(w.Body.String(), `"code":"`+tc.body+`"`) || strings.Contains(w.Body.String(), tc.err.Error()) {
			t.Errorf("Refuse(%v): got %d %s, want %d and the code %s alone", tc.err, w.Code, w.Body, tc.want, tc.body)
		}
		if !strings.Contains(log.String(), tc.err.Error()) || !strings.Contains(log.String(), "subject=user:ada") {
			t.Errorf("Refuse(%v): got the log %s, want the error and who asked", tc.err, &log)
		}
	}
}

func TestChallenges(t *testing.T) {
	for _, tc := range []struct{ user, want string }{
		{"", `Bearer realm="the \"studio\""`},
		{"forged", `Bearer realm="the \"studio\"", error="invalid_token"`},
		{"bob", ""},
	} {
		w := newSite(t, httpauthz.Options{Realm: "the \"studio\"\r\n"}).get("GET", "/projects/alpha/shots/020", tc.user)
		if got := w.Header().Get("WWW-Authenticate"); got != tc.want {
			t.Errorf("WWW-Authenticate for user %q: got %q, want %q", tc.user, got, tc.want)
		}
	}
}

func TestRespondMayRedirect(t *testing.T) {
	s := newSite(t, httpauthz.Options{Respond: func(w http.ResponseWriter, r *http.Request, p httpauthz.Problem) {
		if p.Status == http.StatusUnauthorized {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		httpauthz.WriteProblem(w, p)
	}})
	if w := s.get("GET", "/secret/alpha", ""); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login" {
		t.Errorf("GET /secret/alpha as nobody: got %d to %q, want 303 to /login", w.Code, w.Header().Get("Location"))
	}
	if w := s.get("GET", "/secret/alpha", "bob"); w.Code != http.StatusNotFound {
		t.Errorf("GET /secret/alpha as bob: got %d, want 404", w.Code)
	}
}

func TestImpersonation(t *testing.T) {
	o := httpauthz.Options{Impersonate: mayActAs}
	for _, tc := range []struct {
		actor  string
		status int
		body   string
	}{
		{"sue", 200, "user:sue as user:ada at /project:alpha/shot:010"},
		{"bob", 403, ""},
		{"gone", 403, ""},
	} {
		w := newSite(t, o).get("GET", "/projects/alpha/shots/010", "ada", "Test-Actor", tc.actor)
		if w.Code != tc.status || tc.body != "" && w.Body.String() != tc.body {
			t.Errorf("%s acting as ada: got %d %q, want %d %q", tc.actor, w.Code, w.Body, tc.status, tc.body)
		}
	}
	if w := newSite(t, httpauthz.Options{}).get("GET", "/projects/alpha/shots/010", "ada", "Test-Actor", "gone"); w.Code != 403 {
		t.Errorf("a suspended actor: got %d, want 403", w.Code)
	}
	if w := newSite(t, o).get("GET", "/projects/alpha/shots/010", "", "Test-Actor", "sue"); w.Code != 503 {
		t.Errorf("an actor without a subject: got %d, want 503", w.Code)
	}
}

// Nobody is the zero Identity. An identity that is malformed is a fault of the identify function, and the log says so.
func TestMalformedIdentities(t *testing.T) {
	for _, tc := range []struct {
		who    httpauthz.Identity
		status int
		log    string
	}{
		{httpauthz.Identity{}, 401, `error="no credentials"`},
		{httpauthz.Identity{Subject: rolecall.User("")}, 503, `error="identify: subject of kind user: `},
		{httpauthz.Identity{Subject: rolecall.NewSubject("", "ada")}, 503, `error="identify: `},
		{httpauthz.Identity{Subject: rolecall.User("ada"), Actor: rolecall.User("")}, 503, `error="identify: actor: subject of kind user: `},
		{httpauthz.Identity{Actor: rolecall.User("sue")}, 503, `error="identify: an actor without a subject"`},
	} {
		log := &bytes.Buffer{}
		guard := httpauthz.New(resolver(t), func(*http.Request) (httpauthz.Identity, error) { return tc.who, nil }, &httpauthz.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
		w := ask(guard.Identify(http.NotFoundHandler()), "GET", "/", "")
		if w.Code != tc.status || !strings.Contains(log.String(), tc.log) {
			t.Errorf("GET as %v: got %d and log %q, want %d and %q", tc.who, w.Code, log, tc.status, tc.log)
		}
	}
}

func TestNarrowingTakesAway(t *testing.T) {
	s := newSite(t, httpauthz.Options{})
	if w := s.get("PUT", "/projects/alpha/shots/010", "ada", "Test-Key", "read-only"); w.Code != 403 {
		t.Errorf("PUT with a read-only key: got %d, want 403", w.Code)
	}
	if w := s.get("GET", "/projects/alpha/shots/010", "ada", "Test-Key", "read-only"); w.Code != 200 {
		t.Errorf("GET with a read-only key: got %d, want 200", w.Code)
	}
}

// All answers of one request rest on the policy as it was when its first guard looked, whatever is committed meanwhile.
func TestOneSnapshotPerRequest(t *testing.T) {
	r := resolver(t)
	guard := httpauthz.New(r, identify, nil)
	alpha := rolecall.In("project", "alpha")
	var first, second error
	var revisions []rolecall.Revision
	inner := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		a, _ := httpauthz.From(q.Context())
		second = a.Check(q.Context(), shotView, alpha)
		revisions = append(revisions, a.Revision())
	})
	h := guard.Identify(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		a, _ := httpauthz.From(q.Context())
		first = a.Check(q.Context(), shotView, alpha)
		revisions = append(revisions, a.Revision())
		if _, err := r.Edit(q.Context(), rolecall.Meta{}, rolecall.Put(rolecall.Suspension{Subject: rolecall.User("ada")})); err != nil {
			t.Error(err)
		}
		guard.Require(shotView, httpauthz.Fixed(alpha))(inner).ServeHTTP(w, q)
	}))
	if code := ask(h, "GET", "/", "ada").Code; code != 200 || first != nil || second != nil || len(revisions) != 2 || revisions[0] != revisions[1] {
		t.Errorf("the request that suspends ada midway: got %d, %v, %v at revisions %v, want 200 and twice yes at one revision", code, first, second, revisions)
	}
	if code := ask(h, "GET", "/", "ada").Code; code != 403 {
		t.Errorf("the next request: got %d, want 403", code)
	}
}

// A request that a handler makes with the context of its own is judged as its own caller's: with the pinned policy where
// that is the same one, and it does not move the place at which the handler was let in.
func TestARequestInsideARequest(t *testing.T) {
	r := resolver(t)
	guard := httpauthz.New(r, identify, &httpauthz.Options{Log: slog.New(slog.DiscardHandler)})
	tell := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		a, _ := httpauthz.From(q.Context())
		fmt.Fprintf(w, "%s as %s at %s of %d", a.Actor(), a.Subject(), a.Scope(), a.Revision())
	})
	mux := httpauthz.NewMux()
	mux.Handle("GET /me", guard.Identify(tell))
	mux.Handle("GET /projects/{project}/shots/{shot}", guard.Require(shotView, httpauthz.Path("project", "shot"))(tell))
	inner := httptest.NewRecorder()
	var request *http.Request
	mux.Handle("POST /batch/{project}", guard.Require(shotView, httpauthz.Path("project"))(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, err := r.Update(q.Context(), rolecall.Meta{}, func(s *rolecall.Snapshot) (rolecall.Change, error) {
			return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group(fmt.Sprint("g", s.Revision()))})}}, nil
		})
		if err != nil {
			t.Error(err)
		}
		mux.ServeHTTP(inner, request.WithContext(q.Context()))
		a, _ := httpauthz.From(q.Context())
		fmt.Fprint(w, a.Subject(), " at ", a.Scope())
	})))
	for _, tc := range []struct {
		target, user, actor, key string
		code                     int
		body                     string
	}{
		{"/projects/alpha/shots/010", "ada", "", "", 200, "(no subject) as user:ada at /project:alpha/shot:010 of pinned"},
		{"/projects/alpha/shots/010", "bob", "", "", 200, "(no subject) as user:bob at /project:alpha/shot:010 of fresh"},
		{"/projects/alpha/shots/010", "ada", "sue", "", 200, "user:sue as user:ada at /project:alpha/shot:010 of fresh"},
		{"/projects/alpha/shots/010", "ada", "", "read-only", 200, "(no subject) as user:ada at /project:alpha/shot:010 of fresh"},
		{"/projects/alpha/shots/020", "bob", "", "", 403, ""},
		{"/projects/alpha/shots/010", "", "", "", 401, ""},
		{"/projects/alpha/shots/010", "forged", "", "", 401, ""},
		{"/projects/alpha/shots/010", "nobody-knows", "", "", 503, ""},
		{"/me", "", "", "", 401, ""},
		{"/me", "eve", "", "", 200, "(no subject) as user:eve at (no scope) of fresh"},
	} {
		request = requestAs(tc.user, "GET", tc.target, "Test-Actor", tc.actor, "Test-Key", tc.key)
		inner = httptest.NewRecorder()
		before := r.Health().Revision
		w := ask(mux, "POST", "/batch/alpha", "ada")
		want := strings.NewReplacer("pinned", fmt.Sprint(before), "fresh", fmt.Sprint(before+1)).Replace(tc.body)
		if inner.Code != tc.code || tc.body != "" && inner.Body.String() != want {
			t.Errorf("GET %s as %q, actor %q, key %q inside a request of ada: got %d %q, want %d %q", tc.target, tc.user, tc.actor, tc.key, inner.Code, inner.Body, tc.code, want)
		}
		if got := w.Body.String(); got != "user:ada at /project:alpha" {
			t.Errorf("the request of ada after GET %s as %q inside it: got %q, want it at /project:alpha", tc.target, tc.user, got)
		}
	}
}

func TestVisible(t *testing.T) {
	guard := httpauthz.New(resolver(t), identify, nil)
	shots := []string{"030", "010", "020"}
	var got []string
	h := guard.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, _ := httpauthz.From(r.Context())
		var err error
		got, err = httpauthz.Visible(r.Context(), a, shotView, shots, func(id string) rolecall.Target {
			return rolecall.Target{Scope: rolecall.In("project", "alpha").In("shot", id)}
		})
		if err != nil {
			t.Error(err)
		}
		if _, err := httpauthz.Visible(r.Context(), a, shotView, shots, func(string) rolecall.Target { return rolecall.Target{} }); err == nil {
			t.Error("Visible with zero targets: got no error, want one")
		}
	}))
	for user, want := range map[string][]string{"ada": {"030", "010", "020"}, "bob": {"010"}, "eve": {}} {
		ask(h, "GET", "/", user)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Visible for %s (-want +got):\n%s", user, diff)
		}
	}
}

// An Access may be asked by the goroutines of its request at once; the race detector watches.
func TestAccessIsSafeForConcurrentUse(t *testing.T) {
	guard := httpauthz.New(resolver(t), identify, nil)
	guard.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, _ := httpauthz.From(r.Context())
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				at := rolecall.In("project", "alpha").In("shot", fmt.Sprint(i))
				if err := a.Check(context.Background(), shotView, at); err != nil {
					t.Errorf("Check for %s: %v", at, err)
				}
			})
		}
		wait.Wait()
	})).ServeHTTP(httptest.NewRecorder(), requestAs("ada", "GET", "/"))
}

// The facts of a question may ask the Access that it is put to, whatever the question, and each gets its own answer.
func TestFactsMayAskTheAccess(t *testing.T) {
	guard := httpauthz.New(resolver(t), identify, nil)
	at := rolecall.In("project", "alpha").In("shot", "010")
	guard.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		a, _ := httpauthz.From(ctx)
		asked := 0
		facts := rolecall.FactFunc(func(rolecall.Condition) (bool, error) {
			asked++
			return a.Check(ctx, shotView, at) == nil && a.Check(ctx, mayActAs, at) != nil, nil
		})
		if err := a.Check(ctx, shotUpdate, at, facts); err != nil {
			t.Errorf("Check with facts that ask: got %v, want nil", err)
		}
		answers, err := a.CheckAll(ctx, []rolecall.Target{{Scope: at, Facts: facts}}, shotUpdate, mayActAs)
		if err != nil || !answers.Allowed(0, 0) || answers.Allowed(0, 1) {
			t.Errorf("CheckAll with facts that ask: got %v, %v, want yes and no", answers, err)
		}
		if d, err := a.Decide(ctx, shotUpdate, at, facts); err != nil || !d.Allowed() {
			t.Errorf("Decide with facts that ask: got %v, %v, want yes", d, err)
		}
		if asked < 3 {
			t.Errorf("the facts were asked %d times, want once for each question at least", asked)
		}
	})).ServeHTTP(httptest.NewRecorder(), requestAs("ada", "GET", "/"))
}

func TestStalePolicyIsUnavailable(t *testing.T) {
	var zero rolecall.Resolver // answers every question with ErrStale
	guard := httpauthz.New(&zero, identify, &httpauthz.Options{Log: slog.New(slog.DiscardHandler)})
	w := ask(guard.Require(shotView, httpauthz.Global())(http.NotFoundHandler()), "GET", "/", "ada")
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("with a stale policy: got %d, Retry-After %q, want 503 and a time", w.Code, w.Header().Get("Retry-After"))
	}
}

func TestObserveIsToldOfEveryQuestion(t *testing.T) {
	var told []string
	s := newSite(t, httpauthz.Options{Impersonate: mayActAs, Observe: func(_ context.Context, o rolecall.Observation) {
		told = append(told, fmt.Sprintf("%s %s %v", o.Subject, o.Permission, o.Err))
	}})
	s.get("PUT", "/projects/alpha/shots/020", "bob", "Test-Actor", "sue")
	want := []string{
		"user:sue support.impersonate <nil>",
		"user:bob shot.update denied: nothing said",
		"user:bob shot.view denied: nothing said",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("observations (-want +got):\n%s", diff)
	}
}

// Whether to hide a denial is asked of denials alone: an error is no denial, whoever may see the place.
func TestHideUnlessAsksOfDenialsAlone(t *testing.T) {
	var told []string
	guard := httpauthz.New(resolver(t), identify, &httpauthz.Options{
		Log:     slog.New(slog.DiscardHandler),
		Observe: func(_ context.Context, o rolecall.Observation) { told = append(told, o.Permission.String()) },
	})
	undeclared := httpauthz.Requirement{Permission: rolecall.NewPermission("shot.paint"), At: httpauthz.Global(), HideUnless: shotView}
	w := ask(guard.Enforce(undeclared)(http.NotFoundHandler()), "GET", "/", "bob")
	if want := []string{"shot.paint"}; w.Code != 503 || !slices.Equal(told, want) {
		t.Errorf("%s: got %d after asking for %v, want 503 after %v", undeclared, w.Code, told, want)
	}
}

// Pages and sets are told of as such, and an explanation as the single question that it is.
func TestObserveBatchIsToldOfPages(t *testing.T) {
	var told []string
	single := func(_ context.Context, o rolecall.Observation) {
		told = append(told, fmt.Sprintf("%s %s %v %v", o.Subject, o.Permission, o.Err, o.Decision != nil))
	}
	batch := func(_ context.Context, o rolecall.BatchObservation) {
		told = append(told, fmt.Sprintf("%s as %s %s %q %d/%d %v", o.Actor, o.Subject, o.Permissions, o.Kind, o.Granted, o.Asked, o.Err != nil))
	}
	guard := httpauthz.New(resolver(t), identify, &httpauthz.Options{Observe: single, ObserveBatch: batch})
	at := func(id string) rolecall.Target {
		return rolecall.Target{Scope: rolecall.In("project", "alpha").In("shot", id)}
	}
	guard.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		a, _ := httpauthz.From(ctx)
		_, _ = a.CheckAll(ctx, []rolecall.Target{at("010"), at("020")}, shotView, shotUpdate)
		_, _ = httpauthz.Visible(ctx, a, shotView, []string{"010", "020"}, at)
		_, _ = httpauthz.Visible(ctx, a, shotView, []string{"010"}, func(string) rolecall.Target { return rolecall.Target{} })
		_, _ = a.Scopes(ctx, "shot", shotView)
		_, _ = a.Scopes(ctx, "shot", shotUpdate)
		_, _ = a.Scopes(ctx, "planet", shotView)
		_, _ = a.Decide(ctx, shotView, at("020").Scope, nil)
	})).ServeHTTP(httptest.NewRecorder(), requestAs("bob", "GET", "/", "Test-Actor", "sue"))
	want := []string{
		`user:sue as user:bob [shot.view shot.update] "" 1/4 false`,
		`user:sue as user:bob [shot.view] "" 1/2 false`,
		`user:sue as user:bob [shot.view] "" 0/0 true`,
		`user:sue as user:bob [shot.view] "shot" 1/1 false`,
		`user:sue as user:bob [shot.update] "shot" 0/1 false`,
		`user:sue as user:bob [shot.view] "planet" 0/0 true`,
		`user:bob shot.view denied: user:bob may not shot.view at /project:alpha/shot:020: nothing said true`,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("observations (-want +got):\n%s", diff)
	}
}

func TestMuxRefusesRoutesWithoutRequirement(t *testing.T) {
	guard := httpauthz.New(resolver(t), identify, nil)
	ok := http.NotFoundHandler()
	wrapped := http.HandlerFunc(guard.Require(shotView, httpauthz.Global())(ok).ServeHTTP)
	for _, tc := range []struct {
		name     string
		register func(m *httpauthz.Mux)
		want     string
	}{
		{"bare handler", func(m *httpauthz.Mux) { m.Handle("/x", ok) }, "no requirement"},
		{"nil handler", func(m *httpauthz.Mux) { m.Handle("/x", nil) }, "no requirement"},
		{"guard inside another layer", func(m *httpauthz.Mux) { m.Handle("/x", wrapped) }, "no requirement"},
		{"wildcard missing", func(m *httpauthz.Mux) {
			m.Handle("/x/{projekt}", guard.Require(shotView, httpauthz.Path("project"))(ok))
		}, "no wildcard project"},
		{"wildcard missing further in", func(m *httpauthz.Mux) {
			m.Handle("/x/{project}", guard.Require(shotView, httpauthz.Path("project"))(guard.Require(shotUpdate, httpauthz.Path("project", "shot"))(ok)))
		}, "no wildcard shot, which its requirement shot.update"},
		{"wildcard missing behind Identify", func(m *httpauthz.Mux) {
			m.Handle("/x", guard.Identify(guard.Require(shotView, httpauthz.Path("project"))(ok)))
		}, "no wildcard project"},
		{"wildcard missing behind Public", func(m *httpauthz.Mux) {
			m.Handle("/x", httpauthz.Public(guard.Require(shotView, httpauthz.Path("project"))(ok)))
		}, "no wildcard project"},
		{"zero place", func(*httpauthz.Mux) { guard.Require(shotView, httpauthz.Place{}) }, "no place"},
		{"zero permission", func(*httpauthz.Mux) { guard.Require(rolecall.Permission{}, httpauthz.Global()) }, "zero permission"},
		{"bad permission", func(*httpauthz.Mux) { guard.Require(rolecall.NewPermission("x"), httpauthz.Global()) }, "segments"},
		{"bad kind", func(*httpauthz.Mux) { httpauthz.Path("a b") }, "kind"},
		{"zero scope", func(*httpauthz.Mux) { guard.Require(shotView, httpauthz.Fixed(rolecall.Scope{})) }, "scope"},
		{"bad scope", func(*httpauthz.Mux) { guard.Require(shotView, httpauthz.Fixed(rolecall.In("project", ""))) }, "id"},
		{"bad kind of a query", func(*httpauthz.Mux) { httpauthz.Query("a b", "project") }, "kind"},
		{"no parameter", func(*httpauthz.Mux) { httpauthz.Query("project", "") }, "parameter"},
		{"no place function", func(*httpauthz.Mux) { guard.Require(shotView, httpauthz.PlaceFunc("loaded", nil)) }, "no place"},
		{"no handler", func(*httpauthz.Mux) { guard.Require(shotView, httpauthz.Global())(nil) }, "no handler"},
		{"no handler function", func(*httpauthz.Mux) { guard.Require(shotView, httpauthz.Global())(http.HandlerFunc(nil)) }, "no handler"},
		{"nobody identified for", func(*httpauthz.Mux) { guard.Identify(nil) }, "no handler"},
		{"nothing public", func(*httpauthz.Mux) { httpauthz.Public(nil) }, "no handler"},
		{"no kind", func(*httpauthz.Mux) { httpauthz.Path() }, "at least one"},
		{"no source", func(*httpauthz.Mux) { httpauthz.New(nil, identify, nil) }, "source"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tc.want) {
					t.Errorf("%s: got panic %q, want one with %q", tc.name, got, tc.want)
				}
			}()
			tc.register(httpauthz.NewMux())
		}()
	}
}

func TestRouteTable(t *testing.T) {
	s := newSite(t, httpauthz.Options{})
	var got strings.Builder
	if err := s.mux.WriteRoutes(&got); err != nil {
		t.Fatal(err)
	}
	want := `GET /load/{id}                        shot.view at loaded by id
GET /me                               anybody who is known
GET /open                             public
GET /projects/{project}/shots/{shot}  shot.view at path/project:{project}/shot:{shot}
PUT /projects/{project}/shots/{shot}  shot.update at path/project:{project}/shot:{shot}, hidden unless shot.view
GET /search                           shot.view at query/project:{project}
GET /secret/{project}                 shot.view at path/project:{project}, hidden
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("WriteRoutes (-want +got):\n%s", diff)
	}
}

// A route of any router is described as the Mux lists it, with every guard that stands behind another one.
func TestRouteOf(t *testing.T) {
	guard := httpauthz.New(resolver(t), identify, nil)
	ok := http.NotFoundHandler()
	view := guard.Require(shotView, httpauthz.Path("project"))
	update := guard.Enforce(httpauthz.Requirement{Permission: shotUpdate, At: httpauthz.Path("project", "shot"), Hide: true})
	for _, tc := range []struct {
		handler http.Handler
		want    string
	}{
		{view(ok), "shot.view at path/project:{project}"},
		{view(update(ok)), "shot.view at path/project:{project}; then shot.update at path/project:{project}/shot:{shot}, hidden"},
		{view(guard.Identify(view(update(ok)))), "shot.view at path/project:{project}; then shot.view at path/project:{project}; then shot.update at path/project:{project}/shot:{shot}, hidden"},
		{guard.Identify(ok), "anybody who is known"},
		{guard.Identify(view(ok)), "anybody who is known; then shot.view at path/project:{project}"},
		{httpauthz.Public(ok), "public"},
		{httpauthz.Public(view(ok)), "public; then shot.view at path/project:{project}"},
	} {
		if got := httpauthz.RouteOf("GET /x", tc.handler); got.Pattern != "GET /x" || got.String() != tc.want {
			t.Errorf("RouteOf(GET /x, …) = %q %q, want %q", got.Pattern, got, tc.want)
		}
		mux, pattern := httpauthz.NewMux(), "GET /x/{project}/{shot}"
		mux.Handle(pattern, tc.handler)
		if got := mux.Routes()[0]; got.Pattern != pattern || got.String() != tc.want {
			t.Errorf("Handle(%q, …), Routes: got %q %q, want %q", pattern, got.Pattern, got, tc.want)
		}
	}
	if got := httpauthz.RouteOf("GET /x", ok); got.Public || got.Identified || !got.Requirement.Permission.IsZero() || got.Inner != nil {
		t.Errorf("RouteOf(GET /x, a bare handler) = %q, want no demand and no mark", got)
	}
}

// A guard around a router sees no path values, and so refuses every request instead of checking the wrong place.
func TestGuardAroundARouterRefuses(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /projects/{project}", func(http.ResponseWriter, *http.Request) { t.Error("the handler was reached") })
	log := &bytes.Buffer{}
	guard := httpauthz.New(resolver(t), identify, &httpauthz.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	w := ask(guard.Require(shotView, httpauthz.Path("project"))(mux), "GET", "/projects/alpha", "ada")
	if w.Code != 503 || !strings.Contains(log.String(), "guard the route itself") {
		t.Errorf("a guard around a router: got %d and log %q, want 503 and the reason", w.Code, log)
	}
}

func TestMeta(t *testing.T) {
	guard := httpauthz.New(resolver(t), identify, nil)
	var got []rolecall.Meta
	h := guard.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		a, _ := httpauthz.From(r.Context())
		got = append(got, a.Meta("why"))
	}))
	for _, actor := range []string{"", "sue"} {
		ask(h, "GET", "/", "ada", "Test-Actor", actor)
	}
	want := []rolecall.Meta{
		{Actor: rolecall.User("ada"), Reason: "why"},
		{Actor: rolecall.User("sue"), OnBehalf: rolecall.User("ada"), Reason: "why"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("Meta: got %v, want %v", got, want)
	}
}
