package ftrack_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

var (
	now = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

	open, priv, other = ftrack.Project("open"), ftrack.Project("priv"), ftrack.Project("other")
	shot              = open.In("shot", "010")
	t1, t2            = shot.In("task", "t1"), shot.In("task", "t2")
	review            = open.In("review", "r")

	ulf, pia, ada, rex = rolecall.User("ulf"), rolecall.User("pia"), rolecall.User("ada"), rolecall.User("rex")
	vip, newbie, cora  = rolecall.User("vip"), rolecall.User("newbie"), rolecall.User("cora")
	cal, comp          = rolecall.User("cal"), rolecall.Group("comp")
	key, bare          = rolecall.Service("key"), rolecall.Service("bare")
	guest              = rolecall.Guest("client")

	budget = ftrack.Attribute{Key: "budget"}
	anim   = ftrack.Workflow{Schema: "anim", Kind: "task", Statuses: []string{"todo", "in_progress", "client_approved", "done"}}
)

func grant(who rolecall.Subject, role rolecall.RoleName, at rolecall.Scope) rolecall.Grant {
	return rolecall.Grant{Subject: who, Role: role, Scope: at}
}

// parity returns the setting of the decisions: an open project, and a private one that Pia created.
func parity(t *testing.T) *rolecall.Snapshot {
	t.Helper()
	d := ftrack.Declarations()
	d.Permissions = append(d.Permissions, ftrack.AttributeDeclarations(budget)...)
	statuses := anim.Declarations()
	d.Permissions = append(d.Permissions, statuses.Permissions...)
	d.Conditions = append(d.Conditions, statuses.Conditions...)
	statements := ftrack.NewPrivateProject(priv, pia, ftrack.ProjectManager)
	for _, role := range ftrack.Roles() {
		if role.Name == ftrack.ProjectManager {
			role = ftrack.Give(role, "", budget.Read(), budget.Write())
		}
		statements = append(statements, role)
	}
	statements = append(statements,
		ruled(t, "vip_artist", ftrack.StatusTable{"client_approved": nil}),
		ruled(t, "newbie", ftrack.StatusTable{
			"todo": {ftrack.New}, "in_progress": {"todo"}, "client_approved": {"in_progress"}, "done": {"in_progress"},
		}),
		grant(ulf, ftrack.User, ftrack.AllOpenProjects()),
		grant(ada, ftrack.Administrator, ftrack.AllOpenProjects()),
		grant(rex, ftrack.RestrictedUser, ftrack.AllOpenProjects()),
		grant(key, ftrack.API, ftrack.AllOpenProjects()),
		grant(vip, "vip_artist", ftrack.AllOpenProjects()),
		grant(newbie, "newbie", ftrack.AllOpenProjects()),
		grant(cora, ftrack.Coordinator, open),
		rolecall.Membership{Member: cal, Group: comp},
		rolecall.Grant{Subject: guest, Role: ftrack.ClientGuest, Scope: review, Window: rolecall.Window{NotAfter: now.Add(time.Hour)}},
	)
	return load(t, d, statements...).At(now)
}

func ruled(t *testing.T, name rolecall.RoleName, table ftrack.StatusTable) rolecall.Role {
	t.Helper()
	role, err := anim.Allow(rolecall.Role{Name: name, Inherits: []rolecall.RoleName{ftrack.User}}, "", table)
	if err != nil {
		t.Fatalf("Allow(%s): %v", name, err)
	}
	return role
}

type ask struct {
	who        rolecall.Subject
	permission rolecall.Permission
	at         rolecall.Scope
	want       rolecall.Reason
	facts      rolecall.Facts
	now        time.Time
	actor      rolecall.Subject
	narrow     rolecall.Narrowing
}

// yes and no ask without facts.
func yes(who rolecall.Subject, p rolecall.Permission, at rolecall.Scope) ask {
	return ask{who: who, permission: p, at: at, want: rolecall.Granted}
}

