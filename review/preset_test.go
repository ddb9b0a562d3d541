package review_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
	"github.com/rolecall-go/rolecall/review"
)

func allow(patterns ...rolecall.Pattern) rolecall.Rule {
	return rolecall.Rule{Effect: rolecall.Allow, Patterns: patterns}
}

// The preset of the tests: leads and artists view, artists update.
var preset = []rolecall.Role{
	{Name: "lead", Title: "Lead", Inherits: []rolecall.RoleName{"artist"}, Rules: []rolecall.Rule{allow("rolecall.grant.create")}},
	{Name: "artist", Inherits: []rolecall.RoleName{"viewer"}, Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.update"}, When: "assigned"}}},
	{Name: "viewer", Holders: []rolecall.SubjectKind{rolecall.KindUser}, Rules: []rolecall.Rule{allow("task.view")}},
}

// A studio that widened the viewer, deleted the lead, and left the artist as it was.
func drifted(t testing.TB) *rolecall.Snapshot {
	viewer := preset[2]
	viewer.Title, viewer.Rules = "Spectator", []rolecall.Rule{allow("*.view")}
	return snapshotOf(t, preset[1], viewer)
}

func TestCompareWithPreset(t *testing.T) {
	list, err := review.CompareWithPreset(drifted(t), preset)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprintf("%s: -%q +%q gained %v lost %v, same %t", c.Name, c.Removed, c.Added, c.Gained, c.Lost, c.Same()))
	}
	want := []string{
		`lead: -["role lead \"Lead\"" "inherits artist" "allow rolecall.grant.create"] +[] gained [] lost [rolecall.grant.create task.update when assigned task.view], same false`,
		`artist: -[] +[] gained [shot.view] lost [], same false`,
		`viewer: -["role viewer holders user" "allow task.view"] +["role viewer \"Spectator\" holders user" "allow *.view"] gained [shot.view] lost [], same false`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Roles have no windows, so that no instant is needed; what the preset cannot say is told.
func TestCompareWithAnyPreset(t *testing.T) {
	s := drifted(t)
	want, err := review.CompareWithPreset(s, preset)
	if err != nil {
		t.Fatal(err)
	}
	got, err := review.CompareWithPreset(s.At(time.Time{}), preset)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("CompareWithPreset at no instant: %v, %v; want %v", got, err, want)
	}
	for name, c := range map[string]struct {
		role rolecall.Role
		want error
	}{
		"from outside of it":  {rolecall.Role{Name: "lead", Inherits: []rolecall.RoleName{"artist"}}, rolecall.ErrUnknown},
		"of what is unknown":  {rolecall.Role{Name: "lead", Rules: []rolecall.Rule{allow("task.gone")}}, rolecall.ErrUnknown},
		"without a good name": {rolecall.Role{Name: "a lead!"}, rolecall.ErrInvalid},
	} {
		if list, err := review.CompareWithPreset(s, []rolecall.Role{c.role}); !errors.Is(err, c.want) || list != nil {
			t.Errorf("CompareWithPreset of a role %s: %v, %v; want %s", name, list, err, c.want)
		}
	}
}

// A role is compared with what it inherits from, whatever else there is: of twice the roles it takes about twice the work.
func TestCompareWithLargePreset(t *testing.T) {
	work := func(n int) float64 {
		var roles []rolecall.Role
		var says []rolecall.Statement
		for i := range n {
			r := rolecall.Role{Name: rolecall.RoleName(fmt.Sprint("role", i)), Rules: []rolecall.Rule{allow("task.view")}}
			roles, says = append(roles, r), append(says, r)
		}
		s := snapshotOf(t, says...)
		return testing.AllocsPerRun(1, func() {
			if list, err := review.CompareWithPreset(s, roles); err != nil || len(list) != n || !list[n-1].Same() {
				t.Errorf("CompareWithPreset of %d roles: %v, %v; want all the same", n, list, err)
			}
		})
	}
	if once, twice := work(50), work(100); twice > 3*once {
		t.Errorf("CompareWithPreset allocates %v times for 50 roles and %v times for 100, want about twice as often", once, twice)
	}
}

