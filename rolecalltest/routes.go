package rolecalltest

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
)

// Routes compares the routes of a mux and what each demands with a golden file, and fails the test where a route
// demands a permission, or at a place of a kind, that the catalog does not declare.
func Routes(tb testing.TB, mux *httpauthz.Mux, c *rolecall.Catalog, file string) {
	tb.Helper()
	CheckRoutes(tb, mux.Routes(), c)
	var b strings.Builder
	if err := mux.WriteRoutes(&b); err != nil {
		tb.Fatal(err)
	}
	golden(tb, file, b.String())
}

// CheckRoutes fails the test where a route has neither a requirement nor the mark of being meant so (Public, Identify), or
// demands a permission, or at a place of a kind, that the catalog does not declare. (Of an httpauthz.PlaceFunc the kinds
// are not known.) Any router's routes can be collected for it, with httpauthz.RouteOf.
func CheckRoutes(tb testing.TB, routes []httpauthz.Route, c *rolecall.Catalog) {
	tb.Helper()
	if len(routes) == 0 {
		tb.Error("there are no routes")
	}
	declared := slices.Collect(c.Permissions())
	var kinds []rolecall.ScopeKind
	for _, d := range c.Declarations().ScopeKinds {
		kinds = append(kinds, d.Kind)
	}
	for _, r := range routes {
		demands := r.Inner
		if !r.Public && !r.Identified {
			demands = append([]httpauthz.Requirement{r.Requirement}, r.Inner...)
		}
		for _, q := range demands {
			if q.Permission.IsZero() {
				tb.Errorf("route %q has no requirement and is not meant to have none", r.Pattern)
				continue
			}
			for _, p := range []rolecall.Permission{q.Permission, q.HideUnless} {
				if !p.IsZero() && !slices.Contains(declared, p) {
					tb.Errorf("route %q demands %s, which the catalog does not declare", r.Pattern, p)
				}
			}
			for kind := range q.At.Kinds() {
				if !slices.Contains(kinds, kind) {
					tb.Errorf("route %q acts at a place of kind %q, which the catalog does not declare", r.Pattern, kind)
				}
			}
		}
	}
}
