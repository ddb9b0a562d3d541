package authzen

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// A Source hands out the policy as it is now. *rolecall.Resolver is one.
type Source interface {
	Snapshot() (*rolecall.Snapshot, error)
}

// Properties says what becomes of the properties and the context that a caller sends.
type Properties uint8

// The ways to treat what callers send.
const (
	IgnoreSent   Properties = iota // as if they had not sent any
	FillFromSent                   // they count where the Directory knows nothing of that name
	TrustSent                      // they count before what the Directory knows: callers are believed like the host itself
)

// Options configure a Handler. A nil *Options is the zero Options.
type Options struct {
	// BaseURL is the URL under which callers reach the handler, https and without query and fragment. Metadata name it,
	// and requests never do. Its path, where it has one, comes before that of each endpoint. Without it there are no
	// metadata.
	BaseURL string
	// Mapping turns entities into Rolecall's names.
	Mapping Mapping
	// Directory tells of entities that the policy does not name, and of properties.
	Directory Directory
	// Properties says whether properties and context that callers send count.
	Properties Properties
	// Conditions answer the policy's conditions. Of one that has no test nobody can say whether it holds.
	Conditions map[rolecall.Condition]Test
	// Reasons adds the kind of reason and the revision to the context of decisions. Callers then learn a little more.
	Reasons bool
	// Observe is told of every decision; of searches it is not.
	Observe rolecall.Observer
	// Log gets what could not be found out, as errors, and the first name of a request that the policy does not know. Nil
	// is slog.Default().
	Log *slog.Logger
	// PageKey seals page tokens, 32 bytes or more that nobody else knows. Handlers with one key accept each other's tokens
	// where they ask the same policy. Without it each handler makes a key of its own.
	PageKey []byte

	// Limits. Zero is the default.
	MaxBody        int64 // bytes of a request; 1 MiB
	MaxDepth       int   // nesting of a request; 32
	MaxEvaluations int   // of a batch; 1000
	MaxResults     int   // of a page of a search; 1000
}

func (o *Options) setDefaults() {
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = 32
	}
	if o.MaxEvaluations == 0 {
		o.MaxEvaluations = 1000
	}
	if o.MaxResults == 0 {
		o.MaxResults = 1000
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if len(o.PageKey) == 0 {
		o.PageKey = make([]byte, minPageKey)
		_, _ = rand.Read(o.PageKey) // never fails
	}
	o.Mapping = o.Mapping.withDefaults()
}

// A Handler is a policy decision point. It is safe for concurrent use. Each request is answered from one snapshot. A path
// has one spelling: another one, an encoded letter or a slash too many, is not found and never redirected.
type Handler struct {
	source Source
	o      Options
	routes map[string]route // by path

	plainSubjects, plainResources bool // types are kinds, and ids are as they are
	paths                         bool // an id may be a path
}

// A route is what there is at a path.
type route struct {
	methods []string
	http.Handler
}

// NewHandler returns a handler that asks source. The error says what is wrong with the options.
func NewHandler(source Source, o *Options) (*Handler, error) {
	h := &Handler{source: source}
	if o != nil {
		h.o = *o
	}
	if source == nil {
		return nil, errors.New("authzen: no source of policy")
	}
	if h.o.MaxBody < 0 || h.o.MaxDepth < 0 || h.o.MaxEvaluations < 0 || h.o.MaxResults < 0 {
		return nil, errors.New("authzen: a limit is not negative")
	}
	prefix, err := checkBaseURL(h.o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("authzen: base URL %q: %w", h.o.BaseURL, err)
	}
	if n := len(h.o.PageKey); n > 0 && n < minPageKey {
		return nil, fmt.Errorf("authzen: a page key has at least %d bytes, not %d", minPageKey, n)
	}
	h.plainSubjects = h.o.Mapping.Subject == nil && h.o.Mapping.NameSubject == nil
	h.plainResources = h.o.Mapping.Resource == nil && h.o.Mapping.NameResource == nil
	h.paths = h.o.Mapping.Resource == nil
	h.o.setDefaults()
	h.routes = map[string]route{}
	for path, answer := range map[string]answerer{
		pathEvaluation:     h.evaluation,
		pathEvaluations:    h.evaluations,
		pathSearchSubject:  h.searchSubject,
		pathSearchResource: h.searchResource,
		pathSearchAction:   h.searchAction,
	} {
		h.routes[prefix+path] = route{[]string{http.MethodPost}, h.endpoint(answer)}
	}
	if h.o.BaseURL != "" {
		metadata := h.metadata(strings.TrimSuffix(h.o.BaseURL, "/"))
		h.routes[pathMetadata+prefix] = route{[]string{http.MethodGet, http.MethodHead}, metadata}
	}
	return h, nil
}

