package authzen_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/authzen"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

// The world of the certification scenario: alice reads and writes what is not archived, and deletes softly; bob reads;
// an admin writes what is archived.
const records = `
permission record.read
permission record.write
permission record.delete
condition archived
condition admin-on-archived
condition soft
kind scope record

role reader
  allow record.read
role writer
  inherits reader
  allow record.write
  deny record.write when archived
  allow record.delete when soft
role archivist
  allow record.write when admin-on-archived

grant user:alice writer at /
grant user:bob reader at /
grant user:alice archivist at /record:nowhere
grant user:bob archivist at /
`

const recordEntities = `{
  "conditions": {
    "archived": "resource.status? == \"archived\"",
    "admin-on-archived": "subject.role? == \"admin\" && resource.status? == \"archived\"",
    "soft": "action.soft == true"
  },
  "subjects": [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob", "properties": {"role": "admin"}}],
  "resources": [
    {"type": "record", "id": "record-1", "properties": {"status": "active"}},
    {"type": "record", "id": "record-2", "properties": {"status": "archived"}}
  ]
}`

func options(t testing.TB, entities string, how authzen.Properties) *authzen.Options {
	t.Helper()
	o := &authzen.Options{Properties: how, BaseURL: "https://pdp.example.com", Log: slog.New(slog.DiscardHandler)}
	if entities != "" {
		e, err := authzen.ParseEntities([]byte(entities))
		if err != nil {
			t.Fatal(err)
		}
		o.Directory, o.Conditions = e, e.Conditions
	}
	return o
}

func handler(t testing.TB, policy string, o *authzen.Options) http.Handler {
	t.Helper()
	h, err := authzen.NewHandler(rolecalltest.New(t, policy), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func certified(t testing.TB) http.Handler {
	return handler(t, records, options(t, recordEntities, authzen.FillFromSent))
}

// post sends a body and returns the status and the body that came back.
func post(h http.Handler, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	evaluation     = "/access/v1/evaluation"
	evaluations    = "/access/v1/evaluations"
	searchSubject  = "/access/v1/search/subject"
	searchResource = "/access/v1/search/resource"
	searchAction   = "/access/v1/search/action"
)

const (
	alice   = `"subject":{"type":"user","id":"alice"}`
	bob     = `"subject":{"type":"user","id":"bob"}`
	read    = `"action":{"name":"read"}`
	write   = `"action":{"name":"write"}`
	record1 = `"resource":{"type":"record","id":"record-1"}`
	record2 = `"resource":{"type":"record","id":"record-2"}`
)

func body(members ...string) string { return "{" + strings.Join(members, ",") + "}" }

// Basic: the four decisions that rest on names, with whatever else a request may carry, and the four that rest on
// properties which are sent.
func TestBasic(t *testing.T) {
	archived := `"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}`
	admin := `"subject":{"type":"user","id":"bob","properties":{"role":"admin"}}`
	for _, tc := range []struct {
		name, body string
		want       bool
	}{
		{"alice reads", body(alice, read, record1), true},
		{"alice writes", body(alice, write, record1), true},
		{"bob reads", body(bob, read, record1), true},
		{"bob does not write", body(bob, write, record1), false},
		{"context", body(alice, read, record1, `"context":{"time":"2025-06-27T18:03-07:00","ip":"192.168.1.1"}`), true},
		{"further properties", `{"subject":{"type":"user","id":"alice","properties":{"department":"Sales"}},"action":{"name":"read","properties":{"method":"GET"}},"resource":{"type":"record","id":"record-1","properties":{"owner":"bob"}}}`, true},
		{"unknown members", body(alice, read, record1, `"foo":"bar","future":{"nested":true}`), true},
		{"nothing for an optional object", body(alice, read, record1, `"context":null`), true},
		{"numbers beyond double precision that nobody looks at", body(alice, read, record1, `"context":{"n":9007199254740993},"future":[1e400]`), true},
		{"archived stays as it is", body(alice, write, archived), false},
		{"an admin writes what is archived", body(admin, write, archived), true},
		{"soft deletion", body(alice, `"action":{"name":"delete","properties":{"soft":true}}`, record1), true},
		{"hard deletion", body(alice, `"action":{"name":"delete","properties":{"soft":false}}`, record1), false},
		{"deletion of which nothing is said", body(alice, `"action":{"name":"delete"}`, record1), false},
		{"the full name of a permission", body(alice, `"action":{"name":"record.read"}`, record1), true},
		{"upper case", body(alice, `"action":{"name":"READ"}`, record1), true},
	} {
		w := post(certified(t), evaluation, tc.body)
		want := fmt.Sprintf("{\"decision\":%v}\n", tc.want)
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %s: got %d %s, want 200 %s", tc.name, tc.body, w.Code, w.Body, want)
		}
		if got := w.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: got Content-Type %q, want application/json", tc.name, got)
		}
	}
}

func TestSameQuestionSameAnswer(t *testing.T) {
	h := certified(t)
	for range 5 {
		if w := post(h, evaluation, body(bob, write, record1)); w.Body.String() != "{\"decision\":false}\n" {
			t.Errorf("asked again: got %s, want a denial each time", w.Body)
		}
	}
}

// What the policy does not know is a denial, and says so without repeating it.
func TestUnknownNamesAreDenied(t *testing.T) {
	for _, b := range []string{
		body(`"subject":{"type":"spaceship","id":"x"}`, read, record1),
		body(`"subject":{"type":"every one","id":"x"}`, read, record1),
		body(alice, `"action":{"name":"fly"}`, record1),
		body(alice, `"action":{"name":"record.*"}`, record1),
		body(alice, `"action":{"name":"*"}`, record1),
		body(alice, read, `"resource":{"type":"planet","id":"x"}`),
		body(alice, `"action":{"name":"record.read"}`, `"resource":{"type":"planet","id":"x"}`),
		body(alice, read, `"resource":{"type":"record","id":"`+strings.Repeat("x", 300)+`"}`),
		body(alice, read, `"resource":{"type":"record","id":"a\u0000b"}`),
	} {
		w := post(certified(t), evaluation, b)
		var d authzen.Decision
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 || d.Decision || d.Context["error"] == nil {
			t.Errorf("%s: got %d %s, want 200, a denial and an error in its context", b, w.Code, w.Body)
		}
	}
	// A stranger of a known kind is no error.
	if w := post(certified(t), evaluation, body(`"subject":{"type":"user","id":"nobody"}`, read, record1)); w.Body.String() != "{\"decision\":false}\n" {
		t.Errorf("a stranger: got %s, want a plain denial", w.Body)
	}
}

// Which name the policy does not know is told to the log of the server, shortened, and not to the caller.
func TestUnknownNamesAreLogged(t *testing.T) {
	for _, tc := range []struct{ path, body, want string }{
		{evaluation, body(`"subject":{"type":"spaceship","id":"x"}`, read, record1), `"spaceship:x"`},
		{evaluation, body(alice, `"action":{"name":"fly"}`, record1), `no permission record.fly is declared: "fly"`},
		{evaluation, body(alice, `"action":{"name":"air.fly"}`, record1), `no permission air.fly or record.air.fly is declared: "air.fly"`},
		{evaluation, body(alice, `"action":{"name":"record.read"}`, `"resource":{"type":"planet","id":"x"}`), `planet`},
		{evaluation, body(alice, `"action":{"name":"fly`+strings.Repeat("y", 10000)+`"}`, record1), `fly`},
		{evaluations, body(alice, record1, `"evaluations":[{"action":{"name":"read"}},{"action":{"name":"fly"}},{"action":{"name":"fly"}}]`), `"fly"`},
		{searchResource, body(alice, `"action":{"name":"fly"}`, `"resource":{"type":"record"}`), `"fly"`},
	} {
		var log bytes.Buffer
		o := options(t, recordEntities, authzen.FillFromSent)
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		w := post(handler(t, records, o), tc.path, tc.body)
		told := strings.ReplaceAll(log.String(), `\"`, `"`)
		if !strings.Contains(told, "level=INFO") || !strings.Contains(told, tc.want) || strings.Count(told, "\n") != 1 || len(told) > 1000 {
			t.Errorf("POST %.200s: the log is %.1000q, want %q in a short line", tc.body, told, tc.want)
		}
		if strings.Contains(w.Body.String(), "fly") || strings.Contains(w.Body.String(), "spaceship") {
			t.Errorf("POST %.200s: got %s, want nothing of the name", tc.body, w.Body)
		}
	}
}