// After the edits of Restore every role of the preset is as it was, and a second call has nothing to do.
func TestRestore(t *testing.T) {
	s := drifted(t)
	for _, c := range []struct {
		names []rolecall.RoleName
		want  []string // what is put
	}{
		{nil, []string{"lead", "viewer"}},
		{[]rolecall.RoleName{"viewer"}, []string{"viewer"}},
		{[]rolecall.RoleName{"lead"}, []string{"lead"}}, // it inherits from one that is there, and is left alone
		{[]rolecall.RoleName{"artist", "artist"}, nil},
	} {
		edits, err := review.Restore(s, preset, c.names...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range edits {
			got = append(got, string(e.Statement.(rolecall.Role).Name))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("Restore(%v): -want +got:\n%s", c.names, diff)
		}
	}
	edits, err := review.Restore(snapshotOf(t), preset, "lead")
	if err != nil || len(edits) != 3 {
		t.Errorf("Restore(lead) of an empty policy: %v, %v; want the three roles that it takes", edits, err)
	}
	if _, err := review.Restore(s, preset, "ghost"); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Restore(ghost): %v, want %s", err, rolecall.ErrUnknown)
	}
	outside := []rolecall.Role{{Name: "chief", Inherits: []rolecall.RoleName{"ghost"}}}
	if _, err := review.Restore(s, outside); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Restore of an heir of ghost: %v, want %s", err, rolecall.ErrUnknown)
	}
	outside[0].Inherits[0] = "viewer"
	if edits, err := review.Restore(s, outside); err != nil || len(edits) != 1 {
		t.Errorf("Restore of an heir of a role that is there: %v, %v; want one edit", edits, err)
	}
}

func TestRestoredIsThePreset(t *testing.T) {
	s := drifted(t)
	edits, err := review.Restore(s, preset)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Propose(rolecall.Change{Edits: edits})
	if err != nil {
		t.Fatal(err)
	}
	list, err := review.CompareWithPreset(p.Next(), preset)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(list, func(c review.RoleComparison) bool { return !c.Same() }); i >= 0 {
		t.Errorf("after Restore %s differs: %+v", list[i].Name, list[i])
	}
	if edits, err := review.Restore(p.Next(), preset); err != nil || edits != nil {
		t.Errorf("Restore again: %v, %v; want nothing to do", edits, err)
	}
}

func TestClone(t *testing.T) {
	s := drifted(t)
	edits, err := review.Clone(s, "artist", "matte_painter", "Matte painter")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Propose(rolecall.Change{Edits: edits})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := p.Next().Role("matte_painter")
	want := preset[1]
	want.Name, want.Title = "matte_painter", "Matte painter"
	if !rolecall.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := review.Clone(s, "ghost", "new", ""); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Clone(ghost): %v, want %s", err, rolecall.ErrUnknown)
	}
	if _, err := review.Clone(s, "artist", "viewer", ""); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Clone to a name that is taken: %v, want %s", err, rolecall.ErrInvalid)
	}
}

// A workspace that begins with the factory roles is as its preset has it.
func TestFactoryRoles(t *testing.T) {
	c, err := rolecall.NewCatalog(ftrack.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	empty, err := rolecall.NewSnapshot(c)
	if err != nil {
		t.Fatal(err)
	}
	empty = empty.At(day(1))
	edits, err := review.Restore(empty, ftrack.Roles())
	if err != nil {
		t.Fatal(err)
	}
	p, err := empty.Propose(rolecall.Change{Edits: edits})
	if err != nil {
		t.Fatal(err)
	}
	list, err := review.CompareWithPreset(p.Next(), ftrack.Roles())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(ftrack.Roles()) || slices.ContainsFunc(list, func(c review.RoleComparison) bool { return !c.Same() }) {
		t.Errorf("got %+v, want %d roles that are as the preset has them", list, len(ftrack.Roles()))
	}
}
