package rolecall

const builtinPrefix = "rolecall."

// The built-in permissions to manage policy, part of every catalog. Those of roles, memberships, suspension, forgetting
// subjects and constraints are held at Global; the others at the scope concerned.
var (
	RoleCreate       = NewPermission("rolecall.role.create")
	RoleUpdate       = NewPermission("rolecall.role.update")
	RoleDelete       = NewPermission("rolecall.role.delete")
	MemberAdd        = NewPermission("rolecall.member.add")
	MemberRemove     = NewPermission("rolecall.member.remove")
	SubjectSuspend   = NewPermission("rolecall.subject.suspend")
	SubjectForget    = NewPermission("rolecall.subject.forget")
	ConstraintUpdate = NewPermission("rolecall.constraint.update")
	GrantCreate      = NewPermission("rolecall.grant.create")
	GrantDelete      = NewPermission("rolecall.grant.delete")
	GrantActivate    = NewPermission("rolecall.grant.activate")
	OverrideCreate   = NewPermission("rolecall.override.create")
	OverrideDelete   = NewPermission("rolecall.override.delete")
	ScopePrivate     = NewPermission("rolecall.scope.private")
	ScopeForget      = NewPermission("rolecall.scope.forget")
	Escalate         = NewPermission("rolecall.escalate")
)

func builtins() []Permission {
	return []Permission{
		RoleCreate, RoleUpdate, RoleDelete, MemberAdd, MemberRemove, SubjectSuspend, SubjectForget, ConstraintUpdate,
		GrantCreate, GrantDelete, GrantActivate, OverrideCreate, OverrideDelete, ScopePrivate, ScopeForget, Escalate,
	}
}
