package rolecall_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// Accomplices: whatever edits a set of actors make, one after another, each of them permitted, none of the actors comes
// to do what none of them could do at the start. All sequences of edits of an alphabet up to some length are tried, and
// every policy that they lead to is judged by the naive evaluator.

// A conspiracy is a small world, those who conspire in it, and the edits that they may think of.
type conspiracy struct {
	name   string
	world  world
	actors []rolecall.Subject
	edits  []rolecall.Edit
	depth  int
}

// putAndRemove returns the edits that add each statement and that remove it.
func putAndRemove(statements ...rolecall.Statement) []rolecall.Edit {
	var edits []rolecall.Edit
	for _, s := range statements {
		edits = append(edits, rolecall.Put(s), rolecall.Remove(s))
	}
	return edits
}

func until(g rolecall.Grant, n int) rolecall.Grant { g.NotAfter = day(n); return g }

func from(g rolecall.Grant, n int) rolecall.Grant { g.NotBefore = day(n); return g }

func overrideUntil(o rolecall.Override, n int) rolecall.Override { o.NotAfter = day(n); return o }

func memberUntil(m rolecall.Membership, n int) rolecall.Membership { m.NotAfter = day(n); return m }

func activation(s rolecall.Subject, r rolecall.RoleName, at rolecall.Scope, n int) rolecall.Edit {
	return rolecall.Activate(rolecall.Activation{Subject: s, Role: r, Scope: at, Until: day(n), Reason: "test"})
}

// The roles of the conspiracies: worker may look, secret may edit, gagged is denied to.
var (
	workerRole  = role("worker", rule(rolecall.Allow, "", "task.view"))
	secretRole  = role("secret", rule(rolecall.Allow, "", "task.update"))
	gaggedRole  = role("gagged", rule(rolecall.Deny, "", "task.*"))
	managerRole = role("manager", rule(rolecall.Allow, "", "rolecall.*", "task.view"))
	peopleRole  = role("people", rule(rolecall.Allow, "", "rolecall.member.*", "rolecall.subject.*"))
	basicRoles  = []rolecall.Statement{workerRole, secretRole, gaggedRole, managerRole, peopleRole}
)

func conspiracies() []conspiracy {
	return []conspiracy{
		{
			name: "a manager and a friend",
			world: world{}.add(basicRoles...).add(
				grant(ann, "manager", global), grant(layout, "secret", project), override(ben, rolecall.Deny, "task.update", project),
				member(ben, crowds), override(crowds, rolecall.Deny, "task.view", shot), private(project),
				grant(animation, "secret", global),
			),
			actors: []rolecall.Subject{ann, ben},
			edits: slices.Concat(
				putAndRemove(
					member(ben, layout), member(ben, crowds), member(crowds, layout), member(crowds, animation), grant(ben, "secret", project), grant(ben, "manager", shot),
					grant(ann, "worker", shot), override(ben, rolecall.Deny, "task.update", project),
					override(crowds, rolecall.Deny, "task.view", shot), private(project), replacing(grant(ben, "worker", shot)),
				),
				[]rolecall.Edit{
					rolecall.Put(role("worker", rule(rolecall.Allow, "", "*"))),
					rolecall.Put(rolecall.Role{Name: "manager", Inherits: []rolecall.RoleName{"secret"}, Rules: managerRole.Rules}),
					rolecall.Put(override(ben, rolecall.Allow, "task.*", shot)),
				},
			),
			depth: 5,
		},
		{
			name: "windows, eligible grants and activation",
			world: world{}.add(basicRoles...).add(
				grant(ann, "people", global), until(grant(ann, "secret", project), 2), grant(ann, "manager", project),
				eligible(grant(layout, "secret", project)), memberUntil(member(ben, crowds), 1), grant(crowds, "worker", global),
			),
			actors: []rolecall.Subject{ann, ben},
			edits: slices.Concat(
				putAndRemove(
					member(ben, layout), memberUntil(member(ben, layout), 2), memberUntil(member(ann, layout), 3), member(ben, crowds),
					until(grant(ben, "secret", project), 2), until(grant(ben, "secret", shot), 3), eligible(grant(ben, "secret", shot)),
					until(eligible(grant(ben, "secret", shot)), 2), suspend(layout),
				),
				[]rolecall.Edit{
					activation(ben, "secret", project, 1), activation(ben, "secret", shot, 3), activation(ann, "secret", project, 3),
					activation(layout, "secret", shot, 2),
				},
			),
			depth: 5,
		},
		{
			name: "conditions, suspended groups and stars",
			world: world{}.add(basicRoles...).add(
				grant(ann, "manager", global), grantWhen(grant(ann, "secret", global), "assigned"), suspend(layout), grant(layout, "secret", global),
				member(ben, layout), member(ben, crowds), override(crowds, rolecall.Deny, "*.view", global), grant(ben, "worker", project),
				role("wide", rule(rolecall.Allow, "own", "task.*"), rule(rolecall.Except, "", "task.update")), grant(ben, "wide", global),
			),
			actors: []rolecall.Subject{ann, ben},
			edits: slices.Concat(
				putAndRemove(
					suspend(layout), suspend(crowds), grantWhen(grant(ben, "secret", project), "assigned"), grantWhen(grant(ben, "secret", project), "own"),
					override(crowds, rolecall.Deny, "*.view", global), overrideWhen(override(ben, rolecall.Allow, "task.*", shot), "assigned"),
					member(layout, animation), override(animation, rolecall.Forbid, "task.update", global),
				),
				[]rolecall.Edit{
					rolecall.Put(role("wide", rule(rolecall.Allow, "own", "task.*"))),
					rolecall.Put(role("wide", rule(rolecall.Allow, "assigned", "task.*"))),
					rolecall.Put(override(crowds, rolecall.Deny, "task.view", global)),
				},
			),
			depth: 5,
		},
	}
}

