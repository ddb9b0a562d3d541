package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The worlds of the AuthZEN working group's certification and interop scenarios are files of the examples; here they are
// asked as their readers would ask them, of a process over HTTP.
const examples = "../../examples/authzen/"

// ask posts a body and returns the decisions that came back, t, f, and e for a denial with an error, or the status.
func (p *process) ask(path, body string) string {
	p.t.Helper()
	status, got, header := p.post("/access/v1/"+path, body)
	if status != 200 || header.Get("Content-Type") != "application/json" {
		return fmt.Sprint(status)
	}
	type decision struct {
		Decision *bool
		Context  map[string]any
	}
	var response struct {
		decision
		Evaluations []decision
	}
	if err := json.Unmarshal([]byte(got), &response); err != nil {
		return err.Error()
	}
	all := response.Evaluations
	if response.Decision != nil {
		all = append(all, response.decision)
	}
	letters := ""
	for _, d := range all {
		switch {
		case d.Decision == nil:
			letters += "?"
		case *d.Decision:
			letters += "t"
		case d.Context["error"] != nil:
			letters += "e"
		default:
			letters += "f"
		}
	}
	return letters
}

// find searches and returns the ids or names of the results in order, or the status.
func (p *process) find(what, body string) []string {
	p.t.Helper()
	status, got, _ := p.post("/access/v1/search/"+what, body)
	var response struct {
		Results []struct{ Type, ID, Name string }
	}
	if err := json.Unmarshal([]byte(got), &response); status != 200 || err != nil || response.Results == nil {
		return []string{fmt.Sprint(status)}
	}
	found := []string{}
	for _, r := range response.Results {
		found = append(found, r.ID+r.Name)
	}
	slices.Sort(found)
	return found
}

// asks fills in a template: of a subject, an action and a resource, each as type:id or a name, then #key=value for a
// property; empty leaves it out.
func asks(subject, action, resource string, more ...string) string {
	var members []string
	for _, one := range []struct{ name, text string }{{"subject", subject}, {"action", action}, {"resource", resource}} {
		if one.text == "" {
			continue
		}
		text, property, claims := strings.Cut(one.text, "#")
		typ, id, typed := strings.Cut(text, ":")
		entity := map[string]any{"name": text}
		if one.name != "action" {
			entity = map[string]any{"type": typ}
		}
		if typed {
			entity["id"] = id
		}
		if key, value, _ := strings.Cut(property, "="); claims {
			entity["properties"] = map[string]any{key: json.RawMessage(value)}
		}
		text2, err := json.Marshal(entity)
		if err != nil {
			panic(err)
		}
		members = append(members, fmt.Sprintf("%q:%s", one.name, text2))
	}
	return "{" + strings.Join(append(members, more...), ",") + "}"
}

