package ftrack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

// everyRole returns a policy in which somebody holds each role on all open projects, or in a review.
func everyRole(t *testing.T, d rolecall.Declarations) *rolecall.Snapshot {
	t.Helper()
	var statements []rolecall.Statement
	for _, role := range ftrack.Roles() {
		statements = append(statements, role, grant(holder(role.Name), role.Name, place(role.Name)))
	}
	return load(t, d, statements...).At(now)
}

func holder(role rolecall.RoleName) rolecall.Subject {
	switch role {
	case ftrack.API:
		return key
	case ftrack.ClientGuest:
		return guest
	}
	return rolecall.User(string(role))
}

func place(role rolecall.RoleName) rolecall.Scope {
	if role == ftrack.ClientGuest {
		return review
	}
	return ftrack.AllOpenProjects()
}

// A row of the factory matrix: what a role may do always, and what it may not do even on assigned work.
func TestFactoryMatrix(t *testing.T) {
	s := everyRole(t, ftrack.Declarations())
	// R restricted user, U user, C coordinator, P project manager, A administrator, K API: a letter where allowed, in
	// lower case where it is on assigned work only.
	for _, row := range []struct {
		permission rolecall.Permission
		want       string
	}{
		{ftrack.SettingsManage, "A"},
		{ftrack.RoleRead, "A"},
		{ftrack.UserView, "RUCPAK"},
		{ftrack.UserCreate, "A"},
		{ftrack.UserAssume, "A"},
		{ftrack.ProjectCreate, "CPAK"},
		{ftrack.SchemaManage, "A"},
		{ftrack.DashboardShare, "UCPAK"},
		{ftrack.TimelogRead, "CPAK"},
		{ftrack.ProjectView, "rUCPAK"},
		{ftrack.ProjectUpdate, "CPAK"},
		{ftrack.ProjectDelete, "PAK"},
		{ftrack.ProjectTeamManage, "CPAK"},
		{ftrack.ShotView, "rUCPAK"},
		{ftrack.ShotCreate, "CPAK"},
		{ftrack.ShotDelete, "PAK"},
		{ftrack.ShotMove, "CPAK"},
		{ftrack.TaskStatusUpdate, "rUCPAK"},
		{ftrack.TaskAssign, "CPAK"},
		{ftrack.TaskAssignSelf, "UCPAK"},
		{ftrack.TaskThumbnailUpdate, "rUCPAK"},
		{ftrack.ListCreate, "UCPAK"},
		{ftrack.PhaseCreate, "CPAK"},
		{ftrack.VersionPublish, "UCPAK"}, // the restricted user's with the freelancer's role only
		{ftrack.VersionStatusUpdate, "UCPAK"},
		{ftrack.VersionDelete, "PAK"},
		{ftrack.ComponentDownload, "rUCPAK"},
		{ftrack.NoteCreate, "rUCPAK"},
		{ftrack.ReviewView, "rUCPAK"},
		{ftrack.ReviewCreate, "CPAK"},
		{ftrack.ReviewApprove, "UCPAK"},
		{rolecall.GrantCreate, "PA"},
		{rolecall.OverrideDelete, "PA"},
		{rolecall.ScopePrivate, "PA"},
		{rolecall.RoleCreate, "A"},
		{rolecall.MemberAdd, "A"},
		{rolecall.Escalate, "A"},
		{rolecall.ConstraintUpdate, "A"},
	} {
		got := ""
		for _, role := range []struct {
			letter string
			name   rolecall.RoleName
		}{
			{"R", ftrack.RestrictedUser}, {"U", ftrack.User}, {"C", ftrack.Coordinator}, {"P", ftrack.ProjectManager},
			{"A", ftrack.Administrator}, {"K", ftrack.API},
		} {
			always := s.Check(holder(role.name), row.permission, shot) == nil
			assigned := s.Check(holder(role.name), row.permission, shot, rolecall.Given{ftrack.Assigned}) == nil
			switch {
			case always:
				got += role.letter
			case assigned:
				got += strings.ToLower(role.letter)
			}
		}
		if got != row.want {
			t.Errorf("%s: allowed to %q, want %q", row.permission, got, row.want)
		}
	}
}

// What the roles beside the factory roles are for.
func TestPresets(t *testing.T) {
	s := everyRole(t, ftrack.Declarations())
	for _, row := range []struct {
		role       rolecall.RoleName
		permission rolecall.Permission
		facts      rolecall.Given
		want       bool
	}{
		{ftrack.ReviewerInternal, ftrack.ReviewApprove, nil, true},
		{ftrack.ReviewerInternal, ftrack.VersionPublish, nil, false},
		{ftrack.DepartmentLead, ftrack.TaskAssign, rolecall.Given{ftrack.OwnDepartment}, true},
		{ftrack.DepartmentLead, ftrack.TaskAssign, nil, false},
		{ftrack.Coordinator, ftrack.NoteDelete, rolecall.Given{ftrack.Own}, true},
		{ftrack.Freelancer, ftrack.VersionPublish, rolecall.Given{ftrack.Assigned}, true},
		{ftrack.Freelancer, ftrack.VersionPublish, nil, false},
		{ftrack.VendorArtist, ftrack.VersionView, rolecall.Given{ftrack.OwnGroup}, true},
		{ftrack.VendorArtist, ftrack.VersionView, nil, false},
		{ftrack.VendorArtist, ftrack.NoteView, rolecall.Given{ftrack.Addressee}, true},
		{ftrack.VendorLead, ftrack.TaskAssign, rolecall.Given{ftrack.OwnGroup}, true},
		{ftrack.VendorLead, ftrack.TaskAssign, rolecall.Given{ftrack.Assigned}, false},
		{ftrack.VendorLead, ftrack.ProjectView, nil, true},
		{ftrack.SecurityAuditor, ftrack.AuditRead, nil, true},
		{ftrack.SecurityAuditor, ftrack.RoleRead, nil, true},
		{ftrack.SecurityAuditor, ftrack.NoteCreate, nil, false},
		{ftrack.SecurityAuditor, rolecall.GrantCreate, nil, false},
	} {
		err := s.Check(holder(row.role), row.permission, shot, row.facts)
		if (err == nil) != row.want {
			t.Errorf("%s %s given %v: got %v, want allowed %t", row.role, row.permission, row.facts, err, row.want)
		}
	}
}