// judgedCells are the questions by which the world of a conspiracy is judged.
func judgedCells() []gain {
	var cells []gain
	for _, p := range []rolecall.Permission{seeTask, editTask, setStatus, rolecall.GrantCreate, rolecall.NewPermission("task.later")} {
		for _, t := range []rolecall.Scope{global, project, shot, sibling} {
			for _, at := range []time.Time{day(0), day(1), day(2), day(3)} {
				for _, f := range []facts{{}, {"assigned": yes}, {"own": yes}, {"own": yes, "assigned": fails}} {
					cells = append(cells, gain{p, t, at, f})
				}
			}
		}
	}
	return cells
}

func TestAccomplicesGainNothing(t *testing.T) {
	for _, c := range conspiracies() {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() {
				c.depth -= 2
			}
			c.search(t)
		})
	}
}

// search goes through all sequences, breadth first; of those that lead to one policy only the first is followed.
func (c conspiracy) search(t *testing.T) {
	type reached struct {
		snapshot *rolecall.Snapshot
		steps    []string
	}
	seen := map[string]bool{c.world.canonical(): true}
	level := []reached{{c.world.snapshot(t).At(day(0)), nil}}
	most := c.allowedAtFirst()
	passed, refused := 0, 0
	for range c.depth {
		var next []reached
		for _, from := range level {
			for _, actor := range c.actors {
				for i, e := range c.edits {
					p, err := from.snapshot.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: actor}, Edits: []rolecall.Edit{e}})
					if err != nil {
						refused++
						continue
					}
					passed++
					w := worldOf(slices.Collect(p.Next().Statements()))
					if key := w.canonical(); !seen[key] {
						seen[key] = true
						step := fmt.Sprintf("%s: %s", actor, c.edits[i])
						r := reached{p.Next().At(day(0)), append(slices.Clip(from.steps), step)}
						c.mustAllowNoMore(t, w, most, r.steps)
						next = append(next, r)
					}
				}
			}
		}
		level = next
	}
	if passed == 0 || refused == 0 {
		t.Errorf("%d edits passed and %d were refused, want some of both", passed, refused)
	}
}

