package httpauthz

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/rolecall-go/rolecall"
)

// A Problem is what a client is told of a refusal (RFC 9457). It depends on the kind of refusal only, so that two
// requests which are refused alike cannot be told apart by it.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Code is a stable word: unauthenticated, invalid-token, denied, not-found, bad-request or unavailable.
	Code string `json:"code"`
}

func newProblem(status int, code string) Problem {
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code}
}

// WriteProblem answers with p as application/problem+json.
func WriteProblem(w http.ResponseWriter, p Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Length")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // a client that is gone needs no answer
}

// A refusal is everything that is known of one; only its Problem leaves the program.
type refusal struct {
	err         error
	cause       error // why a condition could not be said, nil where none was asked for in vain
	access      *Access
	requirement *Requirement // nil where the request was refused before one was looked at
	at          rolecall.Scope
	hidden      bool // it is a denial that is to look as if the place did not exist
}

func (x refusal) problem() Problem {
	switch {
	case errors.Is(x.err, errNobody):
		return newProblem(http.StatusUnauthorized, "unauthenticated")
	case errors.Is(x.err, ErrBadCredentials):
		return newProblem(http.StatusUnauthorized, "invalid-token")
	case errors.Is(x.err, ErrBadRequest):
		return newProblem(http.StatusBadRequest, "bad-request")
	case errors.Is(x.err, ErrNotFound), x.hidden:
		return newProblem(http.StatusNotFound, "not-found")
	case errors.Is(x.err, rolecall.ErrDenied):
		return newProblem(http.StatusForbidden, "denied")
	}
	return newProblem(http.StatusServiceUnavailable, "unavailable")
}

// Refuse answers the request of a handler that asked by itself, as a guard would: 403 where err is ErrDenied, 404, 400 and
// 401 where it is ErrNotFound, ErrBadRequest and ErrBadCredentials, and otherwise 503. Options.Log gets err, which may be
// wrapped to say what was asked; the caller is told its kind alone. For an error of a change of policy see admin.HTTPStatus.
func (a *Access) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	a.guard.refuse(w, r, refusal{err: err, access: a, at: a.Scope()})
}

// refuse logs why and answers what.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, x refusal) {
	p := x.problem()
	g.logRefusal(r, x, p)
	switch p.Code {
	case "unauthenticated":
		w.Header().Set("WWW-Authenticate", "Bearer realm="+quoted(g.o.Realm))
	case "invalid-token":
		w.Header().Set("WWW-Authenticate", "Bearer realm="+quoted(g.o.Realm)+`, error="invalid_token"`)
	case "unavailable":
		w.Header().Set("Retry-After", "1")
	}
	if g.o.Respond != nil {
		g.o.Respond(w, r, p)
		return
	}
	WriteProblem(w, p)
}

// quoted writes a quoted-string of a header field; what does not belong in one is left out.
func quoted(s string) string {
	out := []byte{'"'}
	for i := range len(s) {
		c := s[i]
		if c == '"' || c == '\\' {
			out = append(out, '\\')
		}
		if c >= ' ' && c < 0x7f {
			out = append(out, c)
		}
	}
	return string(append(out, '"'))
}

func (g *Guard) logRefusal(r *http.Request, x refusal, p Problem) {
	level := slog.LevelInfo
	if p.Status == http.StatusServiceUnavailable || x.cause != nil {
		level = slog.LevelError
	}
	log := g.log()
	if !log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{slog.Int("status", p.Status), slog.String("method", r.Method), slog.String("route", r.Pattern)}
	if s := x.access.who.Subject; !s.IsZero() {
		attrs = append(attrs, slog.String("subject", s.String()))
	}
	if s := x.access.who.Actor; !s.IsZero() {
		attrs = append(attrs, slog.String("actor", s.String()))
	}
	if x.requirement != nil {
		attrs = append(attrs, slog.String("permission", x.requirement.Permission.String()))
	}
	if x.at.Valid() == nil {
		attrs = append(attrs, slog.String("scope", x.at.String()))
	}
	if x.access.snapshot != nil {
		attrs = append(attrs, slog.Uint64("revision", uint64(x.access.Revision())))
	}
	attrs = append(attrs, slog.String("error", x.err.Error()))
	if x.cause != nil {
		attrs = append(attrs, slog.String("cause", x.cause.Error()))
	}
	log.LogAttrs(r.Context(), level, "request refused", attrs...)
}