// A request that cannot be read is 400 on every endpoint, and the message repeats nothing of it.
func TestBadRequests(t *testing.T) {
	huge := `{"context":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40) + `}`
	for _, tc := range []struct{ path, body, want string }{
		{evaluation, "", "empty"},
		{evaluation, " \n", "empty"},
		{evaluation, "{", "not JSON"},
		{evaluation, "[]", "not an object"},
		{evaluation, `"secret"`, "not an object"},
		{evaluation, body(alice, read, record1) + "{}", "not JSON"},
		{evaluation, body(alice, read, record1, ""), "not JSON"},
		{evaluation, body(read, record1), "subject.type is missing"},
		{evaluation, body(alice, record1), "action.name is missing"},
		{evaluation, body(alice, read), "resource.type is missing"},
		{evaluation, body(`"subject":{"id":"secret"}`, read, record1), "subject.type is missing"},
		{evaluation, body(`"subject":{"type":"user"}`, read, record1), "subject.id is missing"},
		{evaluation, body(`"subject":{"type":"user","id":""}`, read, record1), "subject.id is missing"},
		{evaluation, body(alice, `"action":{}`, record1), "action.name is missing"},
		{evaluation, body(alice, read, `"resource":{"id":"secret"}`), "resource.type is missing"},
		{evaluation, body(alice, read, `"resource":{"type":"record"}`), "resource.id is missing"},
		{evaluation, body(`"subject":"secret"`, read, record1), "subject is not an object"},
		{evaluation, body(`"subject":null`, read, record1), "subject is not an object"},
		{evaluation, body(`"subject":{"type":"user","id":7}`, read, record1), "subject.id is not a string"},
		{evaluation, body(alice, `"action":{"name":123}`, record1), "action.name is not a string"},
		{evaluation, body(alice, read, `"resource":[]`), "resource is not an object"},
		{evaluation, body(alice, read, `"resource":{"type":"record","id":"x","properties":[]}`), "resource.properties is not an object"},
		{evaluation, body(alice, read, record1, `"context":"secret"`), "context is not an object"},
		{evaluation, body(`"Subject":{"type":"user","id":"alice"}`, read, record1), "subject.type is missing"},
		{evaluation, body(`"subject":{"Type":"user","id":"alice"}`, read, record1), "subject.type is missing"},
		{evaluation, body(alice, bob, read, record1), "twice"},
		{evaluation, body(`"subject":{"type":"user","id":"alice","id":"bob"}`, read, record1), "twice"},
		{evaluation, body(`"subject":{"type":"user","id":"alice","\u0069d":"bob"}`, read, record1), "twice"},
		{evaluation, body(`"subject":{"type":"user","id":"a\ud800b"}`, read, record1), "not Unicode"},
		{evaluation, body(`"subject":{"type":"user","id":"a\udc00"}`, read, record1), "not Unicode"},
		{evaluation, body("\"subject\":{\"type\":\"user\",\"id\":\"a\xff\"}", read, record1), "not Unicode"},
		{evaluation, huge, "nested deeper than 32"},
		{evaluation, strings.Repeat("[", 100000), "nested deeper than 32"},
		{evaluations, body(alice, read, record1, `"evaluations":{}`), "evaluations is not an array"},
		{evaluations, body(alice, read), "resource.type is missing"},
		{evaluations, body(`"subject":"secret"`, read, `"evaluations":[{}]`), "subject is not an object"},
		{evaluations, body(alice, read, record1, `"options":[]`), "options is not an object"},
		{evaluations, body(alice, read, record1, `"options":{"evaluations_semantic":"secret"}`), "none of"},
		{evaluations, body(alice, read, record1, `"options":{"evaluations_semantic":""}`), "none of"},
		{evaluations, body(alice, read, record1, `"options":{"evaluations_semantic":"EXECUTE_ALL"}`), "none of"},
		{evaluations, body(alice, read, record1, `"options":{"evaluations_semantic":null}`), "not a string"},
		{evaluations, body(alice, read, record1, `"options":{"evaluations_semantic":1}`), "not a string"},
		{searchSubject, body(`"subject":{"type":"user"}`, record1), "action.name is missing"},
		{searchSubject, body(read, record1), "subject.type is missing"},
		{searchSubject, body(`"subject":{"type":"user"}`, read, `"resource":{"type":"record"}`), "resource.id is missing"},
		{searchResource, body(read, `"resource":{"type":"record"}`), "subject.type is missing"},
		{searchResource, body(`"subject":{"type":"user"}`, read, `"resource":{"type":"record"}`), "subject.id is missing"},
		{searchResource, body(alice, read, `"resource":{}`), "resource.type is missing"},
		{searchAction, body(alice), "resource.type is missing"},
		{searchAction, body(`"subject":{"type":"user"}`, record1), "subject.id is missing"},
		{searchAction, body(alice, record1, `"page":[]`), "page is not an object"},
		{searchAction, body(alice, record1, `"page":{"limit":-1}`), "page.limit"},
		{searchAction, body(alice, record1, `"page":{"limit":1.5}`), "page.limit"},
		{searchAction, body(alice, record1, `"page":{"limit":"1"}`), "page.limit"},
		{searchAction, body(alice, record1, `"page":{"limit":1e400}`), "page.limit"},
		{searchAction, body(alice, record1, `"page":{"properties":[]}`), "page.properties is not an object"},
		{searchAction, body(alice, record1, `"page":{"token":7}`), "page.token is not a string"},
		{searchAction, body(alice, record1, `"page":{"token":"secret"}`), "page.token is not one of ours"},
		{searchAction, body(alice, record1, `"page":{"token":"!!"}`), "page.token is not one of ours"},
	} {
		w := post(certified(t), tc.path, tc.body, "X-Request-ID", "r-1")
		shown := tc.body[:min(len(tc.body), 120)]
		var message string
		if err := json.Unmarshal(w.Body.Bytes(), &message); err != nil {
			t.Errorf("%s %s: the body %q is no error message: %v", tc.path, shown, w.Body, err)
		}
		if w.Code != 400 || !strings.Contains(message, tc.want) {
			t.Errorf("%s %s: got %d %q, want 400 and %q", tc.path, shown, w.Code, message, tc.want)
		}
		if strings.Contains(message, "secret") {
			t.Errorf("%s %s: the message %q repeats what was sent", tc.path, shown, message)
		}
		if got := w.Header().Get("X-Request-ID"); got != "r-1" {
			t.Errorf("%s %s: got X-Request-ID %q, want r-1", tc.path, shown, got)
		}
	}
}

// A pair of surrogates is one character, and a backslash before a u is not always an escape.
func TestUnicodeThatIsRight(t *testing.T) {
	for _, id := range []string{`\ud83d\ude00`, `\\ud800`, `\\\\udc00`, `é`} {
		b := body(`"subject":{"type":"user","id":"`+id+`"}`, read, record1)
		if w := post(certified(t), evaluation, b); w.Code != 200 {
			t.Errorf("%s: got %d %s, want 200", b, w.Code, w.Body)
		}
	}
}

func TestContentTypeAndMethod(t *testing.T) {
	h := certified(t)
	for typ, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON;charset=\"UTF-8\"": 200,
		"text/plain": 400, "": 400, "application/json; charset=latin1": 400, "application/jsonp": 400, "application/x-www-form-urlencoded": 400,
	} {
		if w := post(h, evaluation, body(alice, read, record1), "Content-Type", typ); w.Code != want {
			t.Errorf("Content-Type %q: got %d %s, want %d", typ, w.Code, w.Body, want)
		}
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "HEAD"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, evaluation, nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: got %d, Allow %q, want 405 and POST", method, evaluation, w.Code, w.Header().Get("Allow"))
		}
	}
	for coding, want := range map[string]int{"": 200, "identity": 200, "gzip": 400, "identity, gzip": 400} {
		if w := post(h, evaluation, body(alice, read, record1), "Content-Encoding", coding); w.Code != want {
			t.Errorf("Content-Encoding %q: got %d %s, want %d", coding, w.Code, w.Body, want)
		}
	}
}

// An endpoint has one spelling, and nobody is sent from another one to it.
func TestPaths(t *testing.T) {
	for _, path := range []string{
		"/access/v1/nothing", "/", evaluation + "/", "/" + evaluation, "/access/v1/../v1/evaluation", "/access/v1/./evaluation",
		"/access/v1/%65valuation", "/access%2Fv1/evaluation", "/Access/v1/evaluation", "/access/v1/evaluation;x=1",
		"/access/v1/evaluation%00", "/tenant1" + evaluation, "/.well-known/authzen-configuration/", "/.well-known/authzen-configuration/tenant1",
	} {
		w := post(certified(t), path, body(alice, read, record1), "X-Request-ID", "r-1")
		var message string
		if err := json.Unmarshal(w.Body.Bytes(), &message); w.Code != 404 || err != nil || w.Header().Get("X-Request-ID") != "r-1" {
			t.Errorf("POST %s: got %d %q (%v), want 404, a message and X-Request-ID", path, w.Code, w.Body, err)
		}
	}
	if w := post(certified(t), evaluation+"?x=1", body(alice, read, record1)); w.Code != 200 {
		t.Errorf("with a query: got %d %s, want 200: it is not looked at", w.Code, w.Body)
	}
}

func TestRequestID(t *testing.T) {
	h := certified(t)
	if got := post(h, evaluation, body(alice, read, record1), "X-Request-ID", "a b/ü").Header().Get("X-Request-ID"); got != "a b/ü" {
		t.Errorf("X-Request-ID: got %q, want what was sent", got)
	}
	if w := post(h, evaluation, body(alice, read, record1)); w.Code != 200 || w.Header().Values("X-Request-ID") != nil {
		t.Errorf("without X-Request-ID: got %d and %q, want 200 and none", w.Code, w.Header().Values("X-Request-ID"))
	}
}

// Batch: every item gets its answer at its place, defaults are inherited whole or not at all, and a faulty item denies
// only itself.
func TestBatch(t *testing.T) {
	active := `"resource":{"type":"record","id":"record-1","properties":{"status":"active"}}`
	archived := `"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}`
	for _, tc := range []struct{ name, body, want string }{
		{"one subject, two resources", body(alice, read, `"evaluations":[{`+record1+`},{`+record2+`}]`), "tt"},
		{"one resource, two actions", body(bob, record1, `"evaluations":[{`+read+`},{`+write+`}]`), "tf"},
		{"no defaults", body(`"evaluations":[` + body(alice, read, record1) + `,` + body(bob, write, record1) + `]`), "tf"},
		{"context", body(alice, read, `"context":{"a":1}`, `"evaluations":[{`+record1+`},{`+record2+`,"context":{"b":2}}]`), "tt"},
		{"properties by item", body(alice, write, `"evaluations":[{`+active+`},{`+archived+`}]`), "tf"},
		{"subjects by item", body(write, archived, `"evaluations":[{`+alice+`},{"subject":{"type":"user","id":"bob","properties":{"role":"admin"}}}]`), "ft"},
		{"an empty item inherits everything", body(alice, write, active, `"evaluations":[{},{`+archived+`}]`), "tf"},
		{"an entity is not put together of two", body(alice, read, record1, `"evaluations":[{"resource":{"id":"record-2"}},{"resource":{"type":"record"}},{}]`), "eet"},
		{"an item without a resource", body(alice, read, `"evaluations":[{`+record1+`},{}]`), "te"},
		{"items of the wrong type", body(alice, read, record1, `"evaluations":[7,{"subject":"x"},null,{"action":null},{}]`), "eeeet"},
		{"an incomplete default that nobody needs", body(alice, read, `"resource":{"type":"record"}`, `"evaluations":[{`+record1+`}]`), "t"},
		{"unknown names", body(alice, read, `"evaluations":[{"resource":{"type":"planet","id":"x"}},{`+record1+`}]`), "et"},
		{"all", body(alice, write, `"options":{"evaluations_semantic":"execute_all","other":1}`, `"evaluations":[{`+record2+`},{`+record1+`}]`), "ft"},
		{"up to the first denial", body(alice, write, `"options":{"evaluations_semantic":"deny_on_first_deny"}`, `"evaluations":[{`+record1+`},{`+record2+`},{`+record1+`}]`), "tf"},
		{"a fault is a denial", body(alice, write, `"options":{"evaluations_semantic":"deny_on_first_deny"}`, `"evaluations":[{`+record1+`},{},{`+record1+`}]`), "te"},
		{"up to the first permit", body(alice, write, `"options":{"evaluations_semantic":"permit_on_first_permit"}`, `"evaluations":[{`+record2+`},{`+record1+`},{`+record1+`}]`), "ft"},
		{"no permit", body(bob, write, `"options":{"evaluations_semantic":"permit_on_first_permit"}`, `"evaluations":[{`+record1+`},{`+record1+`}]`), "ff"},
	} {
		w := post(certified(t), evaluations, tc.body)
		var response struct {
			Decision    *bool
			Evaluations []authzen.Decision
		}
		if err := json.Unmarshal(w.Body.Bytes(), &response); err != nil || w.Code != 200 || response.Decision != nil {
			t.Errorf("%s: got %d %s, want 200 and no single decision", tc.name, w.Code, w.Body)
			continue
		}
		got := ""
		for _, d := range response.Evaluations {
			switch {
			case d.Decision:
				got += "t"
			case d.Context["error"] != nil:
				got += "e"
			default:
				got += "f"
			}
		}
		if got != tc.want {
			t.Errorf("%s: %s: got %s, want %s (true, false, error)", tc.name, tc.body, got, tc.want)
		}
	}
}