func no(who rolecall.Subject, p rolecall.Permission, at rolecall.Scope, why rolecall.Reason) ask {
	return ask{who: who, permission: p, at: at, want: why}
}

func (a ask) given(facts ...rolecall.Condition) ask {
	a.facts = rolecall.Given(facts)
	return a
}

func (a ask) from(status string) ask {
	a.facts = ftrack.From(status, a.facts)
	return a
}

// TestDecisions are the thirty decisions that a system like ftrack must get right, in their order. Where Rolecall
// decides otherwise, the row says how.
func TestDecisions(t *testing.T) {
	setStatus := anim.Set
	for _, row := range []struct {
		rule    string
		change  []rolecall.Edit // made before the questions are asked
		by      rolecall.Subject
		refused rolecall.Code // the change is refused with this code
		asks    []ask
	}{
		{rule: "1: a role on all open projects opens an open project",
			asks: []ask{yes(ulf, ftrack.ProjectView, open)}},
		{rule: "2: it does not open a private one",
			asks: []ask{no(ulf, ftrack.ProjectView, priv, rolecall.Private)}},
		{rule: "3: opening the project needs no change of grants",
			change: []rolecall.Edit{rolecall.Remove(rolecall.PrivateScope{Scope: priv})},
			asks:   []ask{yes(ulf, ftrack.ProjectView, priv)}},
		{rule: "4: the creator of a private project is in it",
			asks: []ask{yes(pia, ftrack.ProjectView, priv), yes(pia, ftrack.ProjectUpdate, priv)}},
		{rule: "5: an administrator does not see it, but may manage it: managing is not stopped by privacy",
			asks: []ask{no(ada, ftrack.ProjectView, priv, rolecall.Private), yes(ada, rolecall.GrantCreate, priv)}},
		{rule: "5, the option: a grant that pierces shows it",
			change: []rolecall.Edit{rolecall.Put(rolecall.Grant{
				Subject: ada, Role: ftrack.Administrator, Scope: ftrack.AllOpenProjects(), Pierce: true,
			})},
			asks: []ask{yes(ada, ftrack.ProjectView, priv)}},
		{rule: "6: the manager of the private project lets somebody in", by: pia,
			change: []rolecall.Edit{rolecall.Put(grant(ulf, ftrack.User, priv))},
			asks:   []ask{yes(ulf, ftrack.ProjectView, priv)}},
		{rule: "7: a role that he is not eligible for is not activated",
			change: []rolecall.Edit{rolecall.Activate(rolecall.Activation{
				Subject: ulf, Role: ftrack.ProjectManager, Scope: priv, Until: now.Add(time.Hour), Reason: "to help out",
			})},
			refused: rolecall.ErrNotEligible},
		{rule: "8: an ASSIGNED role changes the status of an assigned task",
			asks: []ask{yes(rex, ftrack.TaskStatusUpdate, t1).given(ftrack.Assigned)}},
		{rule: "9: and not that of its sibling",
			asks: []ask{no(rex, ftrack.TaskStatusUpdate, t2, rolecall.ConditionFails)}},
		{rule: "10: it sees the project of an assigned task, and no other",
			asks: []ask{yes(rex, ftrack.ProjectView, open).given(ftrack.AssignedInside), no(rex, ftrack.ProjectView, other, rolecall.ConditionFails)}},
		{rule: "11: an assignment in a private project gives an ASSIGNED role nothing",
			asks: []ask{no(rex, ftrack.TaskStatusUpdate, priv.In("task", "t"), rolecall.Private).given(ftrack.Assigned)}},
		{rule: "11, otherwise: ftrack refuses the grant there; Rolecall accepts it, and then assignments count",
			change: []rolecall.Edit{rolecall.Put(grant(rex, ftrack.RestrictedUser, priv))},
			asks: []ask{
				yes(rex, ftrack.TaskStatusUpdate, priv.In("task", "t")).given(ftrack.Assigned),
				no(rex, ftrack.TaskStatusUpdate, priv.In("task", "t"), rolecall.ConditionFails),
			}},
		{rule: "12: nobody who holds a role on all open projects is removed from one of them, for no grant is there",
			change:  []rolecall.Edit{rolecall.Remove(grant(ulf, ftrack.User, open))},
			refused: rolecall.ErrUnknown},
		{rule: "12, otherwise: Rolecall has an exception for that",
			change: []rolecall.Edit{rolecall.Put(rolecall.Override{Subject: ulf, Effect: rolecall.Deny, Pattern: "*", Scope: open})},
			asks:   []ask{no(ulf, ftrack.ProjectView, open, rolecall.Overridden), yes(ulf, ftrack.ProjectView, other)}},
		{rule: "13: one role is exchanged for another in one change, at the same scope",
			change: []rolecall.Edit{
				rolecall.Remove(grant(ulf, ftrack.User, ftrack.AllOpenProjects())),
				rolecall.Put(grant(ulf, ftrack.ProjectManager, ftrack.AllOpenProjects())),
			},
			asks: []ask{yes(ulf, ftrack.ProjectView, open), yes(ulf, ftrack.ShotDelete, shot)}},
		{rule: "14: a global key sees open projects only",
			asks: []ask{yes(key, ftrack.ProjectView, open), no(key, ftrack.ProjectView, priv, rolecall.Private)}},
		{rule: "15: and a private one that is added to it",
			change: []rolecall.Edit{rolecall.Put(grant(key, ftrack.API, priv))},
			asks:   []ask{yes(key, ftrack.ProjectView, priv)}},
		{rule: "16, otherwise: ftrack refuses a key without roles; here it is a service that may do nothing",
			asks: []ask{no(bare, ftrack.ProjectView, open, rolecall.NothingSaid)}},
		{rule: "16: a key holds API roles only",
			change: []rolecall.Edit{rolecall.Put(grant(bare, ftrack.User, open))}, refused: rolecall.ErrHolder},
		{rule: "16: and nobody else holds those",
			change: []rolecall.Edit{rolecall.Put(grant(ulf, ftrack.API, open))}, refused: rolecall.ErrHolder},
		{rule: "17: a personal key is its user: who is switched off is denied everything",
			change: []rolecall.Edit{rolecall.Put(rolecall.Suspension{Subject: ulf})},
			asks:   []ask{no(ulf, ftrack.ProjectView, open, rolecall.Suspended)}},
		{rule: "18: an attribute is read by the roles it was opened to",
			change: []rolecall.Edit{rolecall.Put(grant(cal, ftrack.ProjectManager, open))},
			asks:   []ask{yes(ulf, ftrack.ShotView, shot), no(ulf, budget.Read(), shot, rolecall.NothingSaid), yes(cal, budget.Read(), shot)}},
		{rule: "19: and written by them only",
			asks: []ask{no(ulf, budget.Write(), shot, rolecall.NothingSaid), no(ada, budget.Write(), priv, rolecall.Private), yes(pia, budget.Write(), priv)}},
		{rule: "20: a status that is closed to a role is not set by it, others are",
			asks: []ask{
				no(vip, setStatus("client_approved"), t1, rolecall.NothingSaid).from("in_progress"),
				yes(vip, setStatus("done"), t1).from("in_progress"), yes(vip, setStatus("todo"), t1).from("done"),
			}},
		{rule: "21: a status that may be set at the start, and one that may not",
			asks: []ask{
				yes(newbie, setStatus("todo"), t1).from(ftrack.New),
				no(newbie, setStatus("done"), t1, rolecall.ConditionFails).from(ftrack.New),
				yes(newbie, setStatus("done"), t1).from("in_progress"),
			}},
		{rule: "22: who looks as another user sees, and does nothing",
			asks: []ask{
				{who: ulf, permission: ftrack.NoteCreate, at: shot, actor: ada, narrow: ftrack.ReadOnly(), want: rolecall.Narrowed},
				{who: ulf, permission: ftrack.ShotView, at: shot, actor: ada, narrow: ftrack.ReadOnly(), want: rolecall.Granted},
			}},
		{rule: "23: a key used with somebody's name has the rights of the key",
			asks: []ask{{who: key, permission: ftrack.ShotDelete, at: shot, actor: ulf, want: rolecall.Granted}, no(ulf, ftrack.ShotDelete, shot, rolecall.NothingSaid)}},
		{rule: "24: several roles add up, each where it is granted",
			change: []rolecall.Edit{rolecall.Put(grant(ulf, ftrack.ProjectManager, open))},
			asks:   []ask{yes(ulf, ftrack.ShotDelete, shot), no(ulf, ftrack.ShotDelete, other.In("shot", "010"), rolecall.NothingSaid)}},
		{rule: "25: who does not manage access lets nobody in", by: cora,
			change:  []rolecall.Edit{rolecall.Put(grant(cal, ftrack.User, open))},
			refused: rolecall.ErrNotPermitted},
		{rule: "26: being on the team of a private project opens nothing",
			asks: []ask{no(cal, ftrack.ProjectView, priv, rolecall.NothingSaid)}},
		{rule: "26, otherwise: ftrack gives groups no roles; Rolecall does, and members have them",
			change: []rolecall.Edit{rolecall.Put(grant(comp, ftrack.User, priv))},
			asks:   []ask{yes(cal, ftrack.ProjectView, priv)}},
		{rule: "27: a guest opens a review in time, and not after",
			asks: []ask{
				yes(guest, ftrack.ReviewView, review),
				{who: guest, permission: ftrack.ReviewView, at: review, now: now.Add(time.Hour), want: rolecall.OutsideWindow},
			}},
		{rule: "28: and no other review of the project",
			asks: []ask{no(guest, ftrack.ReviewView, open.In("review", "other"), rolecall.NothingSaid)}},
		{rule: "29: moving to another project takes a permission there, too",
			change: []rolecall.Edit{rolecall.Put(grant(ulf, ftrack.ProjectManager, open))},
			asks:   []ask{yes(ulf, ftrack.ShotMove, shot), no(ulf, ftrack.ShotCreate, other, rolecall.NothingSaid)}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			s := changed(t, parity(t), row.by, row.refused, row.change)
			for _, a := range row.asks {
				d, err := s.Decide(rolecall.Request{
					Subject: a.who, Permission: a.permission, Scope: a.at, Facts: a.facts, Now: a.now, Actor: a.actor, Narrow: a.narrow,
				})
				if err != nil || d.Reason() != a.want {
					t.Errorf("%s %s at %s: got %q, error %v, want %q\n%s", a.who, a.permission, a.at, d.Reason().String(), err, a.want.String(), d)
				}
				if d.Request().Actor != a.actor {
					t.Errorf("%s %s at %s: the decision names the actor %s, want %s", a.who, a.permission, a.at, d.Request().Actor, a.actor)
				}
			}
		})
	}
	t.Run("30: an event goes to those who have access", func(t *testing.T) {
		named, everyone, err := parity(t).Who(ftrack.ProjectView, priv, nil)
		if diff := cmp.Diff([]rolecall.Subject{pia}, named, cmp.Comparer(equal[rolecall.Subject])); diff != "" || everyone || err != nil {
			t.Errorf("Who(project.view, %s): everyone %t, error %v, want Pia only (-want +got):\n%s", priv, everyone, err, diff)
		}
	})
}

// changed returns the snapshot after a change, which must be refused with the code if there is one.
func changed(t *testing.T, s *rolecall.Snapshot, by rolecall.Subject, refused rolecall.Code, edits []rolecall.Edit) *rolecall.Snapshot {
	t.Helper()
	if len(edits) == 0 {
		return s
	}
	p, err := s.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: by}, Edits: edits})
	switch {
	case refused == "" && err == nil:
		return p.Next().At(now)
	case refused == "":
		t.Fatalf("Propose by %s: %v, want it to be accepted", by, err)
	case !errors.Is(err, refused):
		t.Errorf("Propose by %s: error %v, want %q", by, err, string(refused))
	}
	return s
}
