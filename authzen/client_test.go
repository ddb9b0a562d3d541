package authzen_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall/authzen"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

var (
	aliceReads  = authzen.Evaluation{Subject: authzen.Entity{Type: "user", ID: "alice"}, Action: authzen.Action{Name: "read"}, Resource: authzen.Entity{Type: "record", ID: "record-1"}}
	bobWrites   = authzen.Evaluation{Subject: authzen.Entity{Type: "user", ID: "bob"}, Action: authzen.Action{Name: "write"}, Resource: authzen.Entity{Type: "record", ID: "record-1"}}
	noSubjectID = authzen.Evaluation{Subject: authzen.Entity{Type: "user"}, Action: authzen.Action{Name: "read"}, Resource: authzen.Entity{Type: "record", ID: "record-1"}}
)

// serve runs a decision point over TLS and returns a client of it.
func serve(t *testing.T) *authzen.Client {
	t.Helper()
	var h http.Handler
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	o := options(t, recordEntities, authzen.FillFromSent)
	o.BaseURL = s.URL
	var err error
	if h, err = authzen.NewHandler(rolecalltest.New(t, records), o); err != nil {
		t.Fatal(err)
	}
	return &authzen.Client{BaseURL: s.URL, HTTP: s.Client()}
}

func TestClient(t *testing.T) {
	c := serve(t)
	for _, tc := range []struct {
		e    authzen.Evaluation
		want bool
	}{{aliceReads, true}, {bobWrites, false}} {
		if d, err := c.Evaluate(t.Context(), tc.e); err != nil || d.Decision != tc.want {
			t.Errorf("Evaluate(%+v): got %+v, %v, want %v", tc.e, d, err, tc.want)
		}
	}
	var status *authzen.StatusError
	if _, err := c.Evaluate(t.Context(), authzen.Evaluation{}); !errors.As(err, &status) || status.Status != 400 || status.Message != "subject.type is missing" {
		t.Errorf("Evaluate of nothing: got %v, want a 400 that says what is missing", err)
	}
	got, err := c.EvaluateAll(t.Context(), authzen.Batch{Default: aliceReads, Items: []authzen.Evaluation{{}, bobWrites, {Action: authzen.Action{Name: "write"}}}})
	if diff := cmp.Diff([]authzen.Decision{{Decision: true}, {}, {Decision: true}}, got); err != nil || diff != "" {
		t.Errorf("EvaluateAll: %v (-want +got):\n%s", err, diff)
	}
	got, err = c.EvaluateAll(t.Context(), authzen.Batch{Items: []authzen.Evaluation{bobWrites, aliceReads}, Semantic: authzen.DenyOnFirstDeny})
	if diff := cmp.Diff([]authzen.Decision{{}}, got); err != nil || diff != "" {
		t.Errorf("EvaluateAll up to the first denial: %v (-want +got):\n%s", err, diff)
	}
	if got, err := c.EvaluateAll(t.Context(), authzen.Batch{Default: aliceReads}); err != nil || len(got) != 0 {
		t.Errorf("EvaluateAll of nothing: got %v, %v, want nothing", got, err)
	}
}

func TestClientSearches(t *testing.T) {
	c := serve(t)
	for _, limit := range []int{0, 1, 2} {
		var got []string
		for s, err := range c.SearchSubjects(t.Context(), noSubjectID, limit) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, s.Type+":"+s.ID)
		}
		for r, err := range c.SearchResources(t.Context(), aliceReads, limit) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Type+":"+r.ID)
		}
		for a, err := range c.SearchActions(t.Context(), aliceReads, limit) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, a.Name)
		}
		want := []string{"user:alice", "user:bob", "record:nowhere", "record:record-1", "record:record-2", "read", "write"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("searches with limit %d (-want +got):\n%s", limit, diff)
		}
	}
	for _, err := range c.SearchActions(t.Context(), noSubjectID, 0) {
		if err == nil {
			t.Error("SearchActions without a subject's id: got a result, want an error")
		}
	}
}

