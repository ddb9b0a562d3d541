// Package ftrack is a preset for production tracking: a permission catalogue, roles, conditions and helpers that
// express the security model of ftrack Studio, and a generator of whole studios to try them on.
//
//	catalog, err := rolecall.NewCatalog(ftrack.Declarations())
//	…
//	err = resolver.Check(ctx, rolecall.User("ada"), ftrack.TaskUpdate, rolecall.In("project", "alpha").In("shot", "010"))
//
// It is an independent work, named after the product whose users will recognise the model.
//
// # Names
//
// A permission names a kind of thing and what is done to it. What the production sees is a view; what takes a reason to
// be seen (the audit log, other people's time, an attribute) is a read. So *.view is everything on screen and nothing
// behind the scenes. One read lets do more than read: a personal API key, UserKeyRead, has all the rights of its user. It
// is for users themselves and for administrators, and neither the security auditor nor ReadOnly reads it.
//
// Managing the policy itself has no names of its own here, because it is built into every catalog: creating roles is
// rolecall.role.create, giving somebody a role on a project is rolecall.grant.create there, closing a project is
// rolecall.scope.private, switching a user off is rolecall.subject.suspend, and keeping groups is rolecall.member.add.
//
// # Kinds of role
//
// A PROJECT role is a role that users and groups may hold. An ASSIGNED role is one whose rules depend on the condition
// Assigned. An API role is one that only services may hold. See Roles.
//
// # Where roles count
//
// A grant at AllOpenProjects reaches every project that is not private, also those that come later. It does not open a
// private project, not even to an administrator, unless the grant is marked Pierce; see NewPrivateProject. An
// assignment inside a private project gives an ASSIGNED role nothing unless its grant is placed there or pierces.
//
// # Attributes and statuses
//
// An Attribute makes two permissions, which nobody has until a role gives them. A Workflow makes one for each status
// that may be set, and turns a table of allowed changes into rules of roles.
package ftrack
