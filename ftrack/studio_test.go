package ftrack_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

// census is a studio counted the way ftrack would: a grant with a list of projects is one grant of many rows.
type census struct {
	Staff, Suspended, Services, Guests                                                int
	Groups, Memberships, Depth                                                        int
	Projects, Private                                                                 int
	Roles                                                                             int
	DirectGrants, GroupGrants, Eligible, AllOpen, Lists, Rows, Expiring, KeyGrantRows int
	Attributes, Workflows                                                             int
}

type holding struct {
	who  rolecall.Subject
	role rolecall.RoleName
}

func count(w *ftrack.World) census {
	c := census{
		Staff: len(w.Staff), Attributes: len(w.Attributes), Workflows: len(w.Workflows),
		Projects: len(w.Open) + len(w.Private),
	}
	groups, services, guests := map[rolecall.Subject]bool{}, map[rolecall.Subject]bool{}, map[rolecall.Subject]bool{}
	lists, expiring := map[holding]bool{}, map[holding]bool{}
	parents := map[rolecall.Subject][]rolecall.Subject{}
	for _, statement := range w.Statements {
		switch st := statement.(type) {
		case rolecall.Role:
			c.Roles++
		case rolecall.Suspension:
			c.Suspended++
		case rolecall.PrivateScope:
			c.Private++
		case rolecall.Membership:
			groups[st.Group] = true
			if st.Member.IsGroup() {
				groups[st.Member] = true
				parents[st.Member] = append(parents[st.Member], st.Group)
			} else {
				c.Memberships++
			}
		case rolecall.Grant:
			h := holding{st.Subject, st.Role}
			switch {
			case st.Subject.Kind() == rolecall.KindGuest:
				guests[st.Subject] = true
				continue
			case st.Subject.Kind() == rolecall.KindService:
				services[st.Subject] = true
				if strings.HasPrefix(st.Subject.ID(), "key-") {
					c.KeyGrantRows++
					continue
				}
			case st.Eligible:
				c.Eligible++
				continue
			}
			if !st.NotAfter.IsZero() {
				expiring[h] = true
			}
			if !st.Scope.IsGlobal() {
				c.Rows++
				if lists[h] {
					continue
				}
				lists[h] = true
			} else {
				c.AllOpen++
			}
			if st.Subject.IsGroup() {
				c.GroupGrants++
			} else {
				c.DirectGrants++
			}
		}
	}
	c.Groups, c.Services, c.Guests, c.Lists, c.Expiring = len(groups), len(services), len(guests), len(lists), len(expiring)
	for g := range groups {
		c.Depth = max(c.Depth, depth(g, parents))
	}
	return c
}

func depth(g rolecall.Subject, parents map[rolecall.Subject][]rolecall.Subject) int {
	deepest := 0
	for _, p := range parents[g] {
		deepest = max(deepest, depth(p, parents))
	}
	return deepest + 1
}

// The numbers are those of the three data sets. Guests are share links too; the roles include that of guests; services
// are pipelines and keys.
func TestStudioNumbers(t *testing.T) {
	for _, test := range []struct {
		name string
		size ftrack.Size
		want census
	}{
		{"small", ftrack.Small, census{
			Staff: 20, Suspended: 11, Services: 3 + 2, Guests: 15, Groups: 6, Memberships: 31, Depth: 2,
			Projects: 9, Private: 2, Roles: 5 + 2 + 1,
			DirectGrants: 27, AllOpen: 16, Lists: 11, Rows: 24, Expiring: 4, KeyGrantRows: 2 + 2, Attributes: 30,
		}},
		{"mid", ftrack.Mid, census{
			Staff: 400, Suspended: 260, Services: 12 + 22, Guests: 350 + 40, Groups: 74, Memberships: 1150, Depth: 4,
			Projects: 60, Private: 22, Roles: 5 + 9, DirectGrants: 520, GroupGrants: 60, Eligible: 380,
			AllOpen: 370, Lists: 210, Rows: 2300, Expiring: 55, KeyGrantRows: 22 + 6*5, Attributes: 140, Workflows: 4,
		}},
		{"large", ftrack.Large, census{
			Staff: 3900, Suspended: 4800, Services: 60 + 160, Guests: 4000, Groups: 430, Memberships: 14500, Depth: 6,
			Projects: 140, Private: 72, Roles: 5 + 38, DirectGrants: 5600, GroupGrants: 1100, Eligible: 4500,
			AllOpen: 3100, Lists: 3600, Rows: 52000, Expiring: 1900, KeyGrantRows: 160 + 35*5, Attributes: 420, Workflows: 11,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := count(ftrack.Studio(test.size, 1))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Studio(%s, 1) has other numbers (-want +got):\n%s", test.name, diff)
			}
		})
	}
}