// A personal API key has all the rights of its user, so that whoever reads it may act as them: nobody reads that of
// somebody else because they may read.
func TestPersonalKeysAreNotReadByReading(t *testing.T) {
	s := everyRole(t, ftrack.Declarations())
	others := rolecall.Given{ftrack.Assigned, ftrack.AssignedInside, ftrack.OwnGroup, ftrack.OwnDepartment, ftrack.Addressee}
	for _, role := range ftrack.Roles() {
		want := role.Name == ftrack.Administrator
		if err := s.Check(holder(role.Name), ftrack.UserKeyRead, rolecall.Global(), others); (err == nil) != want {
			t.Errorf("%s %s of somebody else: got %v, want allowed %t", role.Name, ftrack.UserKeyRead, err, want)
		}
	}
	for _, role := range []rolecall.RoleName{ftrack.RestrictedUser, ftrack.User} {
		if err := s.Check(holder(role), ftrack.UserKeyRead, rolecall.Global(), rolecall.Given{ftrack.Own}); err != nil {
			t.Errorf("%s %s of their own: %v, want allowed", role, ftrack.UserKeyRead, err)
		}
	}
}

// Who looks as another user sees every view and read of the preset, attributes included, but no key; what a host
// declares itself is seen where it is named.
func TestReadOnly(t *testing.T) {
	d := ftrack.Declarations()
	d.Permissions = append(d.Permissions, ftrack.AttributeDeclarations(budget, ftrack.Attribute{Key: "camera.lens"})...)
	d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: rolecall.NewPermission("invoice.read")})
	all := rolecall.Role{Name: "all", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*", "rolecall.*"}}}}
	s := load(t, d, all, grant(ulf, "all", open)).At(now)
	for _, row := range []struct {
		narrow rolecall.Narrowing
		hidden []string
	}{
		{ftrack.ReadOnly(), []string{"user.apikey.read", "invoice.read"}},
		{ftrack.ReadOnly("invoice.read"), []string{"user.apikey.read"}},
	} {
		view, err := s.For(ulf, &rolecall.ViewOptions{Actor: ada, Narrow: row.narrow})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Permissions {
			name := p.Permission.String()
			want := (strings.HasSuffix(name, ".view") || strings.HasSuffix(name, ".read")) && !slices.Contains(row.hidden, name)
			if err := view.Check(p.Permission, shot); (err == nil) != want {
				t.Errorf("%s narrowed to %v: got %v, want allowed %t", name, row.narrow, err, want)
			}
		}
	}
}

// Nobody else's are an attribute and a status that were declared later; the auditor reads every attribute.
func TestLaterPermissionsAreNobodys(t *testing.T) {
	d := ftrack.Declarations()
	d.Permissions = append(d.Permissions, ftrack.AttributeDeclarations(budget)...)
	d.Permissions = append(d.Permissions, anim.Declarations().Permissions...)
	s := everyRole(t, d)
	all := rolecall.Given{ftrack.Assigned, ftrack.AssignedInside, ftrack.Own, ftrack.OwnGroup, ftrack.OwnDepartment, ftrack.Addressee}
	for _, p := range []rolecall.Permission{budget.Read(), budget.Write(), anim.Set("done")} {
		var want []rolecall.Subject
		if p == budget.Read() {
			want = append(want, holder(ftrack.SecurityAuditor))
		}
		got, everyone, err := s.Who(p, shot, all)
		if diff := cmp.Diff(want, got, cmp.Comparer(equal[rolecall.Subject])); diff != "" || everyone || err != nil {
			t.Errorf("Who(%s): everyone %t, error %v (-want +got):\n%s", p, everyone, err, diff)
		}
	}
}

// A coordinator has what a project manager has, less deleting and less managing access.
func TestCoordinatorIsManagerWithout(t *testing.T) {
	s := everyRole(t, ftrack.Declarations())
	coordinator, manager := mayDo(t, s, ftrack.Coordinator), mayDo(t, s, ftrack.ProjectManager)
	for p := range coordinator {
		if !manager[p] {
			t.Errorf("a coordinator may %s, a project manager may not", p)
		}
	}
	for p := range manager {
		kept := strings.HasPrefix(p.String(), "note.") || strings.HasPrefix(p.String(), "timelog.")
		less := strings.HasSuffix(p.String(), ".delete") && !kept || strings.HasPrefix(p.String(), "rolecall.")
		if coordinator[p] == less {
			t.Errorf("a project manager may %s; a coordinator %t, want %t", p, coordinator[p], !less)
		}
	}
}

func mayDo(t *testing.T, s *rolecall.Snapshot, role rolecall.RoleName) map[rolecall.Permission]bool {
	t.Helper()
	view, err := s.For(holder(role), nil)
	if err != nil {
		t.Fatalf("For(%s): %v", role, err)
	}
	permissions, err := view.Permissions(shot, nil)
	if err != nil {
		t.Fatalf("Permissions of %s: %v", role, err)
	}
	may := map[rolecall.Permission]bool{}
	for _, p := range permissions {
		may[p] = true
	}
	return may
}