// Without evaluations the batch endpoint is the single one.
func TestBatchWithoutItems(t *testing.T) {
	for _, more := range []string{`"evaluations":[]`, `"evaluations":null`, `"foo":1`} {
		if w := post(certified(t), evaluations, body(alice, read, record1, more)); w.Code != 200 || w.Body.String() != "{\"decision\":true}\n" {
			t.Errorf("with %s: got %d %s, want a single decision", more, w.Code, w.Body)
		}
	}
}

func TestLimits(t *testing.T) {
	o := options(t, recordEntities, authzen.IgnoreSent)
	o.MaxBody, o.MaxEvaluations, o.MaxDepth, o.MaxResults = 400, 2, 4, 1
	h := handler(t, records, o)
	item := `{` + read + `}`
	for _, tc := range []struct {
		path, body string
		want       int
	}{
		{evaluation, body(alice, read, record1), 200},
		{evaluation, body(alice, read, record1) + strings.Repeat(" ", 400), 413},
		{evaluation, body(alice, read, record1, `"context":{"a":{"b":{}}}`), 200},
		{evaluation, body(alice, read, record1, `"context":{"a":{"b":{"c":{}}}}`), 400},
		{evaluations, body(alice, record1, `"evaluations":[`+item+`,`+item+`]`), 200},
		{evaluations, body(alice, record1, `"evaluations":[`+item+`,`+item+`,`+item+`]`), 400},
	} {
		if w := post(h, tc.path, tc.body); w.Code != tc.want {
			t.Errorf("%s %s: got %d %s, want %d", tc.path, tc.body, w.Code, w.Body, tc.want)
		}
	}
	_, page := results(t, post(h, searchSubject, body(`"subject":{"type":"user"}`, read, record1)))
	if page == nil || page.Count != 1 || page.NextToken == "" {
		t.Errorf("a search beyond MaxResults: got page %+v, want one result and a token though none was asked for", page)
	}
}

