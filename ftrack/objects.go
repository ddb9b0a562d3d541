package ftrack

import "github.com/rolecall-go/rolecall"

// The permissions on the objects of a project, the same for each kind of object. Moving an object takes the permission
// to move it where it is and the permission to create one where it goes.
var (
	FolderView            = rolecall.NewPermission("folder.view")
	FolderCreate          = rolecall.NewPermission("folder.create")
	FolderUpdate          = rolecall.NewPermission("folder.update")
	FolderDelete          = rolecall.NewPermission("folder.delete")
	FolderMove            = rolecall.NewPermission("folder.move")
	FolderStatusUpdate    = rolecall.NewPermission("folder.status.update")
	FolderAssign          = rolecall.NewPermission("folder.assign")
	FolderUnassign        = rolecall.NewPermission("folder.unassign")
	FolderLink            = rolecall.NewPermission("folder.link")
	FolderThumbnailUpdate = rolecall.NewPermission("folder.thumbnail.update")

	EpisodeView            = rolecall.NewPermission("episode.view")
	EpisodeCreate          = rolecall.NewPermission("episode.create")
	EpisodeUpdate          = rolecall.NewPermission("episode.update")
	EpisodeDelete          = rolecall.NewPermission("episode.delete")
	EpisodeMove            = rolecall.NewPermission("episode.move")
	EpisodeStatusUpdate    = rolecall.NewPermission("episode.status.update")
	EpisodeAssign          = rolecall.NewPermission("episode.assign")
	EpisodeUnassign        = rolecall.NewPermission("episode.unassign")
	EpisodeLink            = rolecall.NewPermission("episode.link")
	EpisodeThumbnailUpdate = rolecall.NewPermission("episode.thumbnail.update")

	SequenceView            = rolecall.NewPermission("sequence.view")
	SequenceCreate          = rolecall.NewPermission("sequence.create")
	SequenceUpdate          = rolecall.NewPermission("sequence.update")
	SequenceDelete          = rolecall.NewPermission("sequence.delete")
	SequenceMove            = rolecall.NewPermission("sequence.move")
	SequenceStatusUpdate    = rolecall.NewPermission("sequence.status.update")
	SequenceAssign          = rolecall.NewPermission("sequence.assign")
	SequenceUnassign        = rolecall.NewPermission("sequence.unassign")
	SequenceLink            = rolecall.NewPermission("sequence.link")
	SequenceThumbnailUpdate = rolecall.NewPermission("sequence.thumbnail.update")

	ShotView            = rolecall.NewPermission("shot.view")
	ShotCreate          = rolecall.NewPermission("shot.create")
	ShotUpdate          = rolecall.NewPermission("shot.update")
	ShotDelete          = rolecall.NewPermission("shot.delete")
	ShotMove            = rolecall.NewPermission("shot.move")
	ShotStatusUpdate    = rolecall.NewPermission("shot.status.update")
	ShotAssign          = rolecall.NewPermission("shot.assign")
	ShotUnassign        = rolecall.NewPermission("shot.unassign")
	ShotLink            = rolecall.NewPermission("shot.link")
	ShotThumbnailUpdate = rolecall.NewPermission("shot.thumbnail.update")

	AssetBuildView            = rolecall.NewPermission("assetbuild.view")
	AssetBuildCreate          = rolecall.NewPermission("assetbuild.create")
	AssetBuildUpdate          = rolecall.NewPermission("assetbuild.update")
	AssetBuildDelete          = rolecall.NewPermission("assetbuild.delete")
	AssetBuildMove            = rolecall.NewPermission("assetbuild.move")
	AssetBuildStatusUpdate    = rolecall.NewPermission("assetbuild.status.update")
	AssetBuildAssign          = rolecall.NewPermission("assetbuild.assign")
	AssetBuildUnassign        = rolecall.NewPermission("assetbuild.unassign")
	AssetBuildLink            = rolecall.NewPermission("assetbuild.link")
	AssetBuildThumbnailUpdate = rolecall.NewPermission("assetbuild.thumbnail.update")

	SceneView            = rolecall.NewPermission("scene.view")
	SceneCreate          = rolecall.NewPermission("scene.create")
	SceneUpdate          = rolecall.NewPermission("scene.update")
	SceneDelete          = rolecall.NewPermission("scene.delete")
	SceneMove            = rolecall.NewPermission("scene.move")
	SceneStatusUpdate    = rolecall.NewPermission("scene.status.update")
	SceneAssign          = rolecall.NewPermission("scene.assign")
	SceneUnassign        = rolecall.NewPermission("scene.unassign")
	SceneLink            = rolecall.NewPermission("scene.link")
	SceneThumbnailUpdate = rolecall.NewPermission("scene.thumbnail.update")

	CampaignView            = rolecall.NewPermission("campaign.view")
	CampaignCreate          = rolecall.NewPermission("campaign.create")
	CampaignUpdate          = rolecall.NewPermission("campaign.update")
	CampaignDelete          = rolecall.NewPermission("campaign.delete")
	CampaignMove            = rolecall.NewPermission("campaign.move")
	CampaignStatusUpdate    = rolecall.NewPermission("campaign.status.update")
	CampaignAssign          = rolecall.NewPermission("campaign.assign")
	CampaignUnassign        = rolecall.NewPermission("campaign.unassign")
	CampaignLink            = rolecall.NewPermission("campaign.link")
	CampaignThumbnailUpdate = rolecall.NewPermission("campaign.thumbnail.update")

	ImageView            = rolecall.NewPermission("image.view")
	ImageCreate          = rolecall.NewPermission("image.create")
	ImageUpdate          = rolecall.NewPermission("image.update")
	ImageDelete          = rolecall.NewPermission("image.delete")
	ImageMove            = rolecall.NewPermission("image.move")
	ImageStatusUpdate    = rolecall.NewPermission("image.status.update")
	ImageAssign          = rolecall.NewPermission("image.assign")
	ImageUnassign        = rolecall.NewPermission("image.unassign")
	ImageLink            = rolecall.NewPermission("image.link")
	ImageThumbnailUpdate = rolecall.NewPermission("image.thumbnail.update")

	InformationView            = rolecall.NewPermission("information.view")
	InformationCreate          = rolecall.NewPermission("information.create")
	InformationUpdate          = rolecall.NewPermission("information.update")
	InformationDelete          = rolecall.NewPermission("information.delete")
	InformationMove            = rolecall.NewPermission("information.move")
	InformationStatusUpdate    = rolecall.NewPermission("information.status.update")
	InformationAssign          = rolecall.NewPermission("information.assign")
	InformationUnassign        = rolecall.NewPermission("information.unassign")
	InformationLink            = rolecall.NewPermission("information.link")
	InformationThumbnailUpdate = rolecall.NewPermission("information.thumbnail.update")

	MilestoneView            = rolecall.NewPermission("milestone.view")
	MilestoneCreate          = rolecall.NewPermission("milestone.create")
	MilestoneUpdate          = rolecall.NewPermission("milestone.update")
	MilestoneDelete          = rolecall.NewPermission("milestone.delete")
	MilestoneMove            = rolecall.NewPermission("milestone.move")
	MilestoneStatusUpdate    = rolecall.NewPermission("milestone.status.update")
	MilestoneAssign          = rolecall.NewPermission("milestone.assign")
	MilestoneUnassign        = rolecall.NewPermission("milestone.unassign")
	MilestoneLink            = rolecall.NewPermission("milestone.link")
	MilestoneThumbnailUpdate = rolecall.NewPermission("milestone.thumbnail.update")

	TaskView            = rolecall.NewPermission("task.view")
	TaskCreate          = rolecall.NewPermission("task.create")
	TaskUpdate          = rolecall.NewPermission("task.update")
	TaskDelete          = rolecall.NewPermission("task.delete")
	TaskMove            = rolecall.NewPermission("task.move")
	TaskStatusUpdate    = rolecall.NewPermission("task.status.update")
	TaskAssign          = rolecall.NewPermission("task.assign")
	TaskUnassign        = rolecall.NewPermission("task.unassign")
	TaskLink            = rolecall.NewPermission("task.link")
	TaskThumbnailUpdate = rolecall.NewPermission("task.thumbnail.update")
	TaskAssignSelf      = rolecall.NewPermission("task.assign.self")
)

