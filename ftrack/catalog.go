package ftrack

import (
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// The permissions that concern the workspace as a whole, held at Global unless their title says otherwise.
var (
	SettingsManage     = rolecall.NewPermission("settings.manage")
	UserView           = rolecall.NewPermission("user.view")
	UserCreate         = rolecall.NewPermission("user.create")
	UserInvite         = rolecall.NewPermission("user.invite")
	UserUpdate         = rolecall.NewPermission("user.update")
	UserRename         = rolecall.NewPermission("user.username.update")
	UserKeyRead        = rolecall.NewPermission("user.apikey.read")
	UserKeyReset       = rolecall.NewPermission("user.apikey.reset")
	UserAssume         = rolecall.NewPermission("user.assume")
	GroupView          = rolecall.NewPermission("group.view")
	GroupCreate        = rolecall.NewPermission("group.create")
	GroupUpdate        = rolecall.NewPermission("group.update")
	GroupDelete        = rolecall.NewPermission("group.delete")
	RoleRead           = rolecall.NewPermission("role.read")
	KeyRead            = rolecall.NewPermission("apikey.read")
	KeyCreate          = rolecall.NewPermission("apikey.create")
	KeyUpdate          = rolecall.NewPermission("apikey.update")
	KeyDisable         = rolecall.NewPermission("apikey.disable")
	AuditRead          = rolecall.NewPermission("audit.read")
	SchemaManage       = rolecall.NewPermission("schema.manage")
	StatusRuleManage   = rolecall.NewPermission("status_rule.manage")
	TypeManage         = rolecall.NewPermission("type.manage")
	PriorityManage     = rolecall.NewPermission("priority.manage")
	AttributeConfigure = rolecall.NewPermission("attribute.configure")
	LocationManage     = rolecall.NewPermission("location.manage")
	DiskManage         = rolecall.NewPermission("disk.manage")
	AutomationManage   = rolecall.NewPermission("automation.manage")
	WebhookManage      = rolecall.NewPermission("webhook.manage")
	SessionInvalidate  = rolecall.NewPermission("session.invalidate")
	SecurityManage     = rolecall.NewPermission("security.manage")
)

// The permissions on dashboards and saved views. A single dashboard is a scope of its own.
var (
	DashboardView          = rolecall.NewPermission("dashboard.view")
	DashboardCreate        = rolecall.NewPermission("dashboard.create")
	DashboardShare         = rolecall.NewPermission("dashboard.share")
	DashboardShareEveryone = rolecall.NewPermission("dashboard.share_everyone")
	ViewSave               = rolecall.NewPermission("view.save")
	ViewShare              = rolecall.NewPermission("view.share")
	ViewShareEveryone      = rolecall.NewPermission("view.share_everyone")
)

// The permissions on a project.
var (
	ProjectView       = rolecall.NewPermission("project.view")
	ProjectCreate     = rolecall.NewPermission("project.create")
	ProjectUpdate     = rolecall.NewPermission("project.update")
	ProjectDelete     = rolecall.NewPermission("project.delete")
	ProjectArchive    = rolecall.NewPermission("project.archive")
	ProjectTeamManage = rolecall.NewPermission("project.team.manage")
)

// The permissions on lists, phases, bookings and the calendar.
var (
	ListView        = rolecall.NewPermission("list.view")
	ListCreate      = rolecall.NewPermission("list.create")
	ListUpdate      = rolecall.NewPermission("list.update")
	ListDelete      = rolecall.NewPermission("list.delete")
	ListItemsAdd    = rolecall.NewPermission("list.items.add")
	ListItemsRemove = rolecall.NewPermission("list.items.remove")
	PhaseView       = rolecall.NewPermission("phase.view")
	PhaseCreate     = rolecall.NewPermission("phase.create")
	PhaseUpdate     = rolecall.NewPermission("phase.update")
	PhaseDelete     = rolecall.NewPermission("phase.delete")
	BookingView     = rolecall.NewPermission("booking.view")
	BookingCreate   = rolecall.NewPermission("booking.create")
	BookingUpdate   = rolecall.NewPermission("booking.update")
	BookingDelete   = rolecall.NewPermission("booking.delete")
	CalendarManage  = rolecall.NewPermission("calendar.manage")
)

// The permissions on assets, their versions, and the files of versions.
var (
	AssetView           = rolecall.NewPermission("asset.view")
	AssetCreate         = rolecall.NewPermission("asset.create")
	AssetUpdate         = rolecall.NewPermission("asset.update")
	AssetDelete         = rolecall.NewPermission("asset.delete")
	VersionView         = rolecall.NewPermission("version.view")
	VersionPublish      = rolecall.NewPermission("version.publish")
	VersionUpdate       = rolecall.NewPermission("version.update")
	VersionDelete       = rolecall.NewPermission("version.delete")
	VersionStatusUpdate = rolecall.NewPermission("version.status.update")
	ComponentView       = rolecall.NewPermission("component.view")
	ComponentDownload   = rolecall.NewPermission("component.download")
	ComponentLocate     = rolecall.NewPermission("component.add_to_location")
	ComponentDelete     = rolecall.NewPermission("component.delete")
	MediaEncode         = rolecall.NewPermission("media.encode")
)

// The permissions on notes and review sessions.
var (
	NoteView       = rolecall.NewPermission("note.view")
	NoteCreate     = rolecall.NewPermission("note.create")
	NoteUpdate     = rolecall.NewPermission("note.update")
	NoteDelete     = rolecall.NewPermission("note.delete")
	NoteComplete   = rolecall.NewPermission("note.complete")
	ReviewView     = rolecall.NewPermission("review.view")
	ReviewCreate   = rolecall.NewPermission("review.create")
	ReviewUpdate   = rolecall.NewPermission("review.update")
	ReviewDelete   = rolecall.NewPermission("review.delete")
	ReviewShare    = rolecall.NewPermission("review.share")
	ReviewModerate = rolecall.NewPermission("review.moderate")
	ReviewTransfer = rolecall.NewPermission("review.feedback.transfer")
	ReviewApprove  = rolecall.NewPermission("review.approve")
)

// The permissions on logged time.
var (
	TimelogRead   = rolecall.NewPermission("timelog.read")
	TimelogCreate = rolecall.NewPermission("timelog.create")
	TimelogUpdate = rolecall.NewPermission("timelog.update")
	TimelogDelete = rolecall.NewPermission("timelog.delete")
	ReportRead    = rolecall.NewPermission("report.read")
)

// Declarations returns the vocabulary of the preset: every permission with a title and a group, the conditions, and the
// kinds of scope. Attributes and workflows add their own to it. The caller owns the slices.
func Declarations() rolecall.Declarations {
	return rolecall.Declarations{
		Permissions: slices.Concat(generalPermissions(), objectPermissions()),
		Conditions:  conditions(),
		ScopeKinds:  scopeKinds(),
	}
}

func generalPermissions() []rolecall.PermissionDecl {
	return []rolecall.PermissionDecl{
		{Permission: SettingsManage, Title: "Change the settings of the workspace", Group: "Workspace"},
		{Permission: UserView, Title: "See who works here", Group: "Workspace"},
		{Permission: UserCreate, Title: "Add users", Group: "Workspace"},
		{Permission: UserInvite, Title: "Invite users", Group: "Workspace"},
		{Permission: UserUpdate, Title: "Edit users", Group: "Workspace"},
		{Permission: UserRename, Title: "Change a user's name for signing in", Group: "Workspace"},
		{Permission: UserKeyRead, Title: "Read a user's personal API key", Group: "Workspace"},
		{Permission: UserKeyReset, Title: "Reset a user's personal API key", Group: "Workspace"},
		{Permission: UserAssume, Title: "Look at the workspace as another user", Group: "Workspace"},
		{Permission: GroupView, Title: "See groups", Group: "Workspace"},
		{Permission: GroupCreate, Title: "Create groups", Group: "Workspace"},
		{Permission: GroupUpdate, Title: "Edit groups", Group: "Workspace"},
		{Permission: GroupDelete, Title: "Delete groups", Group: "Workspace"},
		{Permission: RoleRead, Title: "Read roles and who holds them", Group: "Workspace"},
		{Permission: KeyRead, Title: "List global API keys", Group: "Workspace"},
		{Permission: KeyCreate, Title: "Create global API keys", Group: "Workspace"},
		{Permission: KeyUpdate, Title: "Edit global API keys", Group: "Workspace"},
		{Permission: KeyDisable, Title: "Disable global API keys", Group: "Workspace"},
		{Permission: AuditRead, Title: "Read the log of changes", Group: "Workspace"},
		{Permission: SchemaManage, Title: "Manage workflow schemas", Group: "Workspace"},
		{Permission: StatusRuleManage, Title: "Manage which status may follow which", Group: "Workspace"},
		{Permission: TypeManage, Title: "Manage types", Group: "Workspace"},
		{Permission: PriorityManage, Title: "Manage priorities", Group: "Workspace"},
		{Permission: AttributeConfigure, Title: "Configure attributes, everywhere or on one project", Group: "Workspace"},
		{Permission: LocationManage, Title: "Manage storage locations", Group: "Workspace"},
		{Permission: DiskManage, Title: "Manage disks", Group: "Workspace"},
		{Permission: AutomationManage, Title: "Manage automations", Group: "Workspace"},
		{Permission: WebhookManage, Title: "Manage webhooks", Group: "Workspace"},
		{Permission: SessionInvalidate, Title: "Sign others out", Group: "Workspace"},
		{Permission: SecurityManage, Title: "Change the default role and how people sign in", Group: "Workspace"},
		{Permission: DashboardView, Title: "See a dashboard", Group: "Dashboards"},
		{Permission: DashboardCreate, Title: "Create dashboards", Group: "Dashboards"},
		{Permission: DashboardShare, Title: "Share a dashboard with users or groups", Group: "Dashboards"},
		{Permission: DashboardShareEveryone, Title: "Share a dashboard with everyone", Group: "Dashboards"},
		{Permission: ViewSave, Title: "Save a view", Group: "Dashboards"},
		{Permission: ViewShare, Title: "Share a view with users or groups", Group: "Dashboards"},
		{Permission: ViewShareEveryone, Title: "Share a view with everyone", Group: "Dashboards"},
		{Permission: ProjectView, Title: "See a project", Group: "Projects"},
		{Permission: ProjectCreate, Title: "Create projects", Group: "Projects"},
		{Permission: ProjectUpdate, Title: "Edit a project", Group: "Projects"},
		{Permission: ProjectDelete, Title: "Delete a project", Group: "Projects"},
		{Permission: ProjectArchive, Title: "Archive a project", Group: "Projects"},
		{Permission: ProjectTeamManage, Title: "Manage the team of a project", Group: "Projects"},
		{Permission: ListView, Title: "See a list", Group: "Planning"},
		{Permission: ListCreate, Title: "Create lists", Group: "Planning"},
		{Permission: ListUpdate, Title: "Edit a list", Group: "Planning"},
		{Permission: ListDelete, Title: "Delete a list", Group: "Planning"},
		{Permission: ListItemsAdd, Title: "Add to a list", Group: "Planning"},
		{Permission: ListItemsRemove, Title: "Remove from a list", Group: "Planning"},
		{Permission: PhaseView, Title: "See a phase", Group: "Planning"},
		{Permission: PhaseCreate, Title: "Create phases", Group: "Planning"},
		{Permission: PhaseUpdate, Title: "Edit a phase", Group: "Planning"},
		{Permission: PhaseDelete, Title: "Delete a phase", Group: "Planning"},
		{Permission: BookingView, Title: "See a booking", Group: "Planning"},
		{Permission: BookingCreate, Title: "Create bookings", Group: "Planning"},
		{Permission: BookingUpdate, Title: "Edit a booking", Group: "Planning"},
		{Permission: BookingDelete, Title: "Delete a booking", Group: "Planning"},
		{Permission: CalendarManage, Title: "Manage events in the calendar", Group: "Planning"},
		{Permission: AssetView, Title: "See an asset", Group: "Publishing"},
		{Permission: AssetCreate, Title: "Create assets", Group: "Publishing"},
		{Permission: AssetUpdate, Title: "Edit an asset", Group: "Publishing"},
		{Permission: AssetDelete, Title: "Delete an asset", Group: "Publishing"},
		{Permission: VersionView, Title: "See a version", Group: "Publishing"},
		{Permission: VersionPublish, Title: "Publish a version", Group: "Publishing"},
		{Permission: VersionUpdate, Title: "Edit a version", Group: "Publishing"},
		{Permission: VersionDelete, Title: "Delete a version", Group: "Publishing"},
		{Permission: VersionStatusUpdate, Title: "Change the status of a version", Group: "Publishing"},
		{Permission: ComponentView, Title: "See the files of a version", Group: "Publishing"},
		{Permission: ComponentDownload, Title: "Download the files of a version", Group: "Publishing"},
		{Permission: ComponentLocate, Title: "Put files into a storage location", Group: "Publishing"},
		{Permission: ComponentDelete, Title: "Delete the files of a version", Group: "Publishing"},
		{Permission: MediaEncode, Title: "Encode media for review", Group: "Publishing"},
		{Permission: NoteView, Title: "See a note", Group: "Notes and reviews"},
		{Permission: NoteCreate, Title: "Write notes", Group: "Notes and reviews"},
		{Permission: NoteUpdate, Title: "Edit a note", Group: "Notes and reviews"},
		{Permission: NoteDelete, Title: "Delete a note", Group: "Notes and reviews"},
		{Permission: NoteComplete, Title: "Tick a note off", Group: "Notes and reviews"},
		{Permission: ReviewView, Title: "Open a review", Group: "Notes and reviews"},
		{Permission: ReviewCreate, Title: "Create reviews", Group: "Notes and reviews"},
		{Permission: ReviewUpdate, Title: "Edit a review", Group: "Notes and reviews"},
		{Permission: ReviewDelete, Title: "Delete a review", Group: "Notes and reviews"},
		{Permission: ReviewShare, Title: "Invite guests to a review", Group: "Notes and reviews"},
		{Permission: ReviewModerate, Title: "Moderate a review", Group: "Notes and reviews"},
		{Permission: ReviewTransfer, Title: "Bring the feedback of a review back to the versions", Group: "Notes and reviews"},
		{Permission: ReviewApprove, Title: "Approve in a review", Group: "Notes and reviews"},
		{Permission: TimelogRead, Title: "Read the time that others logged", Group: "Time"},
		{Permission: TimelogCreate, Title: "Log time", Group: "Time"},
		{Permission: TimelogUpdate, Title: "Edit logged time", Group: "Time"},
		{Permission: TimelogDelete, Title: "Delete logged time", Group: "Time"},
		{Permission: ReportRead, Title: "Read reports on time", Group: "Time"},
	}
}

func objectPermissions() []rolecall.PermissionDecl {
	decls := []rolecall.PermissionDecl{
		{Permission: TaskAssignSelf, Title: "Take a task oneself", Group: "Tasks"},
	}
	for _, object := range objectKinds() {
		for _, action := range objectActions() {
			decls = append(decls, rolecall.PermissionDecl{
				Permission: rolecall.NewPermission(string(object.kind) + "." + action[0]),
				Title:      fmt.Sprintf(action[1], object.article),
				Group:      object.heading,
			})
		}
	}
	return decls
}

func scopeKinds() []rolecall.ScopeKindDecl {
	kinds := []rolecall.ScopeKindDecl{
		{Kind: "project", Title: "Project"},
		{Kind: "list", Title: "List"},
		{Kind: "asset", Title: "Asset"},
		{Kind: "version", Title: "Version"},
		{Kind: "review", Title: "Review session"},
		{Kind: "dashboard", Title: "Dashboard"},
	}
	for _, object := range objectKinds() {
		kinds = append(kinds, rolecall.ScopeKindDecl{Kind: object.kind, Title: object.heading})
	}
	return kinds
}
