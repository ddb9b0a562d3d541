package foreign

import (
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// The AuthZEN interop scenarios: a todo application and an API gateway before it. The files hold the people, their
// roles and the decisions; what a role may do is told in the words of the scenario: a viewer reads users and todos, an
// editor also creates todos and updates and deletes their own, an admin also deletes any, an evil genius also updates
// any. The gateway knows routes and methods only, not who owns a todo.
var todoRoles = []rolecall.Role{
	{Name: "viewer", Rules: []rolecall.Rule{allow("user.can_read_user", "todo.can_read_todos", "route.get")}},
	{Name: "editor", Inherits: []rolecall.RoleName{"viewer"}, Rules: []rolecall.Rule{
		allow("todo.can_create_todo", "route.post", "route.put", "route.delete"),
		{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"todo.can_update_todo", "todo.can_delete_todo"}, When: "own"},
	}},
	{Name: "admin", Inherits: []rolecall.RoleName{"editor"}, Rules: []rolecall.Rule{allow("todo.can_delete_todo")}},
	{Name: "evil_genius", Inherits: []rolecall.RoleName{"editor"}, Rules: []rolecall.Rule{allow("todo.can_update_todo")}},
}

type (
	directory struct {
		Users map[string]struct {
			Mail  string
			Roles []string
		}
	}
	entity struct {
		Type, ID   string
		Properties struct{ OwnerID string }
	}
	evaluation struct {
		Subject, Resource entity
		Action            struct{ Name string }
		Evaluations       []struct{ Resource entity }
	}
	decisions struct {
		Evaluation []struct {
			Request  evaluation
			Expected bool
		}
		Evaluations []struct {
			Request  evaluation
			Expected []struct{ Decision bool }
		}
	}
)

func TestAuthZENDecisions(t *testing.T) {
	people, s := todoWorld(t)
	for _, tc := range []struct {
		file            string
		single, batches int
	}{
		{"todo-decisions.json", 40, 3},
		{"gateway-decisions.json", 25, 0},
	} {
		t.Run(tc.file, func(t *testing.T) {
			var published decisions
			readJSON(t, "authzen/"+tc.file, &published)
			if a, b := len(published.Evaluation), len(published.Evaluations); a != tc.single || b != tc.batches {
				t.Errorf("%s: got %d decisions and %d batches, want %d and %d", tc.file, a, b, tc.single, tc.batches)
			}
			for _, e := range published.Evaluation {
				expect(t, s, e.Expected, rolecall.Request{
					Subject:    rolecall.User(e.Request.Subject.ID),
					Permission: todoPermission(e.Request, e.Request.Resource),
					Scope:      todoScope(e.Request.Resource),
					Facts:      ownFact(people, e.Request, e.Request.Resource),
				})
			}
			for _, e := range published.Evaluations {
				checkBatch(t, s, people, e.Request, e.Expected)
			}
		})
	}
}

// checkBatch asks a whole batch at once.
func checkBatch(t *testing.T, s *rolecall.Snapshot, people directory, r evaluation, want []struct{ Decision bool }) {
	t.Helper()
	var targets []rolecall.Target
	for _, e := range r.Evaluations {
		targets = append(targets, rolecall.Target{Scope: todoScope(e.Resource), Facts: ownFact(people, r, e.Resource)})
	}
	view, err := s.For(rolecall.User(r.Subject.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	permission := todoPermission(r, r.Evaluations[0].Resource)
	answers, err := view.CheckAll(targets, permission)
	if err != nil {
		t.Fatal(err)
	}
	for i := range targets {
		if got := answers.Allowed(i, 0); got != want[i].Decision {
			t.Errorf("CheckAll for %s, %s, item %d at %s: got %v, want %v", r.Subject.ID, permission, i, targets[i].Scope, got, want[i].Decision)
		}
	}
}

func todoWorld(t *testing.T) (directory, *rolecall.Snapshot) {
	var people directory
	readJSON(t, "authzen/world.json", &people)
	w := &world{}
	w.declared.Conditions = []rolecall.ConditionDecl{{Condition: "own", Title: "The todo's owner is the subject"}}
	for _, kind := range []string{"user", "todo", "route"} {
		w.scopeKind(kind)
	}
	for _, role := range todoRoles {
		w.say(role)
		for _, rule := range role.Rules {
			for _, p := range rule.Patterns {
				w.permission(string(p))
			}
		}
	}
	for id, user := range people.Users {
		for _, role := range user.Roles {
			w.say(rolecall.Grant{Subject: rolecall.User(id), Role: rolecall.RoleName(role), Scope: rolecall.Global()})
		}
	}
	return people, w.snapshot(t)
}

func todoPermission(r evaluation, resource entity) rolecall.Permission {
	return rolecall.NewPermission(resource.Type + "." + strings.ToLower(r.Action.Name))
}

func todoScope(resource entity) rolecall.Scope {
	return rolecall.In(rolecall.ScopeKind(resource.Type), resource.ID)
}

// ownFact says that a todo is the subject's own where its owner is the subject's mail.
func ownFact(people directory, r evaluation, resource entity) rolecall.Facts {
	user, known := people.Users[r.Subject.ID]
	if known && resource.Properties.OwnerID == user.Mail {
		return rolecall.Given{"own"}
	}
	return rolecall.Given{}
}