// results returns the names or ids of a search's response.
func results(t *testing.T, w *httptest.ResponseRecorder) ([]string, *authzen.NextPage) {
	t.Helper()
	var response struct {
		Page    *authzen.NextPage
		Results []struct{ Type, ID, Name string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &response); err != nil || w.Code != 200 || response.Results == nil {
		t.Fatalf("search: got %d %s, want 200 and results", w.Code, w.Body)
	}
	names := []string{}
	for _, r := range response.Results {
		names = append(names, r.ID+r.Name)
	}
	return names, response.Page
}

// Search: the sets of the scenario's world, with what is sent of the searched entity ignored, and nothing for what is
// not known.
func TestSearch(t *testing.T) {
	admin := `"subject":{"type":"user","id":"bob","properties":{"role":"admin"}}`
	archived := `"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}`
	for _, tc := range []struct {
		path, body string
		want       []string
	}{
		{searchSubject, body(`"subject":{"type":"user"}`, read, record1), []string{"alice", "bob"}},
		{searchSubject, body(alice, read, record1), []string{"alice", "bob"}},
		{searchSubject, body(`"subject":{"type":"user","id":7}`, read, record1), []string{"alice", "bob"}},
		{searchSubject, body(`"subject":{"type":"user"}`, read, record1, `"context":{"a":1}`), []string{"alice", "bob"}},
		{searchSubject, body(`"subject":{"type":"user"}`, write, archived), []string{"bob"}},
		{searchSubject, body(`"subject":{"type":"user"}`, write, record1), []string{"alice"}},
		{searchSubject, body(`"subject":{"type":"group"}`, read, record1), []string{}},
		{searchSubject, body(`"subject":{"type":"spaceship"}`, read, record1), []string{}},
		{searchSubject, body(`"subject":{"type":"user"}`, `"action":{"name":"fly"}`, record1), []string{}},
		{searchSubject, body(`"subject":{"type":"user"}`, read, `"resource":{"type":"planet","id":"x"}`), []string{}},
		{searchResource, body(alice, read, `"resource":{"type":"record"}`), []string{"nowhere", "record-1", "record-2"}},
		{searchResource, body(alice, read, record1), []string{"nowhere", "record-1", "record-2"}},
		{searchResource, body(alice, read, `"resource":{"type":"record","id":null}`), []string{"nowhere", "record-1", "record-2"}},
		{searchResource, body(alice, write, `"resource":{"type":"record"}`), []string{"nowhere", "record-1"}},
		{searchResource, body(admin, write, `"resource":{"type":"record"}`), []string{"record-2"}},
		{searchResource, body(alice, read, `"resource":{"type":"planet"}`), []string{}},
		{searchResource, body(`"subject":{"type":"spaceship","id":"x"}`, read, `"resource":{"type":"record"}`), []string{}},
		{searchAction, body(alice, record1), []string{"read", "write"}},
		{searchAction, body(alice, record1, `"action":{"name":"read","properties":{"soft":true}}`), []string{"read", "write"}},
		{searchAction, body(alice, record1, `"action":"any"`), []string{"read", "write"}},
		{searchAction, body(admin, archived), []string{"read", "write"}},
		{searchAction, body(`"subject":{"type":"user","id":"nonexistent"}`, record1), []string{}},
		{searchAction, body(`"subject":{"type":"spaceship","id":"x"}`, record1), []string{}},
		{searchAction, body(alice, `"resource":{"type":"planet","id":"x"}`), []string{}},
	} {
		w := post(certified(t), tc.path, tc.body)
		got, page := results(t, w)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tc.path, tc.body, diff)
		}
		if page != nil {
			t.Errorf("%s %s: got page %+v, want none where none was asked for", tc.path, tc.body, page)
		}
	}
}