// The same in random worlds, with random edits and activations by two actors who may manage everything but escalate.
func TestAccomplicesInRandomWorlds(t *testing.T) {
	steps := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawSmallWorld(t).put(grant(ben, keeper.Name, pick(t, scopes[:2], "ben keeps")), override(everyone, rolecall.Forbid, "rolecall.escalate", global))
		c := conspiracy{world: w, actors: []rolecall.Subject{ann, ben}}
		var done []string
		at := w.snapshot(t).At(day(0))
		for range 6 {
			edits := drawActorEdits(t, worldOf(slices.Collect(at.Statements())))
			if often(t, 30, "activates") {
				edits = []rolecall.Edit{activation(pick(t, users, "holder"), pick(t, roleNames, "role"), drawScope(t), 1+upToN(3).Draw(t, "until"))}
			}
			actor := pick(t, c.actors, "actor")
			p, err := at.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: actor}, Edits: edits})
			if err != nil || len(p.Entry().Deltas) == 0 {
				continue
			}
			steps++
			at = p.Next().At(day(0))
			done = append(done, fmt.Sprintf("%s: %v", actor, p.Entry().Deltas))
		}
		if len(done) == 0 {
			return
		}
		after, places, names, answers := worldOf(slices.Collect(at.Statements())), somewhere(), sometime(), allFacts()
		for range 200 {
			g := gain{pick(t, names, "permission"), pick(t, places, "place"), pick(t, instants, "now"), pick(t, answers, "facts")}
			c.mustHaveAllowed(t, after, g, done)
		}
	})
	if steps == 0 {
		t.Error("no edit was permitted, want some")
	}
}

