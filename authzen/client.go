package authzen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
)

// A Client asks a policy decision point. Its fields are set before its first use; it is then safe for concurrent use.
// Every error means that there is no answer, and none is a permit. A response with a member twice, of the wrong type or
// with text that is not Unicode is none; names of members are compared exactly. A number in it is a float64, or a
// json.Number where that cannot hold it.
type Client struct {
	// BaseURL is the URL of the decision point, without a slash at its end.
	BaseURL string
	// HTTP makes the requests. Nil is http.DefaultClient.
	HTTP *http.Client
	// Prepare, where it is not nil, is given each request before it is sent, to add credentials or an X-Request-ID.
	Prepare func(*http.Request) error
	// MaxBody bounds what is read of a response. Zero is 16 MiB.
	MaxBody int64
}

// A StatusError is an answer that is no decision: what the decision point says of the request or of itself.
type StatusError struct {
	Status  int
	Message string
}

// Error returns the status and the message.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
}

// Evaluate asks a single evaluation.
func (c *Client) Evaluate(ctx context.Context, e Evaluation) (Decision, error) {
	return post(ctx, c, pathEvaluation, e, readDecision)
}

// A Batch is several evaluations. What an item leaves out whole (its zero Subject, Action, Resource or nil Context) is
// that of Default.
type Batch struct {
	Default  Evaluation
	Items    []Evaluation
	Semantic Semantic
}

// EvaluateAll asks a batch. There are as many decisions as items, fewer only where the semantic stopped before the end.
func (c *Client) EvaluateAll(ctx context.Context, b Batch) ([]Decision, error) {
	request := struct {
		Evaluation
		Evaluations []Evaluation   `json:"evaluations"`
		Options     map[string]any `json:"options,omitempty"`
	}{Evaluation: b.Default, Evaluations: b.Items}
	if b.Semantic != "" {
		request.Options = map[string]any{"evaluations_semantic": b.Semantic}
	}
	if len(b.Items) == 0 {
		return nil, nil
	}
	return post(ctx, c, pathEvaluations, request, func(o object) ([]Decision, error) {
		decisions, err := readList(o, "evaluations", readDecision)
		if err == nil {
			err = b.check(decisions)
		}
		return decisions, err
	})
}

// check says whether the decisions are as many as the semantic allows.
func (b Batch) check(decisions []Decision) error {
	n := len(decisions)
	stops := n > 0 && n < len(b.Items) &&
		(b.Semantic == DenyOnFirstDeny && !decisions[n-1].Decision || b.Semantic == PermitOnFirstPermit && decisions[n-1].Decision)
	if n != len(b.Items) && !stops {
		return fmt.Errorf("%d decisions on %d evaluations", n, len(b.Items))
	}
	return nil
}

// SearchSubjects yields the subjects of e.Subject.Type that may do e.Action with e.Resource, page by page; limit bounds
// a page, zero leaves it to the decision point. An error ends it: what came before it is not the whole answer. One is a
// decision point that comes to no end: it hands out a token again, or a thousand pages in a row without a result.
func (c *Client) SearchSubjects(ctx context.Context, e Evaluation, limit int) iter.Seq2[Entity, error] {
	e.Subject.ID = ""
	return search(ctx, c, pathSearchSubject, e, limit, readEntities)
}

// SearchResources yields the resources of e.Resource.Type with which e.Subject may do e.Action, as SearchSubjects does.
func (c *Client) SearchResources(ctx context.Context, e Evaluation, limit int) iter.Seq2[Entity, error] {
	e.Resource.ID = ""
	return search(ctx, c, pathSearchResource, e, limit, readEntities)
}

// SearchActions yields what e.Subject may do with e.Resource, as SearchSubjects does.
func (c *Client) SearchActions(ctx context.Context, e Evaluation, limit int) iter.Seq2[Action, error] {
	e.Action = Action{}
	return search(ctx, c, pathSearchAction, e, limit, readActions)
}

