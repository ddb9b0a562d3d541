package ftrack

import "github.com/rolecall-go/rolecall"

// AllOpenProjects returns the scope at which a grant reaches every project that is not private, those that come later
// included. Closing a project or opening it again takes no change of grants.
func AllOpenProjects() rolecall.Scope { return rolecall.Global() }

// Project returns the scope of a project.
func Project(id string) rolecall.Scope { return rolecall.In("project", id) }

// NewPrivateProject returns what a host says in one change when somebody creates a private project: that it is private,
// and that its creator holds role there. Nobody else is let in.
func NewPrivateProject(project rolecall.Scope, creator rolecall.Subject, role rolecall.RoleName) []rolecall.Statement {
	return []rolecall.Statement{
		rolecall.PrivateScope{Scope: project},
		rolecall.Grant{Subject: creator, Role: role, Scope: project},
	}
}

// ReadOnly returns the narrowing of one user who looks at the workspace as another: everything the other may see, and
// nothing the other may do.
func ReadOnly() rolecall.Narrowing { return rolecall.ToPatterns("*.view", "*.read") }