// Paging walks through the whole set in order, whatever the page's size.
func TestPaging(t *testing.T) {
	var policy strings.Builder
	policy.WriteString("permission doc.read\nkind scope doc\nrole r\n  allow doc.read\n")
	var want []string
	for i := range 23 {
		fmt.Fprintf(&policy, "grant user:u%02d r at /doc:1\n", i)
		want = append(want, fmt.Sprintf("u%02d", i))
	}
	fmt.Fprint(&policy, "grant user:zed r at /doc:2\n")
	h := handler(t, policy.String(), nil)
	query := []string{`"subject":{"type":"user"}`, read, `"resource":{"type":"doc","id":"1"}`}
	for _, limit := range []int{1, 5, 22, 23, 24, 1000} {
		var got []string
		more := fmt.Sprintf(`"page":{"limit":%d}`, limit)
		for range len(want) + 1 {
			names, page := results(t, post(h, searchSubject, body(append(query, more)...)))
			got = append(got, names...)
			if page == nil || page.Count != len(names) || len(names) > limit {
				t.Fatalf("limit %d: got page %+v with %d results", limit, page, len(names))
			}
			if page.NextToken == "" {
				break
			}
			more = fmt.Sprintf(`"page":{"token":%q}`, page.NextToken)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	names, page := results(t, post(h, searchSubject, body(append(query, `"page":{"limit":0}`)...)))
	if len(names) != 0 || page == nil || page.NextToken == "" {
		t.Errorf("limit 0: got %q and page %+v, want no results and a token", names, page)
	}
	if names, page = results(t, post(h, searchSubject, body(append(query, `"page":{}`)...))); len(names) != 23 || page == nil || page.NextToken != "" {
		t.Errorf("an empty page object: got %d results and page %+v, want all and the end", len(names), page)
	}
}

// A token belongs to its search, its limit and its revision.
func TestTokensAreBound(t *testing.T) {
	p := rolecalltest.New(t, records)
	h, err := authzen.NewHandler(p, options(t, recordEntities, authzen.FillFromSent))
	if err != nil {
		t.Fatal(err)
	}
	users := `"subject":{"type":"user"}`
	_, page := results(t, post(h, searchSubject, body(users, read, record1, `"page":{"limit":1}`)))
	token := fmt.Sprintf(`"page":{"token":%q}`, page.NextToken)
	limited := func(n int) string { return fmt.Sprintf(`"page":{"token":%q,"limit":%d}`, page.NextToken, n) }
	for _, tc := range []struct {
		path, body string
		want       int
	}{
		{searchSubject, body(users, read, record1, token), 200},
		{searchSubject, body(users, read, record1, limited(1)), 200},
		{searchSubject, body(users, read, record1, limited(2)), 400},
		{searchSubject, body(users, write, record1, token), 400},
		{searchSubject, body(users, read, record2, token), 400},
		{searchSubject, body(users, read, record1, `"context":{"a":1}`, token), 400},
		{searchSubject, body(users, `"action":{"name":"read","properties":{"a":1}}`, record1, token), 400},
		{searchSubject, body(`"subject":{"type":"service"}`, read, record1, token), 400},
		{searchResource, body(alice, read, `"resource":{"type":"record"}`, token), 400},
		{searchSubject, body(alice, read, record1, token), 200}, // an id that is ignored does not count
	} {
		if w := post(h, tc.path, tc.body); w.Code != tc.want {
			t.Errorf("%s %s: got %d %s, want %d", tc.path, tc.body, w.Code, w.Body, tc.want)
		}
	}
	_, page = results(t, post(h, searchSubject, body(users, read, record1, `"page":{"limit":1,"properties":{"sort":"id"}}`)))
	for properties, want := range map[string]int{`{"sort":"id"}`: 200, `{"sort":"name"}`: 400, `{}`: 400, `null`: 200} {
		if w := post(h, searchSubject, body(users, read, record1, fmt.Sprintf(`"page":{"token":%q,"properties":%s}`, page.NextToken, properties))); w.Code != want {
			t.Errorf("going on with page.properties %s: got %d %s, want %d", properties, w.Code, w.Body, want)
		}
	}
	p.Edit(t, rolecall.Put(rolecall.Suspension{Subject: rolecall.User("carol")}))
	if w := post(h, searchSubject, body(users, read, record1, token)); w.Code != 400 || !strings.Contains(w.Body.String(), "changed") {
		t.Errorf("a token of an earlier revision: got %d %s, want 400 that says so", w.Code, w.Body)
	}
}

// A token cannot be made or changed by a caller, and has one spelling.
func TestTokensAreSealed(t *testing.T) {
	h := certified(t)
	query := []string{`"subject":{"type":"user"}`, read, record1}
	_, page := results(t, post(h, searchSubject, body(append(query, `"page":{"limit":1}`)...)))
	ask := func(token string) int {
		return post(h, searchSubject, body(append(query, fmt.Sprintf(`"page":{"token":%q}`, token))...)).Code
	}
	if got := ask(page.NextToken); got != 200 {
		t.Fatalf("the token as it is: got %d, want 200", got)
	}
	raw, err := base64.RawURLEncoding.DecodeString(page.NextToken)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := slices.Clone(raw)
		changed[i] ^= 1
		if got := ask(base64.RawURLEncoding.EncodeToString(changed)); got != 400 {
			t.Errorf("the token with another byte %d: got %d, want 400", i, got)
		}
	}
	for _, token := range []string{page.NextToken + "=", page.NextToken + "\n", page.NextToken[:8] + "\r" + page.NextToken[8:], page.NextToken[1:], page.NextToken[:20], "A"} {
		if got := ask(token); got != 400 {
			t.Errorf("the token as %q: got %d, want 400", token, got)
		}
	}
}

// Handlers with one key go on with each other's pages where they ask the same policy; others do not.
func TestPageKey(t *testing.T) {
	key := func(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }
	p := rolecalltest.New(t, records)
	open := func(source authzen.Source, key []byte) http.Handler {
		t.Helper()
		o := options(t, recordEntities, authzen.IgnoreSent)
		o.PageKey = key
		h, err := authzen.NewHandler(source, o)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	query := []string{`"subject":{"type":"user"}`, read, record1}
	_, page := results(t, post(open(p, key(1)), searchSubject, body(append(query, `"page":{"limit":1}`)...)))
	for name, tc := range map[string]struct {
		h    http.Handler
		want int
	}{
		"the same key":                    {open(p, key(1)), 200},
		"another key":                     {open(p, key(2)), 400},
		"a key of its own":                {open(p, nil), 400},
		"another policy at that revision": {open(rolecalltest.New(t, records), key(1)), 400},
	} {
		if w := post(tc.h, searchSubject, body(append(query, fmt.Sprintf(`"page":{"token":%q}`, page.NextToken))...)); w.Code != tc.want {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, tc.want)
		}
	}
	if _, err := authzen.NewHandler(p, &authzen.Options{PageKey: []byte("short")}); err == nil {
		t.Error("NewHandler with a short page key: got no error, want one")
	}
}

// Sent properties count only as far as the host lets them.
func TestPropertiesThatCount(t *testing.T) {
	claim := body(`"subject":{"type":"user","id":"bob","properties":{"role":"admin"}}`, write, `"resource":{"type":"record","id":"record-9","properties":{"status":"archived"}}`)
	contradicts := body(alice, write, `"resource":{"type":"record","id":"record-2","properties":{"status":"active"}}`)
	soft := body(alice, `"action":{"name":"delete","properties":{"soft":true}}`, record1)
	for _, tc := range []struct {
		how                      authzen.Properties
		claim, contradicts, soft bool
	}{
		{authzen.IgnoreSent, false, false, false},
		{authzen.FillFromSent, true, false, true},
		{authzen.TrustSent, true, true, true},
	} {
		h := handler(t, records, options(t, recordEntities, tc.how))
		for b, want := range map[string]bool{claim: tc.claim, contradicts: tc.contradicts, soft: tc.soft} {
			if w := post(h, evaluation, b); w.Body.String() != fmt.Sprintf("{\"decision\":%v}\n", want) {
				t.Errorf("with %d: %s: got %s, want %v", tc.how, b, w.Body, want)
			}
		}
	}
}

// What was sent is put together with what is stored once for a batch that shares it, whatever comes in between.
func TestPropertiesArePutTogetherOnce(t *testing.T) {
	for _, how := range []authzen.Properties{authzen.FillFromSent, authzen.TrustSent} {
		o := options(t, `{"conditions":{"archived":"1 == 1"},"subjects":[{"type":"user","id":"alice","properties":{"role":"writer"}}],
			"resources":[{"type":"record","id":"record-1","properties":{"status":"active"}}]}`, how)
		subjects, resources := map[uintptr]map[string]any{}, map[uintptr]map[string]any{}
		see := func(seen map[uintptr]map[string]any, properties map[string]any) {
			if properties["shared"] == true && len(properties) == 3 {
				seen[reflect.ValueOf(properties).Pointer()] = properties
			}
		}
		o.Conditions["archived"] = func(e authzen.Evaluation) (bool, error) {
			see(subjects, e.Subject.Properties)
			see(resources, e.Resource.Properties)
			return true, nil
		}
		shared := `"properties":{"shared":true,"further":1}`
		few := `{"subject":{"type":"user","id":"alice","properties":{"few":1}}},{"resource":{"type":"record","id":"record-1","properties":{"few":1}}}`
		w := post(handler(t, records, o), evaluations, body(`"subject":{"type":"user","id":"alice",`+shared+`}`, write,
			`"resource":{"type":"record","id":"record-1",`+shared+`}`, `"evaluations":[`+strings.Repeat(`{},`+few+`,`, 20)+`{}]`))
		if w.Code != 200 || len(subjects) != 1 || len(resources) != 1 {
			t.Errorf("with %d: a batch with one subject and one resource by default: got status %d, and properties put together %d and %d times, want 200 and once each", how, w.Code, len(subjects), len(resources))
		}
	}
}

// A condition without a test, and a directory that fails, are unknown: the allow falls, the deny stands.
func TestWhatCannotBeSaidNeverOpens(t *testing.T) {
	h := handler(t, records, &authzen.Options{})
	for b, want := range map[string]bool{
		body(alice, read, record1):                         true,
		body(alice, write, record1):                        false,
		body(alice, `"action":{"name":"delete"}`, record1): false,
	} {
		if w := post(h, evaluation, b); w.Body.String() != fmt.Sprintf("{\"decision\":%v}\n", want) {
			t.Errorf("without tests: %s: got %s, want %v", b, w.Body, want)
		}
	}
	o := options(t, recordEntities, authzen.TrustSent)
	o.Directory = brokenDirectory{}
	h = handler(t, records, o)
	if w := post(h, evaluation, body(alice, read, record1)); w.Code != 503 {
		t.Errorf("a directory that fails: got %d %s, want 503", w.Code, w.Body)
	}
	if w := post(h, evaluations, body(alice, read, `"evaluations":[{`+record1+`}]`)); w.Code != 200 || !strings.Contains(w.Body.String(), `"decision":false`) || !strings.Contains(w.Body.String(), `503`) {
		t.Errorf("a directory that fails, in a batch: got %d %s, want a denial that says so", w.Code, w.Body)
	}
	for path, b := range map[string]string{
		searchSubject:  body(`"subject":{"type":"user"}`, read, record1),
		searchResource: body(alice, read, `"resource":{"type":"record"}`),
		searchAction:   body(alice, record1),
	} {
		if w := post(h, path, b); w.Code != 503 || strings.Contains(w.Body.String(), "database") {
			t.Errorf("a directory that fails, %s: got %d %s, want 503 and not the cause", path, w.Code, w.Body)
		}
	}
}

type brokenDirectory struct{}

var errDatabase = errors.New("the database is down")

func (brokenDirectory) Subject(context.Context, string, string) (authzen.Known, error) {
	return authzen.Known{}, errDatabase
}
func (brokenDirectory) Resource(context.Context, string, string) (authzen.Known, error) {
	return authzen.Known{}, errDatabase
}
func (brokenDirectory) Subjects(context.Context, string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errDatabase) }
}
func (brokenDirectory) Resources(context.Context, string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errDatabase) }
}

