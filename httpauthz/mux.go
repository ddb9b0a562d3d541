package httpauthz

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// A Mux is an http.ServeMux that refuses routes without a requirement: it panics, as http.ServeMux does for patterns
// that conflict. So a route that nobody thought about stops the program at start, not the auditor a year later. Routes
// are registered before it serves; serving is safe for concurrent use.
type Mux struct {
	mux http.ServeMux

	mu     sync.Mutex
	routes []Route
}

// NewMux returns a Mux without routes.
func NewMux() *Mux { return &Mux{} }

// A Route is a registered pattern and what it demands.
type Route struct {
	Pattern     string
	Public      bool          // registered with Public: no demand
	Identified  bool          // registered with Identify: the handler asks for itself
	Requirement Requirement   // zero where Public or Identified
	Inner       []Requirement // of the guards right behind, from the outside in: each is asked, too
}

// RouteOf returns what a handler demands, as a Mux lists it, so that a test can walk the routes of any router. A handler
// that none of Require, Enforce, Identify and Public made has no demand and no mark, as rolecalltest.CheckRoutes tells.
// What lies behind another layer is not seen.
func RouteOf(pattern string, h http.Handler) Route {
	r := Route{Pattern: pattern}
	switch h := h.(type) {
	case *guarded:
		r.Requirement = h.Requirement
	case *identified:
		r.Identified = true
	case public:
		r.Public = true
	}
	for h = behind(h); h != nil; h = behind(h) {
		if g, ok := h.(*guarded); ok {
			r.Inner = append(r.Inner, g.Requirement)
		}
	}
	return r
}

// behind returns the handler behind a guard, nil where there is no guard.
func behind(h http.Handler) http.Handler {
	switch h := h.(type) {
	case *guarded:
		return h.next
	case *identified:
		return h.next
	case public:
		return h.Handler
	}
	return nil
}

// Handle registers a handler that was made by Require, Enforce, Identify or Public. The guard is the outermost layer of it:
// what is to happen before the guard belongs around the Mux. A pattern without a wildcard that the place of a requirement
// reads, of this guard or of one right behind it, is refused, too.
func (m *Mux) Handle(pattern string, h http.Handler) {
	if behind(h) == nil {
		panic(fmt.Sprintf("httpauthz: pattern %q has no requirement; register guard.Require(…)(handler), or Public(handler) where anybody may", pattern))
	}
	route := RouteOf(pattern, h)
	for _, q := range append([]Requirement{route.Requirement}, route.Inner...) {
		if missing := q.At.missing(pattern); missing != nil {
			panic(fmt.Sprintf("httpauthz: pattern %q has no wildcard %s, which its requirement %s reads", pattern, strings.Join(missing, ", "), q))
		}
	}
	m.mux.Handle(pattern, h)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.routes = append(m.routes, route)
}

// ServeHTTP passes the request to the handler whose pattern matches.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// Routes returns the registered routes in order of their patterns. The caller owns the slice.
func (m *Mux) Routes() []Route {
	m.mu.Lock()
	defer m.mu.Unlock()
	routes := slices.Clone(m.routes)
	slices.SortFunc(routes, func(a, b Route) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	return routes
}

// sortKey orders by path, then by method.
func (r Route) sortKey() string {
	method, path, found := strings.Cut(r.Pattern, " ")
	if !found {
		return r.Pattern
	}
	return strings.TrimLeft(path, " \t") + " " + method
}

// String describes the demand.
func (r Route) String() string {
	text := r.Requirement.String()
	switch {
	case r.Public:
		text = "public"
	case r.Identified:
		text = "anybody who is known"
	}
	for _, q := range r.Inner {
		text += "; then " + q.String()
	}
	return text
}

// WriteRoutes writes the routes and their requirements as a table, to be read and to be kept in version control.
func (m *Mux) WriteRoutes(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range m.Routes() {
		fmt.Fprintf(t, "%s\t%s\n", r.Pattern, r)
	}
	return t.Flush()
}

type public struct{ http.Handler }

// Public marks a handler as open to anybody, which a Mux wants to be told.
func Public(h http.Handler) http.Handler { return public{some(h)} }
