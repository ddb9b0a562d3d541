package authzen_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall/authzen"
)

// The data of the working group's interop events is not part of this repository. Where it is absent these tests skip.
const interopData = "../../shared/data/authzen/"

func readInterop(t *testing.T, name string, into any) {
	t.Helper()
	src, err := os.ReadFile(interopData + name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED, NOT TESTED: the interop data %s is not on this machine", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(src, into); err != nil {
		t.Fatal(err)
	}
}

// The todo application and the API gateway in front of it: a viewer reads; an editor creates, and changes what it owns;
// an admin also deletes, an evil genius also changes, what others own. The gateway knows routes only.
const todoPolicy = `
permission user.can_read_user
permission todo.can_read_todos
permission todo.can_create_todo
permission todo.can_update_todo
permission todo.can_delete_todo
permission route.get
permission route.post
permission route.put
permission route.delete
condition own
kind scope user
kind scope todo
kind scope route
kind subject identity

role viewer
  allow user.can_read_user todo.can_read_todos route.get
role editor
  inherits viewer
  allow todo.can_create_todo route.post route.put route.delete
  allow todo.can_update_todo todo.can_delete_todo when own
role admin
  inherits editor
  allow todo.can_delete_todo
role evil_genius
  inherits editor
  allow todo.can_update_todo
`