// The certification scenario: Basic, Batch, Discovery and Search, each with what rests on names (Core) and on properties.
func TestCertification(t *testing.T) {
	p := serve(t, "-f", examples+"certification.rolecall", "--entities", examples+"certification.json", "--properties", "fill", "--base-url", "https://pdp.example.com")
	const (
		active   = `record:record-1#status="active"`
		archived = `record:record-2#status="archived"`
		admin    = `user:bob#role="admin"`
		when     = `"context":{"time":"2025-06-27T18:03-07:00","ip":"192.168.1.1"}`
	)
	for _, tc := range []struct{ name, path, body, want string }{
		{"rule 1", "evaluation", asks("user:alice", "read", "record:record-1"), "t"},
		{"rule 2", "evaluation", asks("user:alice", "write", "record:record-1"), "t"},
		{"rule 3", "evaluation", asks("user:bob", "read", "record:record-1"), "t"},
		{"rule 4", "evaluation", asks("user:bob", "write", "record:record-1"), "f"},
		{"rule 5", "evaluation", asks("user:alice", "write", archived), "f"},
		{"rule 6", "evaluation", asks(admin, "write", archived), "t"},
		{"rule 6 for anybody", "evaluation", asks(`user:carol#role="admin"`, "write", archived), "t"},
		{"rule 7", "evaluation", asks("user:alice", "delete#soft=true", "record:record-1"), "t"},
		{"rule 8", "evaluation", asks("user:alice", "delete#soft=false", "record:record-1"), "f"},
		{"context", "evaluation", asks("user:alice", "read", "record:record-1", when), "t"},
		{"further properties", "evaluation", asks(`user:alice#department="Sales"`, `read#method="GET"`, `record:record-1#owner="bob"`), "t"},
		{"unknown members", "evaluation", asks("user:alice", "read", "record:record-1", `"foo":"bar"`, `"futureField":{"nested":true}`), "t"},
		{"no subject", "evaluation", asks("", "read", "record:record-1"), "400"},
		{"no action", "evaluation", asks("user:alice", "", "record:record-1"), "400"},
		{"no resource", "evaluation", asks("user:alice", "read", ""), "400"},
		{"no id of the subject", "evaluation", asks("user", "read", "record:record-1"), "400"},
		{"no id of the resource", "evaluation", asks("user:alice", "read", "record"), "400"},
		{"a subject that is text", "evaluation", `{"subject":"alice","action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}`, "400"},
		{"an action's name that is a number", "evaluation", `{"subject":{"type":"user","id":"alice"},"action":{"name":123},"resource":{"type":"record","id":"record-1"}}`, "400"},
		{"not JSON", "evaluation", "{", "400"},
		{"two resources", "evaluations", asks("user:alice", "read", "", `"evaluations":[`+asks("", "", "record:record-1")+","+asks("", "", "record:record-2")+"]"), "tt"},
		{"two actions", "evaluations", asks("user:bob", "", "record:record-1", `"evaluations":[`+asks("", "read", "")+","+asks("", "write", "")+"]"), "tf"},
		{"properties by item", "evaluations", asks("user:alice", "write", "", `"evaluations":[`+asks("", "", active)+","+asks("", "", archived)+"]"), "tf"},
		{"subjects by item", "evaluations", asks("", "write", archived, `"evaluations":[`+asks("user:alice", "", "")+","+asks(admin, "", "")+"]"), "ft"},
		{"no defaults", "evaluations", `{"evaluations":[` + asks("user:alice", "read", "record:record-1") + "," + asks("user:bob", "write", "record:record-1") + "]}", "tf"},
		{"context by item", "evaluations", asks("user:alice", "read", "", when, `"evaluations":[`+asks("", "", "record:record-1")+","+asks("", "", "record:record-2", `"context":{"a":1}`)+"]"), "tt"},
		{"an empty item", "evaluations", asks("user:alice", "write", active, `"evaluations":[{},`+asks("", "", archived)+"]"), "tf"},
		{"a faulty item", "evaluations", asks("user:alice", "read", "", `"options":{"evaluations_semantic":"execute_all"}`, `"evaluations":[`+asks("", "", "record:record-1")+",{}]"), "te"},
		{"no items", "evaluations", asks("user:alice", "read", "record:record-1"), "t"},
		{"an empty list of items", "evaluations", asks("user:alice", "read", "record:record-1", `"evaluations":[]`), "t"},
	} {
		for range 2 { // and again the same
			if got := p.ask(tc.path, tc.body); got != tc.want {
				t.Errorf("%s: %s %s: got %s, want %s", tc.name, tc.path, tc.body, got, tc.want)
			}
		}
	}
	for _, tc := range []struct {
		name, what, body string
		want             []string
	}{
		{"S1", "subject", asks("user", "read", "record:record-1"), []string{"alice", "bob"}},
		{"S1 with context", "subject", asks("user", "read", "record:record-1", when), []string{"alice", "bob"}},
		{"S1 with an id", "subject", asks("user:alice", "read", "record:record-1"), []string{"alice", "bob"}},
		{"S2", "resource", asks("user:alice", "read", "record"), []string{"record-1", "record-2"}},
		{"S2 with context", "resource", asks("user:alice", "read", "record", when), []string{"record-1", "record-2"}},
		{"S2 with an id", "resource", asks("user:alice", "read", "record:record-1"), []string{"record-1", "record-2"}},
		{"S3", "action", asks("user:alice", "", "record:record-1"), []string{"read", "write"}},
		{"S3 with context", "action", asks("user:alice", "", "record:record-1", when), []string{"read", "write"}},
		{"S4", "subject", asks("user", "write", archived), []string{"bob"}},
		{"S5", "resource", asks(admin, "write", "record"), []string{"record-2"}},
		{"S6", "action", asks(admin, "", archived), []string{"read", "write"}},
		{"a subject that is unknown", "action", asks("user:nonexistent-user", "", "record:record-1"), []string{}},
		{"a type of subject that is unknown", "subject", asks("spaceship", "read", "record:record-1"), []string{}},
		{"a type of resource that is unknown", "resource", asks("user:alice", "read", "spaceship"), []string{}},
		{"no action", "subject", asks("user", "", "record:record-1"), []string{"400"}},
		{"no subject", "resource", asks("", "read", "record"), []string{"400"}},
		{"no resource", "action", asks("user:alice", "", ""), []string{"400"}},
		{"no id of the resource", "subject", asks("user", "read", "record"), []string{"400"}},
		{"no id of the subject", "resource", asks("user", "read", "record"), []string{"400"}},
		{"no id of either", "action", asks("user", "", "record:record-1"), []string{"400"}},
	} {
		if diff := cmp.Diff(tc.want, p.find(tc.what, tc.body)); diff != "" {
			t.Errorf("%s: %s %s (-want +got):\n%s", tc.name, tc.what, tc.body, diff)
		}
	}
	p.pages(asks("user", "read", "record:record-1", `"page":{"limit":1}`), []string{"alice", "bob"})
	if status, got, header := p.post("/.well-known/authzen-configuration", "", "Host", "evil.example"); status != 200 || header.Get("Content-Type") != "application/json" ||
		!strings.Contains(got, `"policy_decision_point":"https://pdp.example.com","access_evaluation_endpoint":"https://pdp.example.com/access/v1/evaluation"`) {
		t.Errorf("metadata: got %d %s", status, got)
	}
	for _, id := range []string{"", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"} {
		if _, _, header := p.post("/access/v1/evaluation", asks("user:alice", "read", "record:record-1"), "X-Request-ID", id); header.Get("X-Request-ID") != id {
			t.Errorf("X-Request-ID %q: got %q", id, header.Get("X-Request-ID"))
		}
	}
}