func TestStalePolicy(t *testing.T) {
	var zero rolecall.Resolver
	h, err := authzen.NewHandler(&zero, &authzen.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if w := post(h, evaluation, body(alice, read, record1), "X-Request-ID", "r"); w.Code != 503 || w.Header().Get("X-Request-ID") != "r" {
		t.Errorf("with a stale policy: got %d %s, want 503", w.Code, w.Body)
	}
}

func TestReasonsAndObservations(t *testing.T) {
	o := options(t, recordEntities, authzen.IgnoreSent)
	var told []string
	o.Reasons = true
	o.Observe = func(_ context.Context, o rolecall.Observation) {
		told = append(told, fmt.Sprint(o.Subject, " ", o.Permission, " ", o.Scope, " ", o.Err))
	}
	h := handler(t, records, o)
	if w := post(h, evaluation, body(bob, write, record1)); w.Body.String() != `{"decision":false,"context":{"reason":"condition not met","revision":0}}`+"\n" {
		t.Errorf("with reasons: got %s", w.Body)
	}
	post(h, evaluation, body(alice, read, record1))
	post(h, evaluation, body(`"subject":{"type":"spaceship","id":"x"}`, read, record1))
	post(h, evaluation, body(alice, `"action":{"name":"fly"}`, record1))
	want := []string{
		"user:bob record.write /record:record-1 denied: condition not met",
		"user:alice record.read /record:record-1 <nil>",
		`spaceship:x record.read /record:record-1 request: no subject kind "spaceship" is declared: "spaceship:x" (unknown)`,
		`user:alice (no permission) (no scope) the policy has no such name: no permission record.fly is declared: "fly" (unknown)`,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("observations (-want +got):\n%s", diff)
	}
}

// The id of a resource may be a path, but only one in full that ends in its type.
func TestResourceIDs(t *testing.T) {
	const policy = `
permission shot.view
kind scope project
kind scope shot
kind scope file
permission file.view
role viewer
  allow shot.view file.view
grant user:alice viewer at /project:alpha
grant user:bob viewer at /shot:010
grant user:carol viewer at /file:%2Fetc%2Fpasswd
`
	h := handler(t, policy, nil)
	for _, tc := range []struct {
		who, typ, id string
		want         bool
	}{
		{"alice", "shot", "/project:alpha/shot:010", true},
		{"alice", "shot", "010", false},
		{"alice", "shot", "/project:beta/shot:010", false},
		{"alice", "shot", "/project:alpha", false},
		{"alice", "shot", "/project:alpha/file:x", false},
		{"alice", "shot", "/project:alpha/../project:alpha/shot:010", false},
		{"alice", "shot", "/project:alpha/shot:010/", false},
		{"alice", "shot", "//project:alpha/shot:010", false},
		{"alice", "shot", "/Project:alpha/shot:010", false},
		{"alice", "shot", "/project:%61lpha/shot:010", false},
		{"bob", "shot", "010", true},
		{"bob", "shot", "/shot:010", true},
		{"carol", "file", "/etc/passwd", true},
		{"carol", "file", "/etc/./passwd", false},
	} {
		b := fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":"view"},"resource":{"type":%q,"id":%q}}`, tc.who, tc.typ, tc.id)
		if w := post(h, evaluation, b); !strings.HasPrefix(w.Body.String(), fmt.Sprintf(`{"decision":%v`, tc.want)) {
			t.Errorf("%s: got %s, want %v", b, w.Body, tc.want)
		}
	}
	got, _ := results(t, post(h, searchResource, body(`"subject":{"type":"user","id":"carol"}`, `"action":{"name":"view"}`, `"resource":{"type":"file"}`)))
	if diff := cmp.Diff([]string{"/etc/passwd"}, got); diff != "" {
		t.Errorf("files of carol (-want +got):\n%s", diff)
	}
}

func TestMetadata(t *testing.T) {
	for _, tc := range []struct{ base, path, endpoint string }{
		{"https://pdp.example.com", "/.well-known/authzen-configuration", "/access/v1/evaluation"},
		{"https://pdp.example.com/tenant1", "/.well-known/authzen-configuration/tenant1", "/tenant1/access/v1/evaluation"},
	} {
		o := options(t, recordEntities, authzen.IgnoreSent)
		o.BaseURL = tc.base
		h := handler(t, records, o)
		r := httptest.NewRequest("GET", "http://evil.example"+tc.path, nil)
		r.Header.Set("X-Forwarded-Host", "evil.example")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		want := authzen.Metadata{
			PolicyDecisionPoint: tc.base,
			Evaluation:          tc.base + "/access/v1/evaluation",
			Evaluations:         tc.base + "/access/v1/evaluations",
			SearchSubject:       tc.base + "/access/v1/search/subject",
			SearchResource:      tc.base + "/access/v1/search/resource",
			SearchAction:        tc.base + "/access/v1/search/action",
		}
		var got authzen.Metadata
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("GET %s: got %d %s (%v), want metadata", tc.path, w.Code, w.Body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("metadata of %s (-want +got):\n%s", tc.base, diff)
		}
		if strings.Contains(w.Body.String(), "capabilities") || strings.Contains(w.Body.String(), "evil") {
			t.Errorf("metadata of %s: %s has what has no value, or what the request said", tc.base, w.Body)
		}
		if w := post(h, tc.endpoint, body(alice, read, record1)); w.Code != 200 {
			t.Errorf("POST %s: got %d, want 200", tc.endpoint, w.Code)
		}
	}
	w := httptest.NewRecorder()
	handler(t, records, nil).ServeHTTP(w, httptest.NewRequest("GET", "/.well-known/authzen-configuration", nil))
	if w.Code != 404 {
		t.Errorf("metadata without a base URL: got %d, want 404", w.Code)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, base := range []string{"http://pdp.example.com", "https://", "pdp.example.com", "https://pdp.example.com?x=1", "https://pdp.example.com#x", "https://pdp.example.com?", "https://u@pdp.example.com", "https://pdp.example.com/{x}", "https://pdp.example.com/%2e", ":"} {
		if _, err := authzen.NewHandler(rolecalltest.New(t, records), &authzen.Options{BaseURL: base}); err == nil {
			t.Errorf("NewHandler with base URL %q: got no error, want one", base)
		}
	}
	if _, err := authzen.NewHandler(nil, nil); err == nil {
		t.Error("NewHandler without a source: got no error, want one")
	}
	if _, err := authzen.NewHandler(rolecalltest.New(t, records), &authzen.Options{MaxBody: -1}); err == nil {
		t.Error("NewHandler with a negative limit: got no error, want one")
	}
}

// However a resource is named, it is the same one: its place and properties are those of the directory, and a test sees
// its id.
func TestAResourceHasOneIdentity(t *testing.T) {
	const policy = `
permission doc.read
permission doc.edit
permission doc.print
condition own
condition sealed
kind scope folder
kind scope doc
role user
  allow doc.read
  allow doc.edit when own
  allow doc.print
  except doc.print when sealed
grant user:a user at /
override everyone deny * at /folder:locked
`
	entities := `{"conditions":{"own":"resource.owner == subject.id","sealed":"resource.id == \"9\""},
	  "resources":[
	    {"type":"doc","id":"101","scope":"/folder:locked/doc:101"},
	    {"type":"doc","id":"seven","scope":"/folder:open/doc:7","properties":{"owner":"b"}},
	    {"type":"doc","id":"one","scope":"/doc:1","properties":{"owner":"b"}},
	    {"type":"doc","id":"/folder:open/doc:8","properties":{"owner":"b"}},
	    {"type":"doc","id":"/doc:spelled","properties":{"owner":"b"}},
	    {"type":"doc","id":"9","properties":{"owner":"b"}}]}`
	h := handler(t, policy, options(t, entities, authzen.FillFromSent))
	for _, tc := range []struct {
		action, id string
		want       bool
	}{
		{"read", "101", false}, {"read", "/doc:101", false}, {"read", "/folder:locked/doc:101", false},
		{"edit", "seven", false}, {"edit", "/folder:open/doc:7", false},
		{"edit", "one", false}, {"edit", "1", false}, {"edit", "/doc:1", false},
		{"edit", "/folder:open/doc:8", false},
		{"edit", "spelled", false}, {"edit", "/doc:spelled", false},
		{"edit", "9", false}, {"edit", "/doc:9", false},
		{"print", "9", false}, {"print", "/doc:9", false}, {"print", "one", true},
		{"edit", "unknown", true}, {"edit", "/doc:unknown", true}, {"edit", "/folder:open/doc:unknown", true},
	} {
		// What a caller claims of a known resource does not count.
		resource := fmt.Sprintf(`"resource":{"type":"doc","id":%q,"properties":{"owner":"a"}}`, tc.id)
		b := body(`"subject":{"type":"user","id":"a"}`, fmt.Sprintf(`"action":{"name":%q}`, tc.action), resource)
		if w := post(h, evaluation, b); !strings.HasPrefix(w.Body.String(), fmt.Sprintf(`{"decision":%v`, tc.want)) {
			t.Errorf("%s: got %s, want %v", b, w.Body, tc.want)
		}
	}
	bare := options(t, entities, authzen.IgnoreSent)
	bare.Directory = nil
	b := body(`"subject":{"type":"user","id":"a"}`, `"action":{"name":"print"}`, `"resource":{"type":"doc","id":"/doc:9"}`)
	if w := post(handler(t, policy, bare), evaluation, b); w.Body.String() != "{\"decision\":false}\n" {
		t.Errorf("%s without a directory: got %s, want false", b, w.Body)
	}
}

// A directory that knows resources by their ids alone is asked for the id at the end of a path, which counts where the
// resource lies there.
func TestADirectoryOfIDsKnowsPaths(t *testing.T) {
	const policy = `
permission doc.edit
condition own
kind scope folder
kind scope doc
role user
  allow doc.edit when own
grant user:a user at /
`
	o := options(t, `{"conditions":{"own":"resource.owner == subject.id && resource.id != \"8\""},
	  "resources":[{"type":"doc","id":"7","scope":"/folder:open/doc:7","properties":{"owner":"b"}},{"type":"doc","id":"8","scope":"/folder:open/doc:8"}]}`, authzen.FillFromSent)
	o.Directory = directoryOfIDs{o.Directory}
	h := handler(t, policy, o)
	for id, want := range map[string]bool{
		"7": false, "/folder:open/doc:7": false, "/folder:other/doc:7": true, "8": false, "/folder:open/doc:8": false, "/folder:open/doc:9": true,
	} {
		b := body(`"subject":{"type":"user","id":"a"}`, `"action":{"name":"edit"}`, fmt.Sprintf(`"resource":{"type":"doc","id":%q,"properties":{"owner":"a"}}`, id))
		if w := post(h, evaluation, b); w.Body.String() != fmt.Sprintf("{\"decision\":%v}\n", want) {
			t.Errorf("%s: got %s, want %v", b, w.Body, want)
		}
	}
}

type directoryOfIDs struct{ authzen.Directory }

func (d directoryOfIDs) Resource(ctx context.Context, typ, id string) (authzen.Known, error) {
	if strings.HasPrefix(id, "/") {
		return authzen.Known{}, nil
	}
	return d.Directory.Resource(ctx, typ, id)
}

// Every result of a search evaluates to true, and everything that is not a result to false, in a world of groups,
// private places, denials and conditions.
func TestSearchAgreesWithEvaluation(t *testing.T) {
	const policy = `
permission doc.read
permission doc.write
permission share.doc.read
condition own
kind scope folder
kind scope doc
kind subject robot
role reader
  allow doc.read
role owner
  inherits reader
  allow * when own
  forbid share.doc.read
member user:a of group:staff
member group:interns of group:staff
member user:b of group:interns
grant group:staff reader at /folder:open
grant everyone reader at /doc:public
grant user:c owner at /
override user:b deny doc.read at /folder:open/doc:2
private /folder:open/doc:3
suspend user:d
grant user:d owner at /
grant robot:r2 reader at /folder:open/doc:1
grant user:e reader at /folder:open
`
	entities := `{"conditions":{"own":"resource.owner == subject.id"},
	  "subjects":[{"type":"user","id":"z"},{"type":"user","id":"c"}],
	  "resources":[{"type":"doc","id":"one","scope":"/folder:open/doc:1","properties":{"owner":"c"}},{"type":"doc","id":"lost","properties":{"owner":"z"}}]}`
	for _, world := range []string{"", entities} {
		h := handler(t, policy, options(t, world, authzen.IgnoreSent))
		subjects := map[string][]string{"user": {"a", "b", "c", "d", "e", "z", "nobody"}, "robot": {"r2"}, "group": {"staff", "interns"}}
		docs := []string{"public", "/doc:public", "one", "lost", "/doc:lost", "/folder:open/doc:1", "/folder:open/doc:2", "/folder:open/doc:3", "/folder:open/doc:9"}
		actions := []string{"read", "write", "doc.read", "share.doc.read", "rolecall.grant.create"}
		may := func(typ, id, action, doc string) bool {
			b := fmt.Sprintf(`{"subject":{"type":%q,"id":%q},"action":{"name":%q},"resource":{"type":"doc","id":%q}}`, typ, id, action, doc)
			return strings.Contains(post(h, evaluation, b).Body.String(), `"decision":true`)
		}
		for typ, ids := range subjects {
			for _, action := range actions {
				for _, doc := range docs {
					found, _ := results(t, post(h, searchSubject, fmt.Sprintf(`{"subject":{"type":%q},"action":{"name":%q},"resource":{"type":"doc","id":%q}}`, typ, action, doc)))
					for _, id := range ids {
						named := !slices.Contains([]string{"nobody"}, id) && (id != "z" || world != "")
						if want := may(typ, id, action, doc) && named; slices.Contains(found, id) != want {
							t.Errorf("subjects %s %s at %s: %q found: %v, want %v", typ, action, doc, id, !want, want)
						}
					}
				}
				for _, id := range ids {
					found, _ := results(t, post(h, searchResource, fmt.Sprintf(`{"subject":{"type":%q,"id":%q},"action":{"name":%q},"resource":{"type":"doc"}}`, typ, id, action)))
					for _, doc := range found {
						if !may(typ, id, action, doc) {
							t.Errorf("resources %s:%s %s: %s was found and is denied", typ, id, action, doc)
						}
					}
				}
			}
			for _, id := range ids {
				for _, doc := range docs {
					found, _ := results(t, post(h, searchAction, fmt.Sprintf(`{"subject":{"type":%q,"id":%q},"resource":{"type":"doc","id":%q}}`, typ, id, doc)))
					for _, action := range []string{"read", "write", "share.doc.read", "rolecall.grant.create"} {
						if want := may(typ, id, action, doc); slices.Contains(found, action) != want {
							t.Errorf("actions %s:%s at %s: %s found: %v, want %v", typ, id, doc, action, !want, want)
						}
					}
				}
			}
		}
	}
}

// What the directory and the policy name alike is one result, wherever each puts it.
func TestResultsAreThereOnce(t *testing.T) {
	const policy = `
permission doc.read
kind scope folder
kind scope doc
role reader
  allow doc.read
grant user:a reader at /folder:open
grant user:a reader at /doc:1
grant user:a reader at /folder:open/doc:2
`
	world := `{"resources":[{"type":"doc","id":"1","scope":"/folder:open/doc:1"},{"type":"doc","id":"two","scope":"/folder:open/doc:2"}]}`
	query := body(`"subject":{"type":"user","id":"a"}`, read, `"resource":{"type":"doc"}`)
	for entities, want := range map[string][]string{"": {"/folder:open/doc:2", "1"}, world: {"1", "two"}} {
		got, _ := results(t, post(handler(t, policy, options(t, entities, authzen.IgnoreSent)), searchResource, query))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with entities %q (-want +got):\n%s", entities, diff)
		}
	}
}

// The directory is asked once of an entity that the questions of a request share.
func TestDirectoryIsAskedOnce(t *testing.T) {
	o := options(t, recordEntities, authzen.IgnoreSent)
	d := &countingDirectory{Directory: o.Directory}
	o.Directory = d
	h := handler(t, records, o)
	for path, b := range map[string]string{
		evaluations:  body(alice, record1, `"evaluations":[{`+read+`},{`+write+`},{"action":{"name":"delete"}}]`),
		searchAction: body(alice, record1),
	} {
		d.subjects, d.resources = 0, 0
		if w := post(h, path, b); w.Code != 200 || d.subjects != 1 || d.resources != 1 {
			t.Errorf("%s %s: got %d, subjects asked %d times, resources %d, want 200 and once each", path, b, w.Code, d.subjects, d.resources)
		}
	}
}

type countingDirectory struct {
	authzen.Directory
	subjects, resources int
}

func (d *countingDirectory) Subject(ctx context.Context, typ, id string) (authzen.Known, error) {
	d.subjects++
	return d.Directory.Subject(ctx, typ, id)
}

func (d *countingDirectory) Resource(ctx context.Context, typ, id string) (authzen.Known, error) {
	d.resources++
	return d.Directory.Resource(ctx, typ, id)
}

// A mapping of the host's own is asked for what there is, never for something made up.
func TestMappingSeesOnlyWhatIsThere(t *testing.T) {
	number := regexp.MustCompile(`^[0-9]+$`)
	o := options(t, "", authzen.IgnoreSent)
	o.Mapping = authzen.Mapping{
		Subject: func(e authzen.Entity) (rolecall.Subject, error) {
			if !number.MatchString(e.ID) {
				t.Errorf("Subject(%+v): want numbers only", e)
			}
			return rolecall.User(e.ID), nil
		},
		Resource: func(e authzen.Entity) (rolecall.Scope, error) {
			if !number.MatchString(e.ID) {
				t.Errorf("Resource(%+v): want numbers only", e)
			}
			return rolecall.In("doc", e.ID), nil
		},
		NameSubject: func(s rolecall.Subject) (authzen.Entity, bool) {
			return authzen.Entity{Type: "account", ID: s.ID()}, true
		},
		NameResource: func(at rolecall.Scope) (authzen.Entity, bool) {
			return authzen.Entity{Type: "file", ID: at.ID()}, at.Kind() == "doc"
		},
		Action: func(*rolecall.Catalog, authzen.Action, string) (rolecall.Permission, error) {
			return rolecall.NewPermission("doc.read"), nil
		},
		NameAction: func(*rolecall.Catalog, rolecall.Permission, string) (string, bool) { return "read", true },
	}
	h := handler(t, "permission doc.read\nkind scope doc\nrole r\n  allow doc.read\ngrant user:1 r at /doc:7\ngrant user:2 r at /doc:8\n", o)
	who, _ := results(t, post(h, searchSubject, `{"subject":{"type":"account"},"action":{"name":"read"},"resource":{"type":"file","id":"7"}}`))
	what, _ := results(t, post(h, searchResource, `{"subject":{"type":"account","id":"2"},"action":{"name":"read"},"resource":{"type":"file"}}`))
	if diff := cmp.Diff([][]string{{"1"}, {"8"}}, [][]string{who, what}); diff != "" {
		t.Errorf("subjects and resources (-want +got):\n%s", diff)
	}
}

// Whatever is sent, the answer is JSON with a status of the interface, and only a 200 carries a decision.
func FuzzHandler(f *testing.F) {
	paths := []string{evaluation, evaluations, searchSubject, searchResource, searchAction}
	for i := range paths {
		f.Add(i, body(alice, read, record1, `"evaluations":[{},{`+record2+`}],"options":{"evaluations_semantic":"execute_all"},"page":{"limit":1,"token":"x"}`))
	}
	h := certified(f)
	f.Fuzz(func(t *testing.T, path int, body string) {
		w := post(h, paths[uint(path)%uint(len(paths))], body)
		var answer any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%q: got %d %q: %v", body, w.Code, w.Body, err)
		}
		switch _, message := answer.(string); {
		case w.Code == 200 && !message, (w.Code == 400 || w.Code == 413) && message:
		default:
			t.Errorf("%q: got %d %s, want 200 and an object, or 400 or 413 and a message", body, w.Code, w.Body)
		}
	})
}

func TestBodyIsReadOnlyAsFarAsItMay(t *testing.T) {
	o := options(t, "", authzen.IgnoreSent)
	o.MaxBody = 1000
	endless := &counter{}
	r := httptest.NewRequest("POST", evaluation, endless)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler(t, records, o).ServeHTTP(w, r)
	if w.Code != 413 || endless.n > 2000 {
		t.Errorf("an endless body: got %d after %d bytes, want 413 after little more than 1000", w.Code, endless.n)
	}
	// One that says beforehand how long it is stays unread.
	announced := &counter{}
	r = httptest.NewRequest("POST", evaluation, announced)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = 1001
	w = httptest.NewRecorder()
	handler(t, records, o).ServeHTTP(w, r)
	if w.Code != 413 || announced.n > 0 {
		t.Errorf("a body of 1001 bytes: got %d after %d bytes, want 413 after none", w.Code, announced.n)
	}
}

type counter struct{ n int }

func (c *counter) Read(b []byte) (int, error) {
	c.n += len(b)
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