func TestClientMetadata(t *testing.T) {
	c := serve(t)
	if m, err := c.Metadata(t.Context()); err != nil || m.Evaluation != c.BaseURL+"/access/v1/evaluation" {
		t.Errorf("Metadata: got %+v, %v", m, err)
	}
	for _, body := range []string{
		`{"Policy_Decision_Point":"https://pdp.example.com"}`, `{"policy_decision_point":"https://pdp.example.com","access_evaluation_endpoint":1}`,
		`{"policy_decision_point":"https://pdp.example.com","capabilities":[1]}`, `{"policy_decision_point":"https://x.example.com","policy_decision_point":"https://pdp.example.com"}`,
	} {
		c := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: answer{200, body}}}
		if m, err := c.Metadata(t.Context()); err == nil {
			t.Errorf("Metadata answered %s: got %+v, want an error", body, m)
		}
	}
	liar := &authzen.Client{BaseURL: "https://pdp.example.com/tenant", HTTP: &http.Client{Transport: answer{200, `{"policy_decision_point":"https://other.example.com"}`}}}
	if _, err := liar.Metadata(t.Context()); err == nil || !strings.Contains(err.Error(), "other.example.com") {
		t.Errorf("Metadata of another decision point: got %v, want an error", err)
	}
}

// An answer is a transport that always gives the same one.
type answer struct {
	status int
	body   string
}

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// Nothing but a decision in full is one, and what can be read in two ways is none.
func TestClientBelievesNoHalfAnswer(t *testing.T) {
	for _, a := range []answer{
		{200, `{"decision":false,"decision":true}`}, {200, `{"decision":true,"decision":true}`}, {200, `{"Decision":true}`}, {200, `{"DECISION":true}`},
		{200, `{"decision":true,"context":"x"}`}, {200, `{"decision":true,"context":{"a":1,"a":2}}`}, {200, `[{"decision":true}]`},
		{200, `{"decision":true,"context":{"a":"\ud800"}}`}, {200, "{\"decision\":true,\"context\":{\"a\":\"\xff\"}}"}, {200, `{"decision":true} {}`},
		{200, `{}`}, {200, `{"decision":null}`}, {200, `{"decision":"true"}`}, {200, `true`}, {200, ``},
		{204, `{"decision":true}`}, {500, `{"decision":true}`}, {200, strings.Repeat(" ", 101) + `{"decision":true}`},
	} {
		c := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: a}, MaxBody: 100}
		if d, err := c.Evaluate(t.Context(), aliceReads); err == nil || d.Decision {
			t.Errorf("Evaluate answered %d %q: got %+v, %v, want an error", a.status, a.body, d, err)
		}
	}
	other := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: answer{200, `{"decision":false,"Decision":true}`}}}
	if d, err := other.Evaluate(t.Context(), aliceReads); err != nil || d.Decision {
		t.Errorf("Evaluate answered with a decision and a member of another name: got %+v, %v, want a denial", d, err)
	}
	for _, body := range []string{`{"evaluations":[]}`, `{"evaluations":[{"decision":true}]}`, `{"evaluations":[{"decision":true},{}]}`, `{"decision":true}`,
		`{"evaluations":[{"decision":true},{"decision":true},{"decision":true}]}`,
		`{"evaluations":[{"decision":true},{"decision":false,"decision":true}]}`, `{"Evaluations":[{"decision":true},{"decision":true}]}`,
		`{"evaluations":[{"decision":false},{"decision":false}],"evaluations":[{"decision":true},{"decision":true}]}`} {
		c := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: answer{200, body}}}
		if got, err := c.EvaluateAll(t.Context(), authzen.Batch{Items: []authzen.Evaluation{aliceReads, aliceReads}}); err == nil || got != nil {
			t.Errorf("EvaluateAll answered %s: got %+v, %v, want an error and no decisions", body, got, err)
		}
	}
	for _, body := range []string{
		`{}`, `{"results":null}`, `{"Results":[]}`, `{"results":["alice"]}`, `{"results":[{"type":"user"}]}`, `{"results":[{"id":"alice"}]}`, `{"results":[],"results":[]}`,
		`{"results":[{"type":"user","id":"alice","id":"bob"}]}`, `{"results":[],"page":{"next_token":7}}`, `{"results":[],"page":[]}`,
	} {
		c := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: answer{200, body}}}
		for s, err := range c.SearchSubjects(t.Context(), noSubjectID, 0) {
			if err == nil {
				t.Errorf("SearchSubjects answered %s: got %+v, want an error", body, s)
			}
			body = "" // told
		}
		if body != "" {
			t.Errorf("SearchSubjects answered %s: got nothing, want an error", body)
		}
	}
	c := &authzen.Client{BaseURL: "https://pdp.example.com", Prepare: func(*http.Request) error { return errors.New("no token") }}
	if _, err := c.Evaluate(t.Context(), aliceReads); err == nil || !strings.Contains(err.Error(), "no token") {
		t.Errorf("Evaluate without credentials: got %v, want the error of Prepare", err)
	}
}

