// Package routers shows one guard in three routers. The guard reads Request.PathValue, so a router that keeps the
// values of its wildcards elsewhere needs a few lines that copy them, and one that leaves them encoded has to be told;
// nothing else differs.
package routers

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v5"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
)

// ShotView is what the route of each router needs.
var ShotView = rolecall.NewPermission("shot.view")

// A middleware is what Guard.Require returns.
type middleware = func(http.Handler) http.Handler

// Chi fills in PathValue by itself, but leaves the values of an encoded path encoded. The handlers read PathValue too, not
// chi.URLParam. Registered as handlers and not as middleware, the requirements can be walked: httpauthz.RouteOf finds
// them.
func Chi(guard *httpauthz.Guard, show http.HandlerFunc) http.Handler {
	r := chi.NewRouter()
	r.With(decoded).Method("GET", "/projects/{project}/shots/{shot}", guard.Require(ShotView, httpauthz.Path("project", "shot"))(show))
	return r
}

// decoded decodes the values of an encoded path.
func decoded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		params := chi.RouteContext(r.Context()).URLParams
		for i, name := range params.Keys {
			r.SetPathValue(name, decode(r, params.Values[i]))
		}
		next.ServeHTTP(w, r)
	})
}

// decode decodes a value that a router took from the encoded path, which is there only where it differs from the plain
// spelling of the path; otherwise the value is decoded already. What cannot be decoded is no value.
func decode(r *http.Request, value string) string {
	if r.URL.RawPath == "" {
		return value
	}
	plain, err := url.PathUnescape(value)
	if err != nil {
		return ""
	}
	return plain
}

// Gin matches the decoded path unless it is told not to, so that an encoded slash would be one that separates.
func Gin(guard *httpauthz.Guard, show http.HandlerFunc) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.UseRawPath = true
	r.UnescapePathValues = true
	r.GET("/projects/:project/shots/:shot", forGin(guard.Require(ShotView, httpauthz.Path("project", "shot"))), gin.WrapF(show))
	return r
}

// forGin makes a middleware a handler of gin: the handlers after it run only where it passes the request on.
func forGin(m middleware) gin.HandlerFunc {
	return func(c *gin.Context) {
		for _, p := range c.Params {
			c.Request.SetPathValue(p.Key, p.Value)
		}
		passed := false
		m(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = true
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort()
		}
	}
}

// Echo fills in PathValue where it wraps middleware of net/http, and decodes the values where its router is told to.
func Echo(guard *httpauthz.Guard, show http.HandlerFunc) http.Handler {
	e := echo.NewWithConfig(echo.Config{Router: echo.NewRouter(echo.RouterConfig{UnescapePathParamValues: true})})
	shot := echo.WrapMiddleware(guard.Require(ShotView, httpauthz.Path("project", "shot")))
	e.GET("/projects/:project/shots/:shot", echo.WrapHandler(show), shot)
	return e
}
