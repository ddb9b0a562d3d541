package ftrack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// New is the status that an object has before it is created: a table that lists it among the sources of a status lets
// an object start with that status.
const New = "new"

// A Workflow is a workflow schema for one kind of object: the statuses it knows. Which of them a role may set, coming
// from which, is a table per role; a change of status is allowed where any role that applies allows it.
//
// It is expressed with one permission a status (to set it) and one condition a status (the object is in it now). A
// change takes two checks: that the subject may change the status of the object at all (TaskStatusUpdate,
// VersionStatusUpdate, …) and that it may set this one (Set), asked with the facts that From returns. Choices does both.
type Workflow struct {
	Schema   string             // a segment of a permission
	Kind     rolecall.ScopeKind // "task", "version", …
	Statuses []string           // segments of a permission, none of them New
}

// A StatusTable lists for a status from which others it may be reached. A status that is not in the table may be reached
// from every status, New included; one with an empty list may not be set at all.
type StatusTable map[string][]string

// Set returns the permission to set a status.
func (w Workflow) Set(status string) rolecall.Permission {
	return rolecall.NewPermission("status." + w.Schema + "." + string(w.Kind) + "." + status + ".set")
}

// Declarations declares the permissions and conditions of the workflow, to be added to those of the preset. Workflows
// with statuses of the same name share their conditions.
func (w Workflow) Declarations() rolecall.Declarations {
	var d rolecall.Declarations
	for _, status := range w.Statuses {
		d.Permissions = append(d.Permissions, rolecall.PermissionDecl{
			Permission: w.Set(status),
			Title:      "Set the status " + status + " (" + string(w.Kind) + ", " + w.Schema + ")",
			Group:      "Statuses",
		})
	}
	for _, status := range w.sources() {
		d.Conditions = append(d.Conditions,
			rolecall.ConditionDecl{Condition: fromStatus("", status), Title: "Its status is " + status},
			rolecall.ConditionDecl{Condition: fromStatus(Assigned, status), Title: "Assigned, and its status is " + status},
			rolecall.ConditionDecl{Condition: fromStatus(OwnGroup, status), Title: "Of an own group, and its status is " + status})
	}
	return d
}

// fromStatus names the condition that an object is in a status and that another condition holds as well.
func fromStatus(also rolecall.Condition, status string) rolecall.Condition {
	if also != "" {
		also += "."
	}
	return also + "from." + rolecall.Condition(status)
}

// Allow returns role with rules that let it set the statuses of the workflow as table says. For an ASSIGNED role when is
// Assigned, for one that acts on the work of its group OwnGroup, otherwise it is empty; another one would not be
// declared. A table that names a status the workflow does not have is an error, and so is a workflow with a status New.
// The role given is not changed.
func (w Workflow) Allow(role rolecall.Role, when rolecall.Condition, table StatusTable) (rolecall.Role, error) {
	if err := w.check(table); err != nil {
		return rolecall.Role{}, err
	}
	role = giveIfAny(role, when, w.targets(func(status string) bool {
		_, ruled := table[status]
		return !ruled
	}))
	for _, source := range w.sources() {
		role = giveIfAny(role, fromStatus(when, source), w.targets(func(status string) bool {
			return slices.Contains(table[status], source)
		}))
	}
	return role, nil
}

// check reports a status that is called New, and every name in table that is no status, in order.
func (w Workflow) check(table StatusTable) error {
	var errs []error
	if slices.Contains(w.Statuses, New) {
		errs = append(errs, fmt.Errorf("workflow %s has a status %q, which is what an object is in before it is created", w.Schema, New))
	}
	for _, target := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(w.Statuses, target) {
			errs = append(errs, fmt.Errorf("workflow %s has no status %q to set", w.Schema, target))
		}
		for _, source := range table[target] {
			if !slices.Contains(w.sources(), source) {
				errs = append(errs, fmt.Errorf("workflow %s has no status %q from which to set %s", w.Schema, source, target))
			}
		}
	}
	return errors.Join(errs...)
}

func (w Workflow) sources() []string { return append([]string{New}, w.Statuses...) }

// targets returns the permissions to set the chosen statuses.
func (w Workflow) targets(chosen func(status string) bool) []rolecall.Permission {
	var permissions []rolecall.Permission
	for _, status := range w.Statuses {
		if chosen(status) {
			permissions = append(permissions, w.Set(status))
		}
	}
	return permissions
}

func giveIfAny(role rolecall.Role, when rolecall.Condition, permissions []rolecall.Permission) rolecall.Role {
	if len(permissions) == 0 {
		return role
	}
	return Give(role, when, permissions...)
}

// From returns the facts of an object that is in a status: facts, and what follows from the status. A nil facts says
// that nothing else holds.
func From(status string, facts rolecall.Facts) rolecall.Facts {
	return rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
		if source, ok := strings.CutPrefix(string(c), "from."); ok {
			return source == status, nil
		}
		also, source, both := strings.Cut(string(c), ".from.")
		if facts == nil || both && source != status {
			return false, nil
		}
		return facts.Holds(rolecall.Condition(also))
	})
}

// Choices returns the statuses that the subject of the view may give to an object in the status from, in the order of
// the workflow: the content of a menu. Where from is New it does not ask whether the subject may create the object.
func (w Workflow) Choices(v *rolecall.View, object rolecall.Target, from string) ([]string, error) {
	permissions := w.targets(func(string) bool { return true })
	permissions = append(permissions, rolecall.NewPermission(string(w.Kind)+".status.update"))
	answers, err := v.CheckAll([]rolecall.Target{{Scope: object.Scope, Facts: From(from, object.Facts)}}, permissions...)
	if err != nil {
		return nil, err
	}
	if from != New && !answers.Allowed(0, len(w.Statuses)) {
		return nil, nil
	}
	var choices []string
	for i, status := range w.Statuses {
		if answers.Allowed(0, i) {
			choices = append(choices, status)
		}
	}
	return choices, nil
}