// pages walks through the pages of a search for subjects, one result each.
func (p *process) pages(body string, want []string) {
	p.t.Helper()
	var got []string
	for range len(want) + 1 {
		var response struct {
			Page *struct {
				Next string `json:"next_token"`
			}
			Results []struct{ ID string }
		}
		_, text, _ := p.post("/access/v1/search/subject", body)
		if err := json.Unmarshal([]byte(text), &response); err != nil || response.Page == nil || len(response.Results) != 1 {
			p.t.Fatalf("%s: got %s (%v), want a page of one result", body, text, err)
		}
		got = append(got, response.Results[0].ID)
		if response.Page.Next == "" {
			break
		}
		head, _, _ := strings.Cut(body, `,"page"`)
		body = head + fmt.Sprintf(`,"page":{"token":%q}}`, response.Page.Next)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Errorf("pages (-want +got):\n%s", diff)
	}
}

// The decisions of the todo and gateway scenarios. Their data are not part of this repository; where they are absent
// this skips.
func TestTodoAndGateway(t *testing.T) {
	var world struct {
		Users map[string]struct {
			Mail  string
			Roles []string
		}
	}
	readInterop(t, "world.json", &world)
	policy, _, _ := bytes.Cut(read(t, examples+"todo.rolecall"), []byte("expect ")) // without the steps
	entities := map[string]any{}
	if err := json.Unmarshal(read(t, examples+"todo.json"), &entities); err != nil {
		t.Fatal(err)
	}
	groups := map[string]string{"admin": "admins", "editor": "editors", "evil_genius": "geniuses", "viewer": "viewers"}
	var subjects []any
	for id, u := range world.Users {
		for _, role := range u.Roles {
			policy = fmt.Appendf(policy, "member user:%s of group:%s\nmember identity:%[1]s of group:%[2]s\n", id, groups[role])
		}
		subjects = append(subjects, map[string]any{"type": "user", "id": id, "properties": map[string]any{"mail": u.Mail}})
	}
	entities["subjects"] = subjects
	text, err := json.Marshal(entities)
	if err != nil {
		t.Fatal(err)
	}
	f := newFolder(t, map[string]string{"p": string(policy), "e": string(text)})
	p := serve(t, "-f", f.path("p"), "--entities", f.path("e"), "--properties", "fill")
	for file, want := range map[string][2]int{"todo-decisions.json": {40, 3}, "gateway-decisions.json": {25, 0}} {
		var published struct {
			Evaluation []struct {
				Request  json.RawMessage
				Expected bool
			}
			Evaluations []struct {
				Request  json.RawMessage
				Expected []struct{ Decision bool }
			}
		}
		readInterop(t, file, &published)
		if got := [2]int{len(published.Evaluation), len(published.Evaluations)}; got != want {
			t.Errorf("%s has %v decisions and batches, want %v", file, got, want)
		}
		letter := map[bool]string{true: "t", false: "f"}
		for _, e := range published.Evaluation {
			if got := p.ask("evaluation", string(e.Request)); got != letter[e.Expected] {
				t.Errorf("%s: %s: got %s, want %v", file, e.Request, got, e.Expected)
			}
		}
		for _, e := range published.Evaluations {
			want := ""
			for _, d := range e.Expected {
				want += letter[d.Decision]
			}
			if got := p.ask("evaluations", string(e.Request)); got != want {
				t.Errorf("%s: %s: got %s, want %s", file, e.Request, got, want)
			}
		}
	}
	if got := p.ask("evaluation", asks("identity:morty", "GET", "route:/admin")); got != "f" {
		t.Errorf("a route that the gateway does not know: got %s, want f", got)
	}
}

