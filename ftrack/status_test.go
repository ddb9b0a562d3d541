package ftrack_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

// A menu holds what any of the roles that apply allows. The freelancer's table counts on assigned work only.
func TestChoices(t *testing.T) {
	d := ftrack.Declarations()
	statuses := anim.Declarations()
	d.Permissions = append(d.Permissions, statuses.Permissions...)
	d.Conditions = append(d.Conditions, statuses.Conditions...)
	artist := ruled(t, "animator", ftrack.StatusTable{"client_approved": nil, "done": {"client_approved"}, "in_progress": {"todo"}})
	var statements []rolecall.Statement
	for _, role := range ftrack.Roles() {
		if role.Name == ftrack.Freelancer {
			given, err := anim.Allow(role, ftrack.Assigned, ftrack.StatusTable{"todo": nil, "client_approved": nil, "done": {"in_progress"}})
			if err != nil {
				t.Fatalf("Allow(freelancer): %v", err)
			}
			role = given
		}
		statements = append(statements, role)
	}
	statements = append(statements, artist, grant(ulf, "animator", open), grant(rex, ftrack.Freelancer, open),
		grant(cal, "animator", open), grant(cal, ftrack.Freelancer, open))
	s := load(t, d, statements...).At(now)
	assigned := rolecall.Given{ftrack.Assigned}
	for _, row := range []struct {
		who   rolecall.Subject
		from  string
		facts rolecall.Facts
		want  []string
	}{
		{ulf, "todo", nil, []string{"todo", "in_progress"}},
		{ulf, "in_progress", assigned, []string{"todo"}},
		{ulf, "client_approved", nil, []string{"todo", "done"}},
		{rex, "in_progress", assigned, []string{"in_progress", "done"}},
		{rex, "todo", assigned, []string{"in_progress"}},
		{rex, "in_progress", nil, nil},
		{cal, "in_progress", nil, []string{"todo"}},
		{cal, "in_progress", assigned, []string{"todo", "in_progress", "done"}},
		{cora, "todo", nil, nil},
		{ulf, ftrack.New, nil, []string{"todo"}},
	} {
		view, err := s.For(row.who, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := anim.Choices(view, rolecall.Target{Scope: t1, Facts: row.facts}, row.from)
		if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
			t.Errorf("Choices(%s, from %s, given %v): error %v (-want +got):\n%s", row.who, row.from, row.facts, err, diff)
		}
	}
}

// A misspelt status in a table would leave open what was meant to be closed.
func TestAllowRefusesUnknownStatuses(t *testing.T) {
	_, err := anim.Allow(rolecall.Role{Name: "r"}, "", ftrack.StatusTable{"client_aproved": nil, "done": {"in-progress"}})
	for _, want := range []string{`"client_aproved"`, `"in-progress"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Allow with misspelt statuses: error %v, want it to name %s", err, want)
		}
	}
}

// An object that is not created yet and one in a status of that name could not be told apart.
func TestAllowRefusesTheStatusNew(t *testing.T) {
	w := ftrack.Workflow{Schema: "anim", Kind: "task", Statuses: []string{ftrack.New, "done"}}
	for _, table := range []ftrack.StatusTable{nil, {"done": {ftrack.New}}} {
		if _, err := w.Allow(rolecall.Role{Name: "r"}, "", table); err == nil || !strings.Contains(err.Error(), `"new"`) {
			t.Errorf("Allow(%v) of a workflow with the status %q: error %v, want it to name the status", table, ftrack.New, err)
		}
	}
}

// What the status says is known; the rest is as uncertain as the facts given.
func TestFrom(t *testing.T) {
	broken := errors.New("no database")
	facts := ftrack.From("todo", rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
		if c == ftrack.Assigned {
			return false, broken
		}
		return c == ftrack.OwnGroup, nil
	}))
	for _, row := range []struct {
		condition rolecall.Condition
		holds     bool
		err       error
	}{
		{"from.todo", true, nil},
		{"from.done", false, nil},
		{"assigned.from.todo", false, broken},
		{"assigned.from.done", false, nil},
		{"own-group.from.todo", true, nil},
		{ftrack.Assigned, false, broken},
		{ftrack.OwnGroup, true, nil},
	} {
		holds, err := facts.Holds(row.condition)
		if holds != row.holds || !errors.Is(err, row.err) {
			t.Errorf("From(todo).Holds(%s) = %t, %v; want %t, %v", row.condition, holds, err, row.holds, row.err)
		}
	}
	if holds, err := ftrack.From("todo", nil).Holds(ftrack.Own); holds || err != nil {
		t.Errorf("From(todo, nil).Holds(own) = %t, %v; want false", holds, err)
	}
}