func search[R any](ctx context.Context, c *Client, path string, e Evaluation, limit int, read func(object) (results[R], error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		request := struct {
			Evaluation
			Page *Page `json:"page,omitempty"`
		}{Evaluation: e}
		if limit > 0 {
			request.Page = &Page{Limit: limit}
		}
		var none R
		way := trail{tokens: map[string]bool{}}
		for {
			found, err := post(ctx, c, path, request, read)
			if err != nil {
				yield(none, err)
				return
			}
			for _, one := range found.list {
				if !yield(one, nil) {
					return
				}
			}
			if found.next == "" {
				return
			}
			if err := way.goOn(found.next, len(found.list)); err != nil {
				yield(none, err)
				return
			}
			request.Page = &Page{Token: found.next, Limit: limit}
		}
	}
}

// maxEmptyPages bounds how long a search goes on without a result.
const maxEmptyPages = 1000

// A trail is how a search has gone from page to page.
type trail struct {
	tokens map[string]bool
	empty  int // pages since the last result
}

// goOn notes a page and the token that it goes on with, and refuses one that leads nowhere.
func (t *trail) goOn(token string, results int) error {
	t.empty++
	if results > 0 {
		t.empty = 0
	}
	switch {
	case t.tokens[token]:
		return errors.New("authzen: search: the decision point goes on with the token of a page before")
	case t.empty == maxEmptyPages:
		return fmt.Errorf("authzen: search: %d pages in a row have no result", t.empty)
	}
	t.tokens[token] = true
	return nil
}

// Metadata returns what the decision point says of itself, and refuses what another one says of itself.
func (c *Client) Metadata(ctx context.Context) (Metadata, error) {
	scheme, rest, _ := strings.Cut(c.BaseURL, "://")
	host, path, _ := strings.Cut(rest, "/")
	url := scheme + "://" + host + pathMetadata
	if path != "" {
		url += "/" + path
	}
	m, err := do(ctx, c, http.MethodGet, url, nil, readMetadata)
	if err != nil {
		return Metadata{}, err
	}
	if m.PolicyDecisionPoint != c.BaseURL {
		return Metadata{}, fmt.Errorf("authzen: metadata of %q at the place of those of %q", m.PolicyDecisionPoint, c.BaseURL)
	}
	return m, nil
}

func post[A any](ctx context.Context, c *Client, path string, request any, read func(object) (A, error)) (A, error) {
	body, err := json.Marshal(request)
	if err != nil {
		var none A
		return none, fmt.Errorf("authzen: %w", err)
	}
	return do(ctx, c, http.MethodPost, c.BaseURL+path, body, read)
}

// do makes a request and reads the answer; with an error there is none.
func do[A any](ctx context.Context, c *Client, method, url string, body []byte, read func(object) (A, error)) (A, error) {
	var none A
	text, err := c.fetch(ctx, method, url, body)
	if err != nil {
		return none, fmt.Errorf("authzen: %w", err)
	}
	o, err := parseObject(text, maxResponseDepth)
	if err != nil {
		return none, unreadable(err)
	}
	answer, err := read(o)
	if err != nil {
		return none, unreadable(err)
	}
	return answer, nil
}

// unreadable does not wrap what is wrong: a handler whose host asks another decision point would take it for a fault of
// its own request.
func unreadable(err error) error { return fmt.Errorf("authzen: read response: %v", err) }

func (c *Client) fetch(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	if c.Prepare != nil {
		if err := c.Prepare(r); err != nil {
			return nil, fmt.Errorf("prepare request: %w", err)
		}
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return c.body(answer)
}

// body returns the body of an answer that is one.
func (c *Client) body(answer *http.Response) ([]byte, error) {
	limit := c.MaxBody
	if limit == 0 {
		limit = 16 << 20
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read response: %w", err)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("the response has more than %d bytes", limit)
	case answer.StatusCode != http.StatusOK:
		return nil, &StatusError{answer.StatusCode, message(body)}
	}
	return body, nil
}

// message returns what an error body says, shortly.
func message(body []byte) string {
	var text string
	if json.Unmarshal(body, &text) != nil {
		text = strings.ToValidUTF8(string(body), "")
	}
	text = strings.TrimSpace(text)
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "…" // no half of a character
	}
	return text
}