func (w world) canonical() string {
	lines := strings.Split(w.String(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// allowedAtFirst says of each cell whether one of the actors had it.
func (c conspiracy) allowedAtFirst() []bool {
	cells := judgedCells()
	most := make([]bool, len(cells))
	for i, g := range cells {
		most[i] = slices.ContainsFunc(c.actors, func(a rolecall.Subject) bool { return c.world.permits(a, g) || c.world.eligible(a, g) })
	}
	return most
}

func (c conspiracy) mustAllowNoMore(t *testing.T, w world, most []bool, steps []string) {
	for i, g := range judgedCells() {
		if !most[i] {
			c.mustAllowNone(t, w, g, steps)
		}
	}
}

// mustHaveAllowed wants what one of the actors may do afterwards to be what one might at first.
func (c conspiracy) mustHaveAllowed(t rapid.TB, after world, g gain, steps []string) {
	if !slices.ContainsFunc(c.actors, func(a rolecall.Subject) bool { return c.world.permits(a, g) || c.world.eligible(a, g) }) {
		c.mustAllowNone(t, after, g, steps)
	}
}

func (c conspiracy) mustAllowNone(t rapid.TB, w world, g gain, steps []string) {
	for _, a := range c.actors {
		if w.decide(w.asks(a, g)) == allowed {
			t.Fatalf("%s may %s at %s now %s given %v, which none of %v might before these permitted edits:\n%s\npolicy at first:\n%s",
				a, g.permission, g.scope, rolecall.FormatTime(g.now), g.facts, c.actors, strings.Join(steps, "\n"), c.world)
		}
	}
}

// Who acts narrowed is judged by what is left: what it takes to make the edit, and what the edit gives.
func TestNarrowedActor(t *testing.T) {
	w := world{}.add(basicRoles...).add(
		role("wide", rule(rolecall.Allow, "", "task.*")), grant(ann, "manager", global), grant(ann, "secret", global), grant(ann, "wide", global),
		private(sibling), rolecall.Constraint{Name: "hats", Kind: rolecall.Dynamic, Limit: 2, Roles: []rolecall.RoleName{"people", "secret"}},
	)
	give, giveWide := rolecall.Put(grant(ben, "secret", shot)), rolecall.Put(grant(ben, "wide", shot))
	w = w.add(role("owner", rule(rolecall.Allow, "own", "shot.*")), grant(ann, "owner", global))
	w = w.add(
		role("gives", rule(rolecall.Allow, "", "shot.view")), override(ann, rolecall.Allow, "shot.view", global),
		rolecall.Role{Name: "gives-more", Inherits: []rolecall.RoleName{"gives"}, Rules: secretRole.Rules}, grant(ann, "gives-more", global),
	)
	giveView := rolecall.Put(grant(ben, "gives", shot))
	giveOwn := rolecall.Put(grantWhen(grant(ben, "owner", shot), "own"))
	for _, row := range []struct {
		name   string
		narrow rolecall.Narrowing
		edit   rolecall.Edit
		want   error
	}{
		{"not at all", rolecall.Narrowing{}, give, nil},
		{"to all", rolecall.ToPatterns("*"), give, nil},
		{"to what it takes and gives", rolecall.ToPatterns("rolecall.grant.create", "task.update"), give, nil},
		{"to what it takes", rolecall.ToPatterns("rolecall.*"), give, rolecall.ErrEscalation},
		{"to what it gives", rolecall.ToPatterns("task.*"), give, rolecall.ErrNotPermitted},
		{"to nothing", rolecall.ToPatterns(), give, rolecall.ErrNotPermitted},
		{"twice, to all but", rolecall.ToPatterns("*").AndPatterns("rolecall.*"), give, rolecall.ErrEscalation},
		{"to both roles", rolecall.ToRoles("manager", "secret"), give, nil},
		{"to the role that manages", rolecall.ToRoles("manager"), give, rolecall.ErrEscalation},
		{"to another role that gives it", rolecall.ToRoles("manager", "wide"), give, nil},
		{"to no role", rolecall.ToRoles(), give, rolecall.ErrNotPermitted},
		{"to hats that do not go together", rolecall.ToRoles("people", "secret"), give, rolecall.ErrSeparation},
		{"to a role that is not there", rolecall.ToRoles("ghost"), give, rolecall.ErrUnknown},
		{"to a pattern that covers nothing", rolecall.ToPatterns("task.viw"), give, rolecall.ErrUnknown},
		{"to all that is declared", rolecall.ToPatterns("rolecall.*", "task.view", "task.update", "task.status.update"), giveWide, rolecall.ErrEscalation},
		{"to all that will be declared", rolecall.ToPatterns("rolecall.*", "task.*"), giveWide, nil},
		{"to what it has under the same condition", rolecall.ToPatterns("rolecall.*", "shot.*"), giveOwn, nil},
		{"to less than it has under the same condition", rolecall.ToPatterns("rolecall.*", "shot.view"), giveOwn, rolecall.ErrEscalation},
		{"to the role with the condition", rolecall.ToRoles("manager", "owner"), giveOwn, nil},
		{"to roles, without what is an exception", rolecall.ToRoles("manager", "secret"), giveView, rolecall.ErrEscalation},
		{"not to roles, with what is an exception", rolecall.ToPatterns("*"), giveView, nil},
		{"to a role that another one inherits", rolecall.ToRoles("manager", "gives"), giveView, nil},
		{"to a role that another one inherits, and gives more", rolecall.ToRoles("manager", "gives"), give, rolecall.ErrEscalation},
		{"to the role with the star", rolecall.ToRoles("manager", "wide"), giveWide, nil},
		{"to roles without the star", rolecall.ToRoles("manager", "secret"), giveWide, rolecall.ErrEscalation},
	} {
		_, err := w.snapshot(t).Propose(rolecall.Change{Meta: rolecall.Meta{Actor: ann, Time: day(0)}, Narrow: row.narrow, Edits: []rolecall.Edit{row.edit}})
		if !errors.Is(err, row.want) {
			t.Errorf("ann, narrowed %s: Propose(%s): got %v, want %v", row.name, row.edit, err, row.want)
		}
	}
	_, err := w.snapshot(t).Propose(rolecall.Change{Meta: rolecall.Meta{Time: day(0)}, Narrow: rolecall.ToPatterns("*"), Edits: []rolecall.Edit{give}})
	if !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("the host, narrowed: Propose: got %v, want invalid", err)
	}
}

// What is made and taken up in one change is judged as made; what stood is only taken up. Separation of duty is judged of
// the change as a whole.
func TestActivationInAChange(t *testing.T) {
	base := world{}.add(basicRoles...).add(grant(ann, "manager", global))
	holds, stands := base.add(grant(ann, "secret", global)), base.add(eligible(grant(ben, "secret", project)))
	hats := stands.add(grant(ben, "worker", global), rolecall.Constraint{Name: "hats", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"worker", "secret"}})
	made, taken := rolecall.Put(eligible(grant(ben, "secret", project))), activation(ben, "secret", shot, 1)
	for _, row := range []struct {
		name  string
		world world
		edits []rolecall.Edit
		want  error
	}{
		{"made by who has it", holds, []rolecall.Edit{made, taken}, nil},
		{"made by who has it not", base, []rolecall.Edit{made, taken}, rolecall.ErrEscalation},
		{"not made", holds, []rolecall.Edit{taken}, rolecall.ErrNotEligible},
		{"stood", stands, []rolecall.Edit{taken}, nil},
		{"stood, beside one that is made", holds.add(eligible(grant(bot, "secret", project))), []rolecall.Edit{made, taken, activation(bot, "secret", shot, 1)}, nil},
		{"stood, beside one that is made by who has it not", base.add(eligible(grant(bot, "secret", project))), []rolecall.Edit{made, taken, activation(bot, "secret", shot, 1)}, rolecall.ErrEscalation},
		{"stood, and goes", stands, []rolecall.Edit{taken, rolecall.Remove(eligible(grant(ben, "secret", project)))}, nil},
		{"went", stands, []rolecall.Edit{rolecall.Remove(eligible(grant(ben, "secret", project))), taken}, rolecall.ErrNotEligible},
		{"stood, and is made longer", stands, []rolecall.Edit{taken, rolecall.Put(until(grant(ben, "secret", shot), 2))}, rolecall.ErrEscalation},
		{"stood, in a role that grows", stands, []rolecall.Edit{taken, rolecall.Put(role("secret", rule(rolecall.Allow, "", "task.*")))}, rolecall.ErrEscalation},
		{"stood, and prolongs what was taken up before", stands.add(until(grant(ben, "secret", shot), 1)), []rolecall.Edit{activation(ben, "secret", shot, 2)}, nil},
		{"stood, and prolongs what is over", stands.add(until(grant(ben, "secret", shot), -1)), []rolecall.Edit{taken}, nil},
		{"stood, and prolongs what pierces", stands.add(piercing(until(grant(ben, "secret", shot), 1))), []rolecall.Edit{activation(ben, "secret", shot, 2)}, nil},
		{"stood, and prolongs what replaces", stands.add(replacing(until(grant(ben, "secret", shot), 1))), []rolecall.Edit{activation(ben, "secret", shot, 2)}, nil},
		{"stood as piercing, and prolongs what does not pierce", base.add(piercing(eligible(grant(ben, "secret", project))), until(grant(ben, "secret", shot), 1)), []rolecall.Edit{activation(ben, "secret", shot, 2)}, nil},
		{"with the other hat on", hats, []rolecall.Edit{taken}, rolecall.ErrSeparation},
		{"with hats changed", hats, []rolecall.Edit{rolecall.Remove(grant(ben, "worker", global)), taken}, nil},
		{"with hats changed, in the other order", hats, []rolecall.Edit{taken, rolecall.Remove(grant(ben, "worker", global))}, nil},
	} {
		if err := proposeBy(t, row.world, ann, row.edits...); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", row.name, err, row.want)
		}
	}
}

