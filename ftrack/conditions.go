package ftrack

import "github.com/rolecall-go/rolecall"

// The conditions of the preset. The host answers them for a subject and a target. What belongs to a task (its versions,
// their files, its notes) is assigned to whoever the task is assigned to.
const (
	// Assigned: the subject is assigned to the target, or to the task that it belongs to.
	Assigned = rolecall.Condition("assigned")
	// AssignedInside: the subject is assigned to something inside the target, so that it may see the way there.
	AssignedInside = rolecall.Condition("assigned-inside")
	// Own: the subject made the target.
	Own = rolecall.Condition("own")
	// Addressee: the target is addressed to the subject or to a group of it.
	Addressee = rolecall.Condition("addressee")
	// OwnGroup: the target is assigned to, or was made by, a group of the subject or somebody in it.
	OwnGroup = rolecall.Condition("own-group")
	// OwnDepartment: the target belongs to a department of the subject.
	OwnDepartment = rolecall.Condition("own-department")
)

func conditions() []rolecall.ConditionDecl {
	return []rolecall.ConditionDecl{
		{Condition: Assigned, Title: "Assigned to it, or to the task that it belongs to"},
		{Condition: AssignedInside, Title: "Assigned to something inside it"},
		{Condition: Own, Title: "Made it"},
		{Condition: Addressee, Title: "It is addressed to them or to a group of theirs"},
		{Condition: OwnGroup, Title: "A group of theirs is assigned to it or made it"},
		{Condition: OwnDepartment, Title: "It belongs to their department"},
	}
}
