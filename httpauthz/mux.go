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
	Public      bool        // registered with Public: no demand
	Identified  bool        // registered with Identify: the handler asks for itself
	Requirement Requirement // zero where Public or Identified
}

// Handle registers a handler that was made by Require, Enforce, Identify or Public. The guard is the outermost layer of it: what
// is to happen before the guard belongs around the Mux. A pattern without a wildcard that the requirement's place reads
// is refused, too.
func (m *Mux) Handle(pattern string, h http.Handler) {
	route := Route{Pattern: pattern}
	switch h := h.(type) {
	case *guarded:
		route.Requirement = h.Requirement
		if missing := h.At.missing(pattern); missing != nil {
			panic(fmt.Sprintf("httpauthz: pattern %q has no wildcard %s, which its requirement reads", pattern, strings.Join(missing, ", ")))
		}
	case *identified:
		route.Identified = true
	case public:
		route.Public = true
	default:
		panic(fmt.Sprintf("httpauthz: pattern %q has no requirement; register guard.Require(…)(handler), or Public(handler) where anybody may", pattern))
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
	switch {
	case r.Public:
		return "public"
	case r.Identified:
		return "anybody who is known"
	}
	return r.Requirement.String()
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

// RequirementOf returns what a handler demands that Require or Enforce made, so that a test can walk the routes of any
// router. Where it was made by neither the result is false; IsPublic and IsIdentified tell those that are meant so.
func RequirementOf(h http.Handler) (Requirement, bool) {
	g, ok := h.(*guarded)
	if !ok {
		return Requirement{}, false
	}
	return g.Requirement, true
}

// IsPublic says whether the handler was marked with Public.
func IsPublic(h http.Handler) bool {
	_, ok := h.(public)
	return ok
}

// IsIdentified says whether the handler was made by Identify.
func IsIdentified(h http.Handler) bool {
	_, ok := h.(*identified)
	return ok
}
