package httpauthz

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// An Error is an outcome that a Place or an identify function may report; errors.Is finds it through wrapping.
type Error string

// Error returns the outcome in words.
func (e Error) Error() string { return string(e) }

// The outcomes.
const (
	// ErrNotFound says that the request names no place that there is: 404.
	ErrNotFound Error = "no such place"
	// ErrBadRequest says that the request cannot be read, or can be read in two ways: 400.
	ErrBadRequest Error = "malformed request"
	// ErrBadCredentials says that the caller sent credentials which are not accepted: 401 with invalid_token.
	ErrBadCredentials Error = "credentials not accepted"
)

// A Place finds where a request wants to act, and the facts that hold there for whoever asks. The zero Place is none:
// what needs it is refused. Places are immutable and safe for concurrent use.
type Place struct {
	text      string
	kinds     []rolecall.ScopeKind
	wildcards []string
	fault     error // what is wrong with it, whatever the request
	find      func(*http.Request) (rolecall.Scope, error)
	facts     FactsFunc
}

// A FactsFunc returns the facts about subject at the place of a request. An error says that they cannot be had: the
// request is then answered with 503, or with what ErrNotFound and ErrBadRequest stand for. Facts that it returns and that
// fail later, at a single condition, make a denial as anywhere: an allow that depends on it falls, a deny stands. The guard
// logs that as an error, with the cause.
type FactsFunc func(r *http.Request, subject rolecall.Subject, at rolecall.Scope) (rolecall.Facts, error)

// Fixed is the same place for every request. A requirement at a scope that is not valid is malformed.
func Fixed(at rolecall.Scope) Place {
	p := Place{text: at.String(), fault: at.Valid(), find: func(*http.Request) (rolecall.Scope, error) { return at, nil }}
	for kind := range at.Segments() {
		p.kinds = append(p.kinds, kind)
	}
	return p
}

// Global is the whole instance.
func Global() Place { return Fixed(rolecall.Global()) }

// Path is the place that wildcards of the route's pattern name, from the top: Path("project", "shot") on the pattern
// /projects/{project}/shots/{shot} is /project:alpha/shot:010. Where wildcard and kind have different names write
// kind=wildcard: Path("project=projectID"). It reads Request.PathValue, which routers fill in for the handler that they
// matched, not for what is wrapped around the router. A value that is no id is ErrNotFound.
func Path(kinds ...string) Place {
	if len(kinds) == 0 {
		panic("httpauthz: Path names at least one kind")
	}
	p := Place{text: "path"}
	steps := make([]step, len(kinds))
	for i, word := range kinds {
		steps[i] = newStep(word)
		p.kinds = append(p.kinds, steps[i].kind)
		p.wildcards = append(p.wildcards, steps[i].value)
		p.text += fmt.Sprintf("/%s:{%s}", steps[i].kind, steps[i].value)
	}
	p.find = func(r *http.Request) (rolecall.Scope, error) {
		at := rolecall.Global()
		for _, s := range steps {
			id := r.PathValue(s.value)
			if id == "" {
				return rolecall.Scope{}, fmt.Errorf("the router matched no {%s}: guard the route itself, not the router", s.value)
			}
			at = at.In(s.kind, id)
		}
		return at, notFound(at.Valid())
	}
	return p
}

// Query is the place kind:id inside the whole instance, with the id from one query parameter. A parameter that is
// missing or empty, or there twice, is ErrBadRequest, and so is a query that does not parse.
func Query(kind rolecall.ScopeKind, parameter string) Place {
	if err := rolecall.In(kind, "x").Valid(); err != nil || parameter == "" {
		panic(fmt.Sprintf("httpauthz: a query names a kind and a parameter, not %q and %q", kind, parameter))
	}
	return Place{
		text:  fmt.Sprintf("query/%s:{%s}", kind, parameter),
		kinds: []rolecall.ScopeKind{kind},
		find: func(r *http.Request) (rolecall.Scope, error) {
			id, err := One(r, parameter)
			if err != nil {
				return rolecall.Scope{}, err
			}
			at := rolecall.In(kind, id)
			return at, notFound(at.Valid())
		},
	}
}

// One returns the value of a query parameter that is there exactly once and is not empty, otherwise ErrBadRequest. A
// parameter that is there twice is read differently by different programs, so that one is checked and another is used.
func One(r *http.Request, parameter string) (string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fmt.Errorf("query: %w", ErrBadRequest)
	}
	values := query[parameter]
	if len(values) != 1 || values[0] == "" {
		return "", fmt.Errorf("query parameter %q is there %d times, want it once and not empty: %w", parameter, len(values), ErrBadRequest)
	}
	return values[0], nil
}

// PlaceFunc is a place that the host finds, for example by loading the task that the request names. The text describes
// it in the table of routes. ErrNotFound and ErrBadRequest are answered as such, any other error with 503.
func PlaceFunc(text string, find func(*http.Request) (rolecall.Scope, error)) Place {
	return Place{text: text, find: find}
}

// WithFacts returns the place with facts. Without, no condition holds there.
func (p Place) WithFacts(facts FactsFunc) Place {
	p.facts = facts
	return p
}

// Kinds yields the kinds of scope that the place was made of, from the top; none for PlaceFunc, which tells of none.
func (p Place) Kinds() iter.Seq[rolecall.ScopeKind] { return slices.Values(p.kinds) }

// String describes the place.
func (p Place) String() string {
	if p.find == nil {
		return "(no place)"
	}
	return p.text
}

// missing returns the wildcards that the place needs and the pattern does not have.
func (p Place) missing(pattern string) []string {
	var missing []string
	for _, w := range p.wildcards {
		if !strings.Contains(pattern, "{"+w+"}") && !strings.Contains(pattern, "{"+w+"...}") {
			missing = append(missing, w)
		}
	}
	return slices.Compact(missing)
}

type step struct {
	kind  rolecall.ScopeKind
	value string
}

func newStep(word string) step {
	kind, value, renamed := strings.Cut(word, "=")
	if !renamed {
		value = kind
	}
	if err := rolecall.In(rolecall.ScopeKind(kind), "x").Valid(); err != nil || value == "" {
		panic(fmt.Sprintf("httpauthz: a step of a path is kind or kind=wildcard, not %q", word))
	}
	return step{rolecall.ScopeKind(kind), value}
}

// notFound turns a malformed id into a place that does not exist.
func notFound(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%v: %w", err, ErrNotFound)
}