// checkBaseURL returns the path of the URL, without a slash at its end.
func checkBaseURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "https" || u.Host == "" || u.User != nil:
		return "", errors.New("want https, a host and no user")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return "", errors.New("want neither query nor fragment")
	case strings.ContainsAny(u.Path, "{} ") || u.EscapedPath() != u.Path:
		return "", errors.New("want a plain path")
	}
	return strings.TrimSuffix(u.Path, "/"), nil
}

// ServeHTTP answers a request. An X-Request-ID comes back as it was sent, whatever the answer.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Values("X-Request-ID"); len(id) > 0 {
		w.Header().Set("X-Request-ID", id[0])
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch at, there := h.routes[r.URL.EscapedPath()]; {
	case !there:
		refuse(w, http.StatusNotFound, "there is nothing here")
	case !slices.Contains(at.methods, r.Method):
		w.Header().Set("Allow", strings.Join(at.methods, ", "))
		refuse(w, http.StatusMethodNotAllowed, "the method is not "+at.methods[0])
	default:
		at.ServeHTTP(w, r)
	}
}

// refuse answers with an error message.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, message)
}

// An answerer answers the object of a request.
type answerer func(s *session, request object) (any, error)

func (h *Handler) endpoint(answer answerer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, err := h.answer(r, answer)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, response)
	})
}

func (h *Handler) answer(r *http.Request, answer answerer) (any, error) {
	if err := checkContentType(r.Header); err != nil {
		return nil, err
	}
	if r.ContentLength > h.o.MaxBody {
		return nil, errTooLarge
	}
	body, err := readBody(r.Body, h.o.MaxBody)
	if err != nil {
		return nil, err
	}
	request, err := parseObject(body, h.o.MaxDepth)
	if err != nil {
		return nil, err
	}
	s, err := h.session(r.Context())
	if err != nil {
		return nil, err
	}
	return answer(s, request)
}

func checkContentType(header http.Header) error {
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return bad("the body has a Content-Encoding")
	}
	values := header.Values("Content-Type")
	if len(values) != 1 {
		return bad("the Content-Type is not application/json")
	}
	typ, parameters, err := mime.ParseMediaType(values[0])
	if err != nil || typ != "application/json" {
		return bad("the Content-Type is not application/json")
	}
	if charset, there := parameters["charset"]; there && !strings.EqualFold(charset, "utf-8") {
		return bad("the charset is not UTF-8")
	}
	return nil
}

// fail answers with an error message, which tells of the request and not of the policy.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, message := http.StatusServiceUnavailable, "the policy cannot be asked"
	var form badRequest
	switch {
	case errors.As(err, &form):
		status, message = http.StatusBadRequest, form.Error()
	case errors.Is(err, errTooLarge):
		status, message = http.StatusRequestEntityTooLarge, err.Error()
	default:
		h.o.Log.ErrorContext(r.Context(), "authzen: not answered", "path", r.URL.Path, "error", err)
	}
	refuse(w, status, message)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // of our own types, and of what was read from JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller that is gone needs no answer
}

func (h *Handler) metadata(base string) http.Handler {
	m := Metadata{
		PolicyDecisionPoint: h.o.BaseURL,
		Evaluation:          base + pathEvaluation,
		Evaluations:         base + pathEvaluations,
		SearchSubject:       base + pathSearchSubject,
		SearchResource:      base + pathSearchResource,
		SearchAction:        base + pathSearchAction,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		writeJSON(w, http.StatusOK, m)
	})
}

// maxViews bounds the subjects that a session remembers the groups of.
const maxViews = 64

// A session answers one request from one snapshot.
type session struct {
	*Handler
	ctx      context.Context
	snapshot *rolecall.Snapshot
	views    map[rolecall.Subject]*rolecall.View

	lastSubject, lastResource memory
	ofSubject, ofResource     blend

	toldUnknown bool // a name that is not known is in the log
}

// A memory keeps what the directory said of one entity, for the questions of one request that follow each other.
type memory struct {
	typ, id string
	known   Known
}

func (m *memory) ask(ctx context.Context, typ, id string, ask func(context.Context, string, string) (Known, error)) (Known, error) {
	if m.typ == typ && m.id == id && typ != "" {
		return m.known, nil
	}
	known, err := ask(ctx, typ, id)
	if err == nil {
		*m = memory{typ, id, known}
	}
	return known, err
}

func (h *Handler) session(ctx context.Context) (*session, error) {
	snapshot, err := h.source.Snapshot()
	if err != nil {
		return nil, err
	}
	return &session{Handler: h, ctx: ctx, snapshot: snapshot, views: map[rolecall.Subject]*rolecall.View{}}, nil
}

func (s *session) view(who rolecall.Subject) (*rolecall.View, error) {
	if v := s.views[who]; v != nil {
		return v, nil
	}
	v, err := s.snapshot.For(who, nil)
	if err != nil {
		return nil, err
	}
	if len(s.views) >= maxViews {
		clear(s.views)
	}
	s.views[who] = v
	return v, nil
}
