package ftrack_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

// An attribute that was opened to editors is read and written by exactly those who may edit, under every condition.
func TestOpenToEditors(t *testing.T) {
	d := ftrack.Declarations()
	d.Permissions = append(d.Permissions, ftrack.AttributeDeclarations(budget)...)
	guarded := rolecall.Role{Name: "guarded", Inherits: []rolecall.RoleName{ftrack.ProjectManager}, Rules: []rolecall.Rule{
		{Effect: rolecall.Deny, Patterns: []rolecall.Pattern{"task.*"}, When: ftrack.Own},
	}}
	before := append(ftrack.Roles(), guarded)
	roles := ftrack.OpenToEditors(budget, ftrack.TaskUpdate, before...)
	if diff := cmp.Diff(append(ftrack.Roles(), guarded), before); diff != "" {
		t.Errorf("OpenToEditors changed the roles it was given:\n%s", diff)
	}
	statements := []rolecall.Statement{grant(rolecall.User("guarded"), "guarded", open)}
	for _, role := range roles {
		statements = append(statements, role)
		if role.Name != "guarded" {
			statements = append(statements, grant(holder(role.Name), role.Name, place(role.Name)))
		}
	}
	s := load(t, d, statements...).At(now)
	editors := 0
	for _, facts := range []rolecall.Given{nil, {ftrack.Assigned}, {ftrack.Own}, {ftrack.OwnGroup}, {ftrack.OwnDepartment}} {
		for _, role := range roles {
			edits := s.Check(holder(role.Name), ftrack.TaskUpdate, t1, facts) == nil
			writes := s.Check(holder(role.Name), budget.Write(), t1, facts) == nil
			reads := s.Check(holder(role.Name), budget.Read(), t1, facts) == nil
			if role.Name == ftrack.SecurityAuditor {
				reads = edits // reads every attribute anyway
			}
			if edits != writes || edits != reads {
				t.Errorf("role %s given %v: edits %t, writes %t, reads %t; want the same", role.Name, facts, edits, writes, reads)
			}
			if edits {
				editors++
			}
		}
	}
	if editors == 0 {
		t.Error("no role edits a task under any condition, so nothing was compared")
	}
}

// An attribute that may not be read is left out.
func TestReadable(t *testing.T) {
	rate := ftrack.Attribute{Key: "rate", Title: "the rate"}
	d := ftrack.Declarations()
	d.Permissions = append(d.Permissions, ftrack.AttributeDeclarations(budget, rate)...)
	reader := ftrack.Give(rolecall.Role{Name: "reader"}, "", budget.Read(), ftrack.ShotView)
	s := load(t, d, reader, grant(ulf, "reader", open)).At(now)
	view, err := s.For(ulf, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ftrack.Readable(view, rolecall.Target{Scope: shot}, rate, budget)
	if diff := cmp.Diff([]ftrack.Attribute{budget}, got); diff != "" || err != nil {
		t.Errorf("Readable(rate, budget): error %v (-want +got):\n%s", err, diff)
	}
	if _, err := ftrack.Readable(view, rolecall.Target{Scope: shot}, ftrack.Attribute{Key: "margin"}); err == nil {
		t.Error("Readable of an attribute that is not declared succeeds, want an error")
	}
}