func text(w *ftrack.World) string {
	var b strings.Builder
	for _, st := range w.Statements {
		b.WriteString(st.String())
		b.WriteByte('\n')
	}
	return b.String()
}

func TestStudioIsDeterministic(t *testing.T) {
	first, again, other := ftrack.Studio(ftrack.Mid, 7), ftrack.Studio(ftrack.Mid, 7), ftrack.Studio(ftrack.Mid, 8)
	if text(first) != text(again) {
		t.Error("Studio(Mid, 7) differs from Studio(Mid, 7)")
	}
	if diff := cmp.Diff(first.Page(500), again.Page(500), cmp.Comparer(equal[rolecall.Scope]), cmp.Comparer(equal[rolecall.Subject])); diff != "" {
		t.Errorf("Page(500) differs between two worlds of one seed:\n%s", diff)
	}
	if text(first) == text(other) {
		t.Error("Studio(Mid, 7) is the same as Studio(Mid, 8), want another seed to give another studio")
	}
}

func equal[T comparable](a, b T) bool { return a == b }

// load is for policies that must be valid.
func load(t testing.TB, d rolecall.Declarations, statements ...rolecall.Statement) *rolecall.Snapshot {
	t.Helper()
	catalog, err := rolecall.NewCatalog(d)
	if err != nil {
		t.Fatalf("NewCatalog: %v", err)
	}
	snapshot, err := rolecall.NewSnapshot(catalog, statements...)
	if err != nil {
		t.Fatalf("NewSnapshot: %v", err)
	}
	return snapshot
}

// A studio is a valid policy that says nothing twice, and its cast is what the documentation of Cast promises.
func TestStudioLoads(t *testing.T) {
	for _, size := range []ftrack.Size{ftrack.Small, ftrack.Mid, ftrack.Large} {
		w := ftrack.Studio(size, 1)
		c := w.Cast
		midnight := time.Date(2026, time.March, 3, 0, 0, 0, 0, time.UTC)
		snapshot := load(t, w.Declarations, w.Statements...).At(w.Now)
		kept := 0
		for range snapshot.Statements() {
			kept++
		}
		if kept != len(w.Statements) {
			t.Errorf("a studio of size %d says %d different things, want %d: it repeats itself", size, kept, len(w.Statements))
		}
		for _, ask := range []struct {
			who        rolecall.Subject
			permission rolecall.Permission
			at         rolecall.Scope
			now        time.Time
			want       rolecall.Reason
		}{
			{c.Artist, ftrack.TaskView, c.Task, w.Now, rolecall.Granted},
			{c.Manager, rolecall.GrantCreate, c.Backlot, w.Now, rolecall.Granted},
			{c.Outsider, ftrack.ProjectView, c.Backlot, w.Now, rolecall.NothingSaid},
			{c.Administrator, ftrack.ProjectView, c.Backlot, w.Now, rolecall.Private},
			{c.Administrator, ftrack.ProjectView, w.Open[0], w.Now, rolecall.Granted},
			{c.Freelancer, ftrack.UserView, c.Contract.Scope, w.Now, rolecall.Granted},
			{c.Freelancer, ftrack.UserView, c.Contract.Scope, midnight, rolecall.OutsideWindow},
			{c.Key, ftrack.ShotCreate, w.Open[0], w.Now, rolecall.Granted},
			{c.Key, ftrack.ShotCreate, c.Backlot, w.Now, rolecall.Private},
			{c.Guest, ftrack.ReviewView, c.Review, w.Now, rolecall.Granted},
			{c.Guest, ftrack.ReviewView, c.Backlot, w.Now, rolecall.NothingSaid},
		} {
			d, err := snapshot.Decide(rolecall.Request{Subject: ask.who, Permission: ask.permission, Scope: ask.at, Now: ask.now})
			if err != nil || d.Reason() != ask.want {
				t.Errorf("size %d: %s %s at %s on %s: got %q, error %v, want %q", size, ask.who, ask.permission, ask.at,
					rolecall.FormatTime(ask.now), d.Reason(), err, ask.want)
			}
		}
		if c.Contract.NotAfter != midnight {
			t.Errorf("size %d: the contract ends at %s, want %s", size, c.Contract.NotAfter, midnight)
		}
	}
}

