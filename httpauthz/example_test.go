package httpauthz_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
)

// What a route needs stands beside the route.
func ExampleGuard_Require() {
	resolver, err := open()
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := httpauthz.New(resolver, identify, &httpauthz.Options{Log: slog.New(slog.DiscardHandler)})
	mux := httpauthz.NewMux()
	mux.Handle("GET /projects/{project}/shots/{shot}", guard.Require(shotView, httpauthz.Path("project", "shot"))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a, _ := httpauthz.From(r.Context())
			fmt.Fprintln(w, a.Subject(), "sees", a.Scope())
		})))
	mux.Handle("GET /about", httpauthz.Public(http.NotFoundHandler()))

	for _, user := range []string{"ada", "eve"} {
		r := httptest.NewRequest("GET", "/projects/alpha/shots/010", nil)
		r.Header.Set("Test-User", user)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}
	mux.WriteRoutes(os.Stdout)
	// Output:
	// 200 user:ada sees /project:alpha/shot:010
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"code":"denied"}
	// GET /about                            public
	// GET /projects/{project}/shots/{shot}  shot.view at path/project:{project}/shot:{shot}
}

// A mistake: the place comes from what the guard matched, but the handler acts on what the caller sent. The guard lets
// the request pass for alpha, and beta is deleted. Act on Access.Scope, or on the very values that the place reads.
func ExamplePath_mistake() {
	resolver, err := open()
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := httpauthz.New(resolver, identify, nil)
	handler := guard.Require(shotView, httpauthz.Path("project"))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wrong := rolecall.In("project", r.FormValue("project")) // the caller's, unchecked
			a, _ := httpauthz.From(r.Context())
			fmt.Println("checked", a.Scope(), "but would act on", wrong)
		}))
	mux := httpauthz.NewMux()
	mux.Handle("DELETE /projects/{project}", handler)

	r := httptest.NewRequest("DELETE", "/projects/alpha?project=beta", nil)
	r.Header.Set("Test-User", "ada")
	mux.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// checked /project:alpha but would act on /project:beta
}

// A list is for everybody who is known: the handler asks by itself, and answers as a guard would where it cannot.
func ExampleGuard_Identify() {
	resolver, err := open()
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := httpauthz.New(resolver, identify, &httpauthz.Options{Log: slog.New(slog.DiscardHandler)})
	mux := httpauthz.NewMux()
	mux.Handle("GET /projects/{project}/shots", guard.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		access, _ := httpauthz.From(r.Context())
		project := rolecall.In("project", r.PathValue("project"))
		shots, err := httpauthz.Visible(r.Context(), access, shotView, []string{"010", "020"}, func(shot string) rolecall.Target {
			return rolecall.Target{Scope: project.In("shot", shot)}
		})
		if err != nil {
			access.Refuse(w, r, err)
			return
		}
		fmt.Fprintln(w, shots)
	})))

	for _, user := range []string{"ada", "bob", "eve", ""} {
		r := httptest.NewRequest("GET", "/projects/alpha/shots", nil)
		r.Header.Set("Test-User", user)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 [010 020]
	// 200 [010]
	// 200 []
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"unauthenticated"}
}
