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
// Every error means that there is no answer, and none is a permit.
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
	return fmt.Sprintf("authzen: %d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
}

// Evaluate asks a single evaluation.
func (c *Client) Evaluate(ctx context.Context, e Evaluation) (Decision, error) {
	var d wireDecision
	if err := c.post(ctx, pathEvaluation, e, &d); err != nil {
		return Decision{}, err
	}
	return d.decision()
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
	var response struct{ Evaluations []wireDecision }
	if err := c.post(ctx, pathEvaluations, request, &response); err != nil {
		return nil, err
	}
	decisions := make([]Decision, len(response.Evaluations))
	for i, d := range response.Evaluations {
		var err error
		if decisions[i], err = d.decision(); err != nil {
			return nil, err
		}
	}
	return decisions, b.check(decisions)
}

// check says whether the decisions are as many as the semantic allows.
func (b Batch) check(decisions []Decision) error {
	n := len(decisions)
	stops := n > 0 && n < len(b.Items) &&
		(b.Semantic == DenyOnFirstDeny && !decisions[n-1].Decision || b.Semantic == PermitOnFirstPermit && decisions[n-1].Decision)
	if n != len(b.Items) && !stops {
		return fmt.Errorf("authzen: %d decisions on %d evaluations", n, len(b.Items))
	}
	return nil
}

// wireDecision tells a decision that is missing from one that is false.
type wireDecision struct {
	Decision *bool
	Context  map[string]any
}

func (d wireDecision) decision() (Decision, error) {
	if d.Decision == nil {
		return Decision{}, errors.New("authzen: the response has no decision")
	}
	return Decision{*d.Decision, d.Context}, nil
}

// SearchSubjects yields the subjects of e.Subject.Type that may do e.Action with e.Resource, page by page; limit bounds
// a page, zero leaves it to the decision point. An error ends it: what came before it is not the whole answer.
func (c *Client) SearchSubjects(ctx context.Context, e Evaluation, limit int) iter.Seq2[Entity, error] {
	e.Subject.ID = ""
	return search[Entity](ctx, c, pathSearchSubject, e, limit)
}

// SearchResources yields the resources of e.Resource.Type with which e.Subject may do e.Action, as SearchSubjects does.
func (c *Client) SearchResources(ctx context.Context, e Evaluation, limit int) iter.Seq2[Entity, error] {
	e.Resource.ID = ""
	return search[Entity](ctx, c, pathSearchResource, e, limit)
}

// SearchActions yields what e.Subject may do with e.Resource, as SearchSubjects does.
func (c *Client) SearchActions(ctx context.Context, e Evaluation, limit int) iter.Seq2[Action, error] {
	e.Action = Action{}
	return search[Action](ctx, c, pathSearchAction, e, limit)
}

func search[R any](ctx context.Context, c *Client, path string, e Evaluation, limit int) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		request := struct {
			Evaluation
			Page *Page `json:"page,omitempty"`
		}{Evaluation: e}
		if limit > 0 {
			request.Page = &Page{Limit: limit}
		}
		for {
			var response struct {
				Page    NextPage
				Results []R
			}
			if err := c.post(ctx, path, request, &response); err != nil {
				var none R
				yield(none, err)
				return
			}
			for _, one := range response.Results {
				if !yield(one, nil) {
					return
				}
			}
			if response.Page.NextToken == "" {
				return
			}
			request.Page = &Page{Token: response.Page.NextToken, Limit: limit}
		}
	}
}

// Metadata returns what the decision point says of itself, and refuses what another one says of itself.
func (c *Client) Metadata(ctx context.Context) (Metadata, error) {
	scheme, rest, _ := strings.Cut(c.BaseURL, "://")
	host, path, _ := strings.Cut(rest, "/")
	url := scheme + "://" + host + pathMetadata
	if path != "" {
		url += "/" + path
	}
	var m Metadata
	if err := c.do(ctx, http.MethodGet, url, nil, &m); err != nil {
		return Metadata{}, err
	}
	if m.PolicyDecisionPoint != c.BaseURL {
		return Metadata{}, fmt.Errorf("authzen: metadata of %q at the place of those of %q", m.PolicyDecisionPoint, c.BaseURL)
	}
	return m, nil
}

func (c *Client) post(ctx context.Context, path string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("authzen: %w", err)
	}
	return c.do(ctx, http.MethodPost, c.BaseURL+path, body, response)
}

func (c *Client) do(ctx context.Context, method, url string, body []byte, response any) error {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("authzen: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	if c.Prepare != nil {
		if err := c.Prepare(r); err != nil {
			return fmt.Errorf("authzen: prepare request: %w", err)
		}
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("authzen: %w", err)
	}
	defer answer.Body.Close()
	return c.read(answer, response)
}

func (c *Client) read(answer *http.Response, response any) error {
	limit := c.MaxBody
	if limit == 0 {
		limit = 16 << 20
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	switch {
	case err != nil:
		return fmt.Errorf("authzen: read response: %w", err)
	case int64(len(body)) > limit:
		return fmt.Errorf("authzen: the response has more than %d bytes", limit)
	case answer.StatusCode != http.StatusOK:
		return &StatusError{answer.StatusCode, message(body)}
	}
	if err := json.Unmarshal(body, response); err != nil {
		return fmt.Errorf("authzen: read response: %w", err)
	}
	return nil
}

// message returns what an error body says, shortly.
func message(body []byte) string {
	var text string
	if json.Unmarshal(body, &text) != nil {
		text = strings.ToValidUTF8(string(body), "")
	}
	text = strings.TrimSpace(text)
	if len(text) > 500 {
		text = text[:500] + "…"
	}
	return text
}