func todoHandler(t *testing.T) (handlerOf, int) {
	t.Helper()
	var world struct {
		Users map[string]struct {
			Mail  string
			Roles []string
		}
	}
	readInterop(t, "world.json", &world)
	policy := todoPolicy
	type entity map[string]any
	var subjects []entity
	for id, u := range world.Users {
		for _, role := range u.Roles {
			for _, kind := range []string{"user", "identity"} {
				policy += fmt.Sprintf("grant %s:%s %s at /\n", kind, id, role)
			}
		}
		subjects = append(subjects, entity{"type": "user", "id": id, "properties": entity{"mail": u.Mail}})
	}
	entities, err := json.Marshal(entity{
		"conditions": entity{"own": "resource.ownerID == subject.mail"},
		"subjects":   subjects,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, policy, options(t, string(entities), authzen.FillFromSent))
	return func(path string, request json.RawMessage) string { return post(h, path, string(request)).Body.String() }, len(world.Users)
}

type handlerOf func(path string, request json.RawMessage) string

func TestInteropDecisions(t *testing.T) {
	for file, want := range map[string][2]int{"todo-decisions.json": {40, 3}, "gateway-decisions.json": {25, 0}} {
		t.Run(file, func(t *testing.T) {
			ask, _ := todoHandler(t)
			var published struct {
				Evaluation []struct {
					Request  json.RawMessage
					Expected bool
				}
				Evaluations []struct {
					Request  json.RawMessage
					Expected []authzen.Decision
				}
			}
			readInterop(t, file, &published)
			if got := [2]int{len(published.Evaluation), len(published.Evaluations)}; got != want {
				t.Errorf("%s has %v decisions and batches, want %v", file, got, want)
			}
			for _, e := range published.Evaluation {
				if got, want := ask(evaluation, e.Request), fmt.Sprintf("{\"decision\":%v}\n", e.Expected); got != want {
					t.Errorf("%s: got %s, want %s", e.Request, got, want)
				}
			}
			for _, e := range published.Evaluations {
				var got struct{ Evaluations []authzen.Decision }
				if err := json.Unmarshal([]byte(ask(evaluations, e.Request)), &got); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(e.Expected, got.Evaluations); diff != "" {
					t.Errorf("%s (-want +got):\n%s", e.Request, diff)
				}
			}
		})
	}
}

// The search scenario: everybody sees their own records and those of their department, managers see all; owners change
// theirs, and managers those of their department; only owners delete. Who works where and which record is whose is
// told by tables of three columns.
const (
	searchUsers   = "alice manager Sales, bob employee Legal, carol contractor Legal, dan manager Finance, erin employee Finance, felix contractor Accounting"
	searchOwners  = "alice bob carol dan erin felix"
	searchPlaces  = "Legal Legal Legal Accounting Legal Accounting Sales Legal Accounting Sales Accounting Legal Sales Accounting Finance Legal Legal Accounting Legal Accounting"
	firstRecord   = 101
	searchActions = "view edit delete"
)

const searchPolicy = `
permission record.view
permission record.edit
permission record.delete
condition own
kind scope department
kind scope record

role staff
  allow record.view record.edit record.delete when own
role colleague
  allow record.view
role manager
  inherits colleague
role head
  inherits colleague
  allow record.edit
`

type searchRecord struct{ id, owner, department string }

func searchWorld() (policy, entities string, users [][]string, all []searchRecord) {
	policy = searchPolicy + "grant everyone staff at /\n"
	for row := range strings.SplitSeq(searchUsers, ", ") {
		u := strings.Fields(row)
		users = append(users, u)
		role := "colleague"
		if u[1] == "manager" {
			role = "head"
			policy += fmt.Sprintf("grant user:%s manager at /\n", u[0])
		}
		policy += fmt.Sprintf("grant user:%s %s at /department:%s\n", u[0], role, u[2])
	}
	owners := strings.Fields(searchOwners)
	var resources []string
	for i, department := range strings.Fields(searchPlaces) {
		r := searchRecord{fmt.Sprint(firstRecord + i), owners[i%len(owners)], department}
		all = append(all, r)
		resources = append(resources, fmt.Sprintf(`{"type":"record","id":%q,"scope":"/department:%s/record:%s","properties":{"owner":%q}}`, r.id, r.department, r.id, r.owner))
	}
	entities = `{"conditions":{"own":"resource.owner == subject.id"},"resources":[` + strings.Join(resources, ",") + `]}`
	return policy, entities, users, all
}

func TestInteropSearch(t *testing.T) {
	policy, entities, users, all := searchWorld()
	h := handler(t, policy, options(t, entities, authzen.IgnoreSent))
	may := func(u []string, action string, r searchRecord) bool {
		own, manager, same := r.owner == u[0], u[1] == "manager", r.department == u[2]
		switch action {
		case "view":
			return own || same || manager
		case "edit":
			return own || same && manager
		}
		return own
	}
	actions := strings.Fields(searchActions)
	for _, u := range users {
		subject := fmt.Sprintf(`"subject":{"type":"user","id":%q}`, u[0])
		for _, action := range actions {
			want := []string{}
			for _, r := range all {
				if may(u, action, r) {
					want = append(want, r.id)
				}
			}
			got, _ := results(t, post(h, searchResource, body(subject, fmt.Sprintf(`"action":{"name":%q}`, action), `"resource":{"type":"record"}`)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("records that %s may %s (-want +got):\n%s", u[0], action, diff)
			}
		}
	}
	for _, r := range all {
		resource := fmt.Sprintf(`"resource":{"type":"record","id":%q}`, r.id)
		for _, action := range actions {
			want := []string{}
			for _, u := range users {
				if may(u, action, r) {
					want = append(want, u[0])
				}
			}
			got, _ := results(t, post(h, searchSubject, body(`"subject":{"type":"user"}`, fmt.Sprintf(`"action":{"name":%q}`, action), resource)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("who may %s record %s (-want +got):\n%s", action, r.id, diff)
			}
		}
		for _, u := range users {
			want := []string{}
			for _, action := range actions {
				if may(u, action, r) {
					want = append(want, action)
				}
			}
			slices.Sort(want)
			got, _ := results(t, post(h, searchAction, body(fmt.Sprintf(`"subject":{"type":"user","id":%q}`, u[0]), resource)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what %s may do with record %s (-want +got):\n%s", u[0], r.id, diff)
			}
		}
	}
}