// pages are the results and the next token of each page, from 0 on.
type pages func(n int) (results, next string)

// served is a transport that gives one page after the other.
type served struct {
	pages    pages
	requests int
}

func (s *served) RoundTrip(r *http.Request) (*http.Response, error) {
	results, next := s.pages(s.requests)
	s.requests++
	return answer{200, fmt.Sprintf(`{"results":[%s],"page":{"next_token":%q}}`, results, next)}.RoundTrip(r)
}

// A search ends, whatever the decision point answers: a token that it has handed out before is an error, and so is a
// thousand pages in a row without a result.
func TestClientSearchesEnd(t *testing.T) {
	const alice = `{"type":"user","id":"alice"}`
	for _, tc := range []struct {
		how             string
		pages           pages
		found, requests int
		fails           bool
	}{
		{"one page", func(int) (string, string) { return alice, "" }, 1, 1, false},
		{"empty pages before the last", func(n int) (string, string) {
			if n == 999 {
				return alice, ""
			}
			return "", fmt.Sprint(n)
		}, 1, 1000, false},
		{"the token of the same page", func(int) (string, string) { return alice, "x" }, 2, 2, true},
		{"tokens in a circle", func(n int) (string, string) { return alice, fmt.Sprint(n % 3) }, 4, 4, true},
		{"the token of an empty page", func(int) (string, string) { return "", "x" }, 0, 2, true},
		{"empty pages without end", func(n int) (string, string) { return "", fmt.Sprint(n) }, 0, 1000, true},
	} {
		s := &served{pages: tc.pages}
		c := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: s}}
		found, fails := 0, false
		for _, err := range c.SearchSubjects(t.Context(), noSubjectID, 0) {
			if err != nil {
				fails = true
			} else if found++; found > 5000 {
				t.Fatalf("SearchSubjects answered with %s: it does not end", tc.how)
			}
		}
		if found != tc.found || s.requests != tc.requests || fails != tc.fails {
			t.Errorf("SearchSubjects answered with %s: got %d results of %d requests and an error %t, want %d of %d and %t", tc.how, found, s.requests, fails, tc.found, tc.requests, tc.fails)
		}
	}
}

// A long message is cut between characters.
func TestStatusErrorIsText(t *testing.T) {
	long := "a" + strings.Repeat("é", 400)
	c := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: answer{503, long}}}
	_, err := c.Evaluate(t.Context(), aliceReads)
	var status *authzen.StatusError
	if !errors.As(err, &status) {
		t.Fatalf("Evaluate answered 503: got %v, want a StatusError", err)
	}
	if want := "a" + strings.Repeat("é", 249) + "…"; status.Message != want {
		t.Errorf("Evaluate answered 503: got message %q, want %q", status.Message, want)
	}
}

// FuzzClient: whatever a decision point answers, a permit is what every reader of JSON would take for one.
func FuzzClient(f *testing.F) {
	for _, body := range []string{`{"decision":true}`, `{"decision":false,"decision":true}`, `{"decision":true,"context":{"a":[1e999,"\ud800"]}}`, `{"Decision":true}`, `[`, "\xff"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c := &authzen.Client{BaseURL: "https://pdp.example.com", HTTP: &http.Client{Transport: answer{200, body}}}
		d, err := c.Evaluate(t.Context(), aliceReads)
		var plain map[string]json.RawMessage // numbers that no float64 holds are JSON, too
		sure := json.Unmarshal([]byte(body), &plain) == nil && string(plain["decision"]) == "true"
		if d.Decision && (err != nil || !sure) {
			t.Errorf("Evaluate answered %q: got %+v, %v, want no permit", body, d, err)
		}
	})
}
