package ftrack

import (
	"slices"

	"github.com/rolecall-go/rolecall"
)

// The roles of the preset. RestrictedUser, User, ProjectManager, Administrator and API are the factory roles; the others
// are what studios make of them.
const (
	RestrictedUser   = rolecall.RoleName("restricted_user")
	User             = rolecall.RoleName("user")
	ProjectManager   = rolecall.RoleName("project_manager")
	Administrator    = rolecall.RoleName("administrator")
	API              = rolecall.RoleName("api")
	ReviewerInternal = rolecall.RoleName("reviewer_internal")
	Coordinator      = rolecall.RoleName("coordinator")
	DepartmentLead   = rolecall.RoleName("department_lead")
	Freelancer       = rolecall.RoleName("freelancer")
	VendorArtist     = rolecall.RoleName("vendor_artist")
	VendorLead       = rolecall.RoleName("vendor_lead")
	ClientGuest      = rolecall.RoleName("client_guest")
	SecurityAuditor  = rolecall.RoleName("security_auditor")
)

// FactoryRoles returns the five roles that a new workspace starts with. The caller owns them.
func FactoryRoles() []rolecall.Role {
	return []rolecall.Role{restrictedUser(), user(), projectManager(), administrator(), api()}
}

// Roles returns every role of the preset, the factory roles first. The caller owns them.
//
// No rule lists a bare star, so that an attribute or a change of status made later is nobody's until a role gives it;
// only the security auditor reads every attribute, because that is what the role is for.
func Roles() []rolecall.Role {
	return append(FactoryRoles(), reviewerInternal(), coordinator(), departmentLead(), freelancer(), vendorArtist(),
		vendorLead(), clientGuest(), securityAuditor())
}

// Give returns role with one more rule, which allows permissions under a condition; the empty condition is always.
// The role given is not changed.
func Give(role rolecall.Role, when rolecall.Condition, permissions ...rolecall.Permission) rolecall.Role {
	rule := rolecall.Rule{Effect: rolecall.Allow, When: when}
	for _, p := range permissions {
		rule.Patterns = append(rule.Patterns, rolecall.Pattern(p.String()))
	}
	role.Rules = append(slices.Clone(role.Rules), rule)
	return role
}

// people are those who may hold a PROJECT or an ASSIGNED role.
func people() []rolecall.SubjectKind {
	return []rolecall.SubjectKind{rolecall.KindUser, rolecall.KindGroup}
}

func allow(patterns ...rolecall.Pattern) rolecall.Rule {
	return rolecall.Rule{Effect: rolecall.Allow, Patterns: patterns}
}

func except(patterns ...rolecall.Pattern) rolecall.Rule {
	return rolecall.Rule{Effect: rolecall.Except, Patterns: patterns}
}

func allowWhen(when rolecall.Condition, patterns ...rolecall.Pattern) rolecall.Rule {
	return rolecall.Rule{Effect: rolecall.Allow, Patterns: patterns, When: when}
}

// objects returns a pattern for each kind of object: shot.*, task.*, … for "*".
func objects(action rolecall.Pattern) []rolecall.Pattern {
	var patterns []rolecall.Pattern
	for _, object := range objectKinds() {
		patterns = append(patterns, rolecall.Pattern(object.kind)+"."+action)
	}
	return patterns
}

// restrictedUser changes the status of assigned work and sees the way to it. Publishing is the freelancer's.
func restrictedUser() rolecall.Role {
	return rolecall.Role{
		Name: RestrictedUser, Title: "Restricted user", Holders: people(),
		Description: "Sees assigned work and the way to it, and changes its status and its notes",
		Rules: []rolecall.Rule{
			allow("user.view"),
			allowWhen(AssignedInside, append(objects("view"), "project.view")...),
			allowWhen(Assigned, "*.view", "*.thumbnail.update", "component.download", "note.complete", "note.create", "timelog.create"),
			allowWhen(Assigned, objects("status.update")...),
			allowWhen(Own, "dashboard.create", "dashboard.view", "note.delete", "note.update", "note.view",
				"timelog.delete", "timelog.update", "user.apikey.read", "user.apikey.reset", "view.save"),
		},
	}
}

func user() rolecall.Role {
	return rolecall.Role{
		Name: User, Title: "User", Holders: people(),
		Description: "Sees everything on the project, publishes, takes part in reviews, and changes what is theirs",
		Rules: []rolecall.Rule{
			allow("*.view", "*.status.update", "*.thumbnail.update", "asset.create", "component.add_to_location",
				"component.download", "dashboard.*", "list.*", "media.encode", "note.complete", "note.create",
				"review.approve", "task.assign.self", "version.publish"),
			allowWhen(Assigned, "timelog.create"),
			allowWhen(Own, "note.delete", "note.update", "timelog.delete", "timelog.update", "user.apikey.read",
				"user.apikey.reset", "version.delete", "version.update", "view.*"),
		},
	}
}

// onProject lists what running a project takes, by kind of thing.
func onProject() []rolecall.Pattern {
	return append(objects("*"), "asset.*", "booking.*", "calendar.*", "component.*", "dashboard.*", "list.*", "media.*",
		"note.*", "phase.*", "project.*", "report.*", "review.*", "timelog.*", "version.*", "view.*")
}