// A grant ends in every week of the four months ahead, about as many in each.
func TestStudioExpirySpread(t *testing.T) {
	w := ftrack.Studio(ftrack.Large, 1)
	weeks := map[int]map[holding]bool{}
	for _, st := range w.Statements {
		if g, ok := st.(rolecall.Grant); ok && !g.NotAfter.IsZero() && g.Subject.Kind() != rolecall.KindGuest {
			week := int(g.NotAfter.Sub(w.Now.Truncate(24*time.Hour)) / (7 * 24 * time.Hour))
			if weeks[week] == nil {
				weeks[week] = map[holding]bool{}
			}
			weeks[week][holding{g.Subject, g.Role}] = true
		}
	}
	for week := 1; week < 16; week++ {
		if n := len(weeks[week]); n < 110 || n > 130 {
			t.Errorf("week %d: %d grants end, want about 120", week, n)
		}
	}
}

// Some people of the large studio are in twenty groups and more, and some groups have two ways to the top.
func TestLargeStudioShapes(t *testing.T) {
	w := ftrack.Studio(ftrack.Large, 1)
	of := map[rolecall.Subject]int{}
	for _, st := range w.Statements {
		if m, ok := st.(rolecall.Membership); ok {
			of[m.Member]++
		}
	}
	crowded, diamonds := 0, 0
	for member, n := range of {
		if member.IsGroup() && n > 1 {
			diamonds++
		}
		if !member.IsGroup() && n >= 20 {
			crowded++
		}
	}
	if crowded < 10 || diamonds < 10 {
		t.Errorf("got %d people in twenty groups and %d groups in two, want ten of each at least", crowded, diamonds)
	}
}

func TestPage(t *testing.T) {
	w := ftrack.Studio(ftrack.Mid, 1)
	page := w.Page(5000)
	tasks, projects, theirs := map[rolecall.Scope]bool{}, map[string]bool{}, 0
	versions := map[rolecall.Scope]bool{}
	for _, v := range page {
		task, _ := v.Scope.Parent()
		tasks[task], versions[v.Scope] = true, true
		for _, id := range v.Scope.Segments() {
			projects[id] = true
			break
		}
		if v.Assignee == w.Cast.Artist {
			theirs++
		}
	}
	if len(versions) != 5000 || len(projects) != 4 || len(tasks) < 800 || len(tasks) > 1000 || theirs < 25 || theirs > 40 {
		t.Errorf("Page(5000): %d versions on %d projects of %d tasks, %d of them the artist's; want 5000, 4, about 900, about 30",
			len(versions), len(projects), len(tasks), theirs)
	}
}
