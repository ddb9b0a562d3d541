package routers

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

const text = `permission shot.view
kind scope project
kind scope shot
role viewer
  allow shot.view
grant user:ada viewer at /project:alpha
grant user:ada viewer at /project:a%2Fb
grant user:ada viewer at /project:a%25b
`

func newGuard(t *testing.T) (*httpauthz.Guard, *rolecalltest.Policy) {
	t.Helper()
	p := rolecalltest.New(t, text)
	return httpauthz.New(p, func(r *http.Request) (httpauthz.Identity, error) {
		if name := r.Header.Get("User"); name != "" {
			return httpauthz.Identity{Subject: rolecall.User(name)}, nil
		}
		return httpauthz.Identity{}, nil
	}, &httpauthz.Options{Log: slog.New(slog.DiscardHandler)}), p
}

// Every router answers like every other one, whatever is done to the path. Where a body is wanted the request passed,
// and the place is the one that was checked.
func TestRouters(t *testing.T) {
	for name, router := range map[string]func(*httpauthz.Guard, http.HandlerFunc) http.Handler{"chi": Chi, "gin": Gin, "echo": Echo} {
		guard, _ := newGuard(t)
		h := router(guard, func(w http.ResponseWriter, r *http.Request) {
			a, ok := httpauthz.From(r.Context())
			if !ok {
				t.Errorf("%s: the handler has no Access", name)
				return
			}
			fmt.Fprint(w, a.Scope())
		})
		server := httptest.NewServer(h)
		defer server.Close()
		for _, tc := range []struct {
			path, user string
			status     int
			body       string
		}{
			{"/projects/alpha/shots/010", "ada", 200, "/project:alpha/shot:010"},
			{"/projects/alpha/shots/010", "eve", 403, ""},
			{"/projects/alpha/shots/010", "", 401, ""},
			{"/projects/beta/shots/010", "ada", 403, ""},
			{"/projects/Alpha/shots/010", "ada", 403, ""},
			{"/projects/a%2Fb/shots/010", "ada", 200, "/project:a%2Fb/shot:010"},
			{"/projects/a%25b/shots/010", "ada", 200, "/project:a%25b/shot:010"},
			{"/projects/a%252Fb/shots/010", "ada", 403, ""},
			{"/projects/alpha%2Fshots%2F010", "ada", 404, ""},
			{"/projects/alpha/shots/010?project=beta&shot=020", "ada", 200, "/project:alpha/shot:010"},
			{"/projects/beta%2F..%2Falpha/shots/010", "ada", 403, ""},
		} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("User", tc.user)
			w, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(w.Body)
			w.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if w.StatusCode != tc.status || tc.body != "" && string(body) != tc.body {
				t.Errorf("%s: GET %s as %q: got %d %s, want %d %s", name, tc.path, tc.user, w.StatusCode, body, tc.status, tc.body)
			}
		}
	}
}

// The routes of another router are walked as those of the Mux are listed.
func TestEveryRouteOfChiHasARequirement(t *testing.T) {
	guard, p := newGuard(t)
	var routes []httpauthz.Route
	err := chi.Walk(Chi(guard, http.NotFound).(chi.Routes), func(method, pattern string, h http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, httpauthz.RouteOf(method+" "+pattern, h))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rolecalltest.CheckRoutes(t, routes, p.Catalog())
}