// A refusal tells everything that is wrong with a change, as far as one thing leaves the other to be judged.
func TestRefusalTellsEverything(t *testing.T) {
	w := world{}.add(basicRoles...).add(grant(ann, "manager", global), grant(ben, "worker", global),
		rolecall.Constraint{Name: "hats", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"worker", "secret"}})
	silent := activation(ben, "secret", shot, 1)
	silent.Activation.Reason = ""
	for _, row := range []struct {
		edit rolecall.Edit
		want []rolecall.Code
	}{
		{rolecall.Put(grant(ben, "secret", project)), []rolecall.Code{rolecall.ErrSeparation, rolecall.ErrEscalation}},
		{rolecall.Put(grant(ben, "manager", project)), nil},
		{silent, []rolecall.Code{rolecall.ErrInvalid, rolecall.ErrNotEligible}},
		{activation(ben, "secretary", shot, 1), []rolecall.Code{rolecall.ErrUnknown, rolecall.ErrNotEligible}},
	} {
		var got []rolecall.Code
		for _, p := range rolecall.ProblemsOf(proposeBy(t, w, ann, row.edit)) {
			got = append(got, p.Code)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("Propose(%s by ann): got %v, want %v", row.edit, got, row.want)
		}
	}
}

// An edit is permitted by what its kind says, and what else its value holds does not matter: a subject in the place of
// somebody who takes up an eligible grant permits nothing but that.
func TestOnlyAnActivationIsTakenUp(t *testing.T) {
	s := world{}.add(basicRoles...).add(grant(ann, "worker", global)).snapshot(t).At(day(0))
	e := rolecall.Put(grant(ann, "worker", project))
	e.Activation.Subject = ann
	_, err := s.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: ann}, Edits: []rolecall.Edit{e}})
	if !errors.Is(err, rolecall.ErrNotPermitted) {
		t.Errorf("Propose(put of a grant that also names ann as who activates, by ann): got %v, want not-permitted", err)
	}
}

