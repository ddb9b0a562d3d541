package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

// go test -update rewrites the golden files.
var _ = flag.Bool("update", false, "rewrite golden files")

// The steps beside the policy hold, and they hold every statement of it down.
func TestPolicy(t *testing.T) {
	rolecalltest.Scenarios(t, "studio.rolecall")
	suite := rolecalltest.ScenarioSuite(t, "studio.rolecall")
	suite.RequireCoverage(t)
	suite.RequireMutationsCaught(t)
}

// Whoever changes the policy sees here what that does to people, and so do those who review it.
func TestWhoMayDoWhat(t *testing.T) {
	rolecalltest.Matrix{
		Subjects:    []rolecall.Subject{rolecall.User("ada"), rolecall.User("sam"), rolecall.User("vic"), rolecall.User("pia")},
		Permissions: []rolecall.Permission{ShotView, ShotRename},
		Scopes:      []rolecall.Scope{rolecall.In("project", "alpha"), rolecall.In("project", "beta"), rolecall.In("project", "secret")},
	}.Check(t, rolecalltest.Load(t, "studio.rolecall"), "testdata/matrix.txt")
}

func site(t *testing.T) (*httpauthz.Mux, *rolecalltest.Policy) {
	t.Helper()
	db, err := openDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p := rolecalltest.Load(t, "studio.rolecall")
	return routes(db, p.Resolver), p
}

func TestRoutes(t *testing.T) {
	mux, p := site(t)
	rolecalltest.Routes(t, mux, p.Catalog(), "testdata/routes.txt")
}

func get(mux http.Handler, method, target, user, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User", user)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func TestRequests(t *testing.T) {
	mux, _ := site(t)
	for _, tc := range []struct {
		method, target, user string
		want                 int
	}{
		{"GET", "/shots", "", 401},
		{"GET", "/shots", "stranger", 200},
		{"GET", "/projects/alpha/shots/010", "ada", 200},
		{"GET", "/projects/alpha/shots/020", "ada", 404},
		{"GET", "/projects/alpha/shots/999", "sam", 404},
		{"GET", "/projects/secret/shots/010", "pia", 404},
		{"GET", "/projects/secret/shots/010", "sam", 200},
		{"PUT", "/projects/alpha/shots/010", "ada", 200},
		{"PUT", "/projects/alpha/shots/010", "pia", 403},
		{"PUT", "/projects/alpha/shots/010", "vic", 404},
	} {
		if w := get(mux, tc.method, tc.target, tc.user, url.Values{"title": {"Rain"}}.Encode()); w.Code != tc.want {
			t.Errorf("%s %s as %q: got %d %s, want %d", tc.method, tc.target, tc.user, w.Code, w.Body, tc.want)
		}
	}
}

// The list is what the single check allows, row by row.
func TestListIsWhatTheCheckAllows(t *testing.T) {
	mux, p := site(t)
	every := []Shot{
		{"alpha", "010", "Harbour", "ada"}, {"alpha", "020", "Storm", "bob"}, {"alpha", "030", "Calm", "ada"},
		{"beta", "010", "Forest", "ada"}, {"beta", "020", "Clearing", ""}, {"secret", "010", "Ending", "ada"},
	}
	seen := map[string]int{}
	for _, user := range []string{"ada", "bob", "sam", "vic", "pia", "stranger"} {
		want := []Shot{}
		for _, s := range every {
			facts := rolecalltest.NewFacts(t)
			facts.Hold("assigned", s.Artist == user)
			at := rolecall.In("project", s.Project).In("shot", s.ID)
			if p.Check(t.Context(), rolecall.User(user), ShotView, at, facts) == nil {
				want = append(want, s)
			}
		}
		var got []Shot
		if err := json.Unmarshal(get(mux, "GET", "/shots", user, "").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("GET /shots as %s (-want +got):\n%s", user, diff)
		}
		seen[user] = len(got)
	}
	if diff := cmp.Diff("map[ada:2 bob:0 pia:5 sam:4 stranger:0 vic:1]", fmt.Sprint(seen)); diff != "" {
		t.Errorf("numbers of shots (-want +got):\n%s", diff)
	}
}