func readInterop(t *testing.T, name string, into any) {
	t.Helper()
	src, err := os.ReadFile("../../../shared/data/authzen/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("NOT TESTED: the interop data %s is not on this machine", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(bytes.NewReader(src)).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// The search scenario, against its rules: users see, change and delete what they own and see what is in their
// department; managers see everything and change what is in their department.
func TestRecords(t *testing.T) {
	p := serve(t, "-f", examples+"records.rolecall", "--entities", examples+"records.json")
	users := []struct{ id, role, department string }{
		{"alice", "manager", "Sales"}, {"bob", "employee", "Legal"}, {"carol", "contractor", "Legal"},
		{"dan", "manager", "Finance"}, {"erin", "employee", "Finance"}, {"felix", "contractor", "Accounting"},
	}
	var world struct {
		Resources []struct {
			ID, Scope  string
			Properties struct{ Owner string }
		}
	}
	if err := json.Unmarshal(read(t, examples+"records.json"), &world); err != nil || len(world.Resources) != 20 {
		t.Fatalf("records.json: %v, %d records, want 20", err, len(world.Resources))
	}
	may := func(u, action, r int) bool {
		user, record := users[u], world.Resources[r]
		own, manager, same := record.Properties.Owner == user.id, user.role == "manager", strings.Contains(record.Scope, ":"+user.department+"/")
		switch action {
		case 0: // view
			return own || manager || same
		case 1: // edit
			return own || manager && same
		}
		return own
	}
	actions := []string{"view", "edit", "delete"}
	asked, yes := 0, 0
	for u, user := range users {
		for a, action := range actions {
			want := []string{}
			for r, record := range world.Resources {
				asked++
				if may(u, a, r) {
					yes++
					want = append(want, record.ID)
				}
			}
			if diff := cmp.Diff(want, p.find("resource", asks("user:"+user.id, action, "record"))); diff != "" {
				t.Errorf("records that %s may %s (-want +got):\n%s", user.id, action, diff)
			}
		}
	}
	for r, record := range world.Resources {
		for a, action := range actions {
			want := []string{}
			for u, user := range users {
				if may(u, a, r) {
					want = append(want, user.id)
				}
			}
			if diff := cmp.Diff(want, p.find("subject", asks("user", action, "record:"+record.ID))); diff != "" {
				t.Errorf("who may %s record %s (-want +got):\n%s", action, record.ID, diff)
			}
		}
		for u, user := range users {
			want := []string{}
			for a, action := range actions {
				if may(u, a, r) {
					want = append(want, action)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, p.find("action", asks("user:"+user.id, "", "record:"+record.ID))); diff != "" {
				t.Errorf("what %s may do with record %s (-want +got):\n%s", user.id, record.ID, diff)
			}
		}
	}
	if asked != 360 || yes != 116 {
		t.Errorf("the world has %d questions and %d permits, want 360 and 116", asked, yes)
	}
	for _, outside := range []struct{ what, body string }{
		{"subject", asks("user", "view", "record:999")},
		{"subject", asks("user", "destroy", "record:101")},
		{"resource", asks("user:zoe", "view", "record")},
		{"resource", asks("user:alice", "destroy", "record")},
		{"action", asks("user:alice", "", "record:999")},
		{"action", asks("user:zoe", "", "record:101")},
	} {
		if got := p.find(outside.what, outside.body); len(got) != 0 {
			t.Errorf("%s %s: got %q, want nothing", outside.what, outside.body, got)
		}
	}
}