// What is not permitted is not done, not even to judge what comes after it: another put of the same statement is not
// taken for a change of it.
func TestNotPermittedIsNotDone(t *testing.T) {
	w := world{}.add(basicRoles...)
	once, again := rolecall.Put(grant(ann, "secret", project)), rolecall.Put(until(grant(ann, "secret", project), 1))
	for _, edits := range [][]rolecall.Edit{{once}, {once, again}, {rolecall.ForgetScope(global), once, again}} {
		var ps rolecall.Problems
		if err := proposeBy(t, w, ben, edits...); !errors.As(err, &ps) || strings.Contains(err.Error(), "rolecall.grant.delete") {
			t.Errorf("Propose(%v by ben): got %v, want a refusal that does not ask for rolecall.grant.delete", edits, err)
		}
	}
}

// Whoever is not permitted cannot tell from the refusal what stands: it is the same whether a statement of that key is
// there, and is another one, or is not.
func TestNotPermittedLearnsNothing(t *testing.T) {
	bare := world{}.add(basicRoles...).add(member(ben, crowds), grant(ben, "worker", sibling))
	full := bare.add(
		role("r0"), until(grant(ann, "secret", project), 1), override(ann, rolecall.Deny, "task.view", project),
		memberUntil(member(ann, layout), 1), suspend(bot), private(project), grant(ann, "secret", shot),
		rolecall.Constraint{Name: "one", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"worker", "gagged"}},
	)
	statements := []rolecall.Statement{
		role("r0", rule(rolecall.Allow, "", "*")), grant(ann, "secret", project), override(ann, rolecall.Allow, "task.view", project),
		member(ann, layout), suspend(bot), private(project), grant(ben, "no such role", project),
		rolecall.Constraint{Name: "one", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"worker", "secret"}},
	}
	edits := append(putAndRemove(statements...), rolecall.ForgetSubject(ann), rolecall.ForgetScope(project), activation(ann, "secret", project, 1))
	for _, e := range edits {
		change := rolecall.Change{Meta: rolecall.Meta{Actor: ben, Time: day(0)}, Edits: []rolecall.Edit{e}}
		_, without := bare.snapshot(t).Propose(change)
		_, with := full.snapshot(t).Propose(change)
		if !errors.Is(without, rolecall.ErrNotPermitted) || with == nil || with.Error() != without.Error() {
			t.Errorf("Propose(%s by ben): got\n%v\nwhere nothing stands and\n%v\nwhere something does, want the same refusal", e, without, with)
		}
	}
}

// The history says why somebody took up a role, even where the change itself gives no reason.
func TestReasonsOfActivations(t *testing.T) {
	w := world{}.add(basicRoles...).add(eligible(grant(ben, "secret", project)), eligible(grant(ben, "worker", project)))
	for given, want := range map[string]string{"": "cover; ticket 7", "on call": "on call; cover; ticket 7", "break-glass: cover": "break-glass: cover; ticket 7"} {
		first, second := activation(ben, "secret", shot, 1), activation(ben, "worker", shot, 1)
		first.Activation.Reason, second.Activation.Reason = "cover", "ticket 7"
		p, err := w.snapshot(t).Propose(rolecall.Change{Meta: rolecall.Meta{Actor: ben, Time: day(0), Reason: given}, Edits: []rolecall.Edit{first, second}})
		if err != nil || p.Entry().Reason != want {
			t.Errorf("Propose(two activations, because of %q): %v, kept with reason %q, want %q", given, err, p.Entry().Reason, want)
		}
	}
}

// The time of a change is one that can be written.
func TestChangesInFarYears(t *testing.T) {
	s := world{}.add(basicRoles...).snapshot(t).At(day(0))
	for year, want := range map[int]error{-1: rolecall.ErrInvalid, 0: nil, 9999: nil, 10000: rolecall.ErrInvalid} {
		_, err := s.Propose(rolecall.Change{Meta: rolecall.Meta{Time: time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)}, Edits: []rolecall.Edit{rolecall.Put(grant(ann, "worker", project))}})
		if !errors.Is(err, want) {
			t.Errorf("Propose(a change in the year %d): %v, want %v", year, err, want)
		}
	}
}