// An objectKind is a kind of object that lives in a project, with the words that people see.
type objectKind struct {
	kind    rolecall.ScopeKind
	article string // "a shot"
	heading string // "Shots"
}

// objectKinds lists the kinds of object, which are kinds of scope too.
func objectKinds() []objectKind {
	return []objectKind{
		{"folder", "a folder", "Folders"},
		{"episode", "an episode", "Episodes"},
		{"sequence", "a sequence", "Sequences"},
		{"shot", "a shot", "Shots"},
		{"assetbuild", "an asset build", "Asset builds"},
		{"scene", "a scene", "Scenes"},
		{"campaign", "a campaign", "Campaigns"},
		{"image", "an image", "Images"},
		{"information", "an information object", "Information"},
		{"milestone", "a milestone", "Milestones"},
		{"task", "a task", "Tasks"},
	}
}

// objectActions lists what is done to an object: the end of the permission's name, and the title with a %s for what.
func objectActions() [][2]string {
	return [][2]string{
		{"view", "See %s"},
		{"create", "Create %s"},
		{"update", "Edit %s"},
		{"delete", "Delete %s"},
		{"move", "Move %s to another parent"},
		{"status.update", "Change the status of %s"},
		{"assign", "Assign people to %s"},
		{"unassign", "Take people off %s"},
		{"link", "Link %s to what it depends on"},
		{"thumbnail.update", "Change the thumbnail of %s"},
	}
}