// projectManager holds what it takes to let people into a project. Granted on a project it manages that project;
// granted at AllOpenProjects it manages every project, the private ones included, because privacy does not stop
// managing. Coordinator is the role for people who work on all projects and manage none.
func projectManager() rolecall.Role {
	return rolecall.Role{
		Name: ProjectManager, Title: "Project manager", Holders: people(), Inherits: []rolecall.RoleName{User},
		Description: "Runs a project: its objects, plans and reviews, and who may enter",
		Rules: []rolecall.Rule{
			allow(append(onProject(), "attribute.configure")...),
			allow("rolecall.grant.*", "rolecall.override.*", "rolecall.scope.private"),
		},
	}
}

func administrator() rolecall.Role {
	return rolecall.Role{
		Name: Administrator, Title: "Administrator", Holders: people(), Inherits: []rolecall.RoleName{ProjectManager},
		Description: "Runs the workspace: settings, users, roles and keys. Private projects stay closed unless the grant pierces",
		Rules: []rolecall.Rule{
			allow("apikey.*", "audit.read", "automation.manage", "disk.manage", "group.*", "location.manage",
				"priority.manage", "role.read", "schema.manage", "security.manage", "session.invalidate",
				"settings.manage", "status_rule.manage", "type.manage", "user.*", "webhook.manage"),
			allow("rolecall.*", "rolecall.escalate", "rolecall.constraint.update"),
		},
	}
}

// api is what pipelines do. It lists its permissions itself: a key never comes to manage roles because people do.
func api() rolecall.Role {
	return rolecall.Role{
		Name: API, Title: "API", Holders: []rolecall.SubjectKind{rolecall.KindService},
		Description: "A global API key: works on projects and manages nothing else",
		Rules:       []rolecall.Rule{allow(append(onProject(), "group.view", "user.view")...)},
	}
}

func reviewerInternal() rolecall.Role {
	return rolecall.Role{
		Name: ReviewerInternal, Title: "Internal reviewer", Holders: people(),
		Description: "Looks, comments and approves",
		Rules: []rolecall.Rule{
			allow("*.view", "note.complete", "note.create", "review.approve", "version.status.update"),
			allowWhen(Own, "note.delete", "note.update"),
		},
	}
}

func coordinator() rolecall.Role {
	return rolecall.Role{
		Name: Coordinator, Title: "Coordinator", Holders: people(), Inherits: []rolecall.RoleName{ProjectManager},
		Description: "A project manager who does not delete objects and does not decide who may enter",
		Rules: []rolecall.Rule{
			except(append(objects("delete"), "asset.delete", "booking.delete", "component.delete", "list.delete",
				"phase.delete", "project.delete", "review.delete", "version.delete")...),
			except("rolecall.*"),
		},
	}
}

func departmentLead() rolecall.Role {
	return rolecall.Role{
		Name: DepartmentLead, Title: "Department lead", Holders: people(), Inherits: []rolecall.RoleName{User},
		Description: "Hands out and approves the work of their department",
		Rules: []rolecall.Rule{
			allow("version.status.update"),
			allowWhen(OwnDepartment, "booking.*", "task.assign", "task.unassign", "task.update", "timelog.read", "version.update"),
		},
	}
}

func freelancer() rolecall.Role {
	return rolecall.Role{
		Name: Freelancer, Title: "Freelancer", Holders: people(), Inherits: []rolecall.RoleName{RestrictedUser},
		Description: "A restricted user who also publishes assigned work; granted until the contract ends",
		Rules: []rolecall.Rule{
			allowWhen(Assigned, "asset.create", "component.add_to_location", "media.encode", "version.publish"),
		},
	}
}

func vendorArtist() rolecall.Role {
	return rolecall.Role{
		Name: VendorArtist, Title: "Vendor artist", Holders: people(), Inherits: []rolecall.RoleName{Freelancer},
		Description: "A freelancer of another company, who also sees what that company made and what is addressed to them",
		Rules: []rolecall.Rule{
			allowWhen(OwnGroup, "component.download", "component.view", "version.view"),
			allowWhen(Addressee, "note.complete", "note.view"),
		},
	}
}

func vendorLead() rolecall.Role {
	return rolecall.Role{
		Name: VendorLead, Title: "Vendor lead", Holders: people(), Inherits: []rolecall.RoleName{VendorArtist},
		Description: "Sees and hands out the work of their own company on the projects listed for it",
		Rules: []rolecall.Rule{
			allow("project.view"),
			allowWhen(OwnGroup, append(objects("view"), "asset.*", "list.view", "note.*", "review.view", "task.assign",
				"task.status.update", "task.unassign", "version.publish", "version.status.update")...),
		},
	}
}

func clientGuest() rolecall.Role {
	return rolecall.Role{
		Name: ClientGuest, Title: "Client guest", Description: "Comments and approves in one review",
		Holders: []rolecall.SubjectKind{rolecall.KindGuest}, Scopes: []rolecall.ScopeKind{"review"},
		Rules: []rolecall.Rule{allow("note.create", "note.view", "review.approve", "review.view", "version.view")},
	}
}

func securityAuditor() rolecall.Role {
	return rolecall.Role{
		Name: SecurityAuditor, Title: "Security auditor", Holders: people(),
		Description: "Reads everything, attributes, logs and grants included, but nobody's API key, and changes nothing",
		Rules:       []rolecall.Rule{allow("*.view", "*.read"), except("user.apikey.read")},
	}
}
