package ftrack

import (
	"slices"

	"github.com/rolecall-go/rolecall"
)

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

// ReadOnly returns the narrowing of one user who looks at the workspace as another: what the other may see, and nothing
// the other may do. A personal API key is no part of it, because whoever reads that may act as the other without any
// narrowing. Reads that a host declares itself are none either, other than of attributes, until also names them.
func ReadOnly(also ...rolecall.Pattern) rolecall.Narrowing {
	return rolecall.ToPatterns(append(slices.Clip(also), "*.view", "apikey.read", "attribute.*.read", "audit.read", "report.read", "role.read",
		"timelog.read")...)
}
