package rolecall_test

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
)

// Short names for building worlds.

func rule(e rolecall.Effect, when rolecall.Condition, patterns ...rolecall.Pattern) rolecall.Rule {
	return rolecall.Rule{Effect: e, Patterns: patterns, When: when}
}

func role(name rolecall.RoleName, rules ...rolecall.Rule) rolecall.Role {
	return rolecall.Role{Name: name, Rules: rules}
}

func grant(s rolecall.Subject, r rolecall.RoleName, at rolecall.Scope) rolecall.Grant {
	return rolecall.Grant{Subject: s, Role: r, Scope: at}
}

func override(s rolecall.Subject, e rolecall.Effect, p rolecall.Pattern, at rolecall.Scope) rolecall.Override {
	return rolecall.Override{Subject: s, Effect: e, Pattern: p, Scope: at}
}

func member(s, of rolecall.Subject) rolecall.Membership {
	return rolecall.Membership{Member: s, Group: of}
}

func replacing(g rolecall.Grant) rolecall.Grant { g.Replace = true; return g }

func piercing(g rolecall.Grant) rolecall.Grant { g.Pierce = true; return g }

func eligible(g rolecall.Grant) rolecall.Grant { g.Eligible = true; return g }

func grantWhen(g rolecall.Grant, c rolecall.Condition) rolecall.Grant { g.When = c; return g }

func overrideWhen(o rolecall.Override, c rolecall.Condition) rolecall.Override { o.When = c; return o }

func suspend(s rolecall.Subject) rolecall.Suspension { return rolecall.Suspension{Subject: s} }

func private(t rolecall.Scope) rolecall.PrivateScope { return rolecall.PrivateScope{Scope: t} }

// An alphabet is a family of worlds, all of them, and the questions to ask in each.
type alphabet struct {
	name      string
	worlds    iter.Seq[world]
	questions []question
}

// Roles of the alphabets: one for each thing that a role can say.
var simpleRoles = []rolecall.Statement{
	role("allows", rule(rolecall.Allow, "", "task.*")),
	role("denies", rule(rolecall.Deny, "", "task.view")),
	role("excepts", rule(rolecall.Allow, "", "*"), rule(rolecall.Except, "", "*.view")),
	role("silent", rule(rolecall.Allow, "", "shot.view")),
	role("forbids", rule(rolecall.Forbid, "", "*")),
}

// ann is in crowds, crowds is in animation.
var nested = world{}.add(simpleRoles...).add(member(ann, crowds), member(crowds, animation))

func now(s rolecall.Subject) *asker { return &asker{subject: s, now: day(1)} }

// cross asks every asker about every scope under every set of facts.
func cross(p rolecall.Permission, askers []*asker, at []rolecall.Scope, given ...facts) []question {
	if given == nil {
		given = []facts{nil}
	}
	var all []question
	for _, a := range askers {
		for _, t := range at {
			for _, f := range given {
				all = append(all, question{a, p, t, f})
			}
		}
	}
	return all
}

// pointEffects places an override or nothing at every pair of a holder and a scope.
func pointEffects(holders []rolecall.Subject, at []rolecall.Scope, effects ...rolecall.Effect) [][][]rolecall.Statement {
	var slots [][][]rolecall.Statement
	for _, h := range holders {
		for _, t := range at {
			var some []rolecall.Statement
			for _, e := range effects {
				some = append(some, override(h, e, "task.*", t))
			}
			slots = append(slots, options(some...))
		}
	}
	return slots
}

// Every effect at every point of three holders and two scopes: the order of points and the verdict.
func allEffects() alphabet {
	holders := []rolecall.Subject{ann, crowds, everyone}
	slots := pointEffects(holders, []rolecall.Scope{global, project}, rolecall.Allow, rolecall.Deny, rolecall.Forbid)
	askers := []*asker{now(ann), now(crowds), now(ben)}
	return alphabet{"effects", product(nested, slots...), cross(seeTask, askers, []rolecall.Scope{global, shot, sibling})}
}

// Allow or deny at every point of three nested holders and three scopes: what is nearer, what is beside.
func allNearness() alphabet {
	holders := []rolecall.Subject{ann, crowds, animation}
	slots := pointEffects(holders, []rolecall.Scope{global, project, shot}, rolecall.Allow, rolecall.Deny)
	return alphabet{"nearness", product(nested, slots...), cross(seeTask, []*asker{now(ann), now(crowds)}, []rolecall.Scope{project, shot, task})}
}

// Up to three statements of everything that can stand at a point, with privacy and suspension.
func allKinds() alphabet {
	candidates := []rolecall.Statement{private(project), private(shot), suspend(ann), suspend(crowds), suspend(animation)}
	for _, h := range []rolecall.Subject{ann, crowds, animation, everyone} {
		for _, t := range []rolecall.Scope{global, project, shot} {
			candidates = append(candidates,
				override(h, rolecall.Allow, "*", t), override(h, rolecall.Deny, "task.view", t),
				grant(h, "allows", t), replacing(piercing(grant(h, "allows", t))), replacing(grant(h, "silent", t)), piercing(grant(h, "denies", t)))
		}
	}
	return alphabet{"kinds", upTo(3, nested, candidates), slices.Concat(
		cross(seeTask, []*asker{now(ann)}, []rolecall.Scope{global, project, task}),
		cross(seeTask, []*asker{now(crowds), now(ben)}, []rolecall.Scope{shot}),
	)}
}

// Five points with replace, pierce and plain allow under every choice of private scopes.
func allPrivacy() alphabet {
	slots := [][][]rolecall.Statement{options(private(project)), options(private(shot)), options(private(task))}
	for _, p := range []point{{ann, "/"}, {ann, "/project:p"}, {crowds, "/project:p"}, {animation, "/project:p/shot:s"}, {everyone, "/"}} {
		t, _ := rolecall.ParseScope(p.scope)
		g := grant(p.holder, "allows", t)
		slots = append(slots, options(g, piercing(g), replacing(g), override(p.holder, rolecall.Deny, "*", t)))
	}
	return alphabet{"privacy", product(nested, slots...), cross(seeTask, []*asker{now(ann)}, []rolecall.Scope{global, project, shot, task})}
}

// Allows, replaces and exceptions under roles that deny nothing, where a check stops as soon as it may; the group above is
// known before the one below.
func allMeek() alphabet {
	base := world{}.add(simpleRoles[0], simpleRoles[3], member(animation, studio), member(ann, crowds), member(crowds, animation))
	slots := [][][]rolecall.Statement{options(private(shot)), options(override(everyone, rolecall.Allow, "task.*", global), override(everyone, rolecall.Deny, "task.*", global))}
	for _, h := range []rolecall.Subject{ann, crowds, animation} {
		for _, t := range []rolecall.Scope{project, shot} {
			slots = append(slots, options(grant(h, "allows", t), replacing(grant(h, "silent", t))))
		}
	}
	return alphabet{"meek", product(base, slots...), cross(seeTask, []*asker{now(ann), now(crowds)}, []rolecall.Scope{project, shot})}
}

// Every way in which four roles inherit from later ones, each saying nothing or any effect itself; user n holds role n.
func allInheritance() alphabet {
	names, holders := roleNames[:4], users
	var base world
	for i := range names {
		base = base.add(grant(holders[i], names[i], project))
	}
	worlds := func(yield func(world) bool) {
		for edges := range 1 << 6 {
			for says := range 5 * 5 * 5 * 5 {
				if !yield(base.add(fourRoles(edges, says)...)) {
					return
				}
			}
		}
	}
	askers := []*asker{now(holders[0]), now(holders[1]), now(holders[2])}
	for _, active := range [][]rolecall.RoleName{{"r1"}, {"r2"}, {"r1", "r3"}} {
		askers = append(askers, &asker{subject: ann, now: day(1), byRole: true, roles: active})
	}
	return alphabet{"inheritance", worlds, cross(seeTask, askers, []rolecall.Scope{shot})}
}

// fourRoles reads the edges as bits (0→1, 0→2, 0→3, 1→2, 1→3, 2→3) and what they say as digits.
func fourRoles(edges, says int) []rolecall.Statement {
	var roles []rolecall.Statement
	for i := range 4 {
		r := rolecall.Role{Name: roleNames[i]}
		for j := i + 1; j < 4; j++ {
			if edges&1 == 1 {
				r.Inherits = append(r.Inherits, roleNames[j])
			}
			edges >>= 1
		}
		if says%5 > 0 {
			r.Rules = []rolecall.Rule{rule(effects[says%5-1], "", "task.view")}
		}
		says /= 5
		roles = append(roles, r)
	}
	return roles
}

// Conditions on rules, inherited rules, grants, overrides and replace, under every answer to both of them.
func allConditions() alphabet {
	var slots [][][]rolecall.Statement
	for _, name := range []rolecall.RoleName{"heir", "parent"} {
		var some [][]rolecall.Statement
		for _, e := range effects {
			for _, c := range []rolecall.Condition{"", "assigned"} {
				r := role(name, rule(e, c, "task.view"), rule(rolecall.Deny, "", "shot.view"))
				if name == "heir" {
					r.Inherits = []rolecall.RoleName{"parent"}
				}
				some = append(some, []rolecall.Statement{r})
			}
		}
		slots = append(slots, some)
	}
	g := grant(crowds, "heir", project)
	slots = append(slots, [][]rolecall.Statement{{g}, {grantWhen(g, "assigned")}, {grantWhen(g, "own")}, {grantWhen(replacing(g), "own")}})
	slots = append(slots, options(
		overrideWhen(override(ann, rolecall.Allow, "*", project), "own"), overrideWhen(override(ann, rolecall.Deny, "*", shot), "own"),
		overrideWhen(override(everyone, rolecall.Forbid, "*", global), "assigned"), overrideWhen(override(crowds, rolecall.Deny, "task.*", project), "assigned"),
		overrideWhen(override(crowds, rolecall.Allow, "task.*", project), "assigned"),
		grantWhen(replacing(grant(ann, "silent", project)), "own"), grantWhen(replacing(grant(ann, "allows", global)), "assigned"),
	))
	slots = append(slots, options(grant(animation, "allows", project), override(animation, rolecall.Deny, "task.view", shot), override(ann, rolecall.Allow, "task.view", global)))
	var given []facts
	for _, a := range []truth{no, yes, fails} {
		for _, o := range []truth{no, yes, panics} {
			given = append(given, facts{"assigned": a, "own": o})
		}
	}
	return alphabet{"conditions", product(nested, slots...), cross(seeTask, []*asker{now(ann), now(crowds)}, []rolecall.Scope{shot}, given...)}
}

// windows are all the windows between two instants, and the empty choice of having none.
var windows = []rolecall.Window{{}, {NotBefore: day(1)}, {NotAfter: day(2)}, {NotBefore: day(1), NotAfter: day(2)}}

// Windows on both memberships of a path, on grants and on an override, at and around every instant.
func allWindows() alphabet {
	slots := make([][][]rolecall.Statement, 5)
	for _, w := range windows {
		inner, outer := member(ann, crowds), member(crowds, animation)
		plain, replace, deny := grant(animation, "allows", project), replacing(grant(crowds, "silent", project)), override(ann, rolecall.Deny, "*", global)
		inner.Window, outer.Window, plain.Window, replace.Window, deny.Window = w, w, w, w, w
		for i, s := range []rolecall.Statement{inner, outer, plain, replace, deny} {
			slots[i] = append(slots[i], []rolecall.Statement{s})
		}
	}
	for i := range slots {
		slots[i] = append(slots[i], nil)
	}
	var askers []*asker
	for _, at := range []time.Time{day(1).Add(-1), day(1), day(2).Add(-1), day(2)} {
		askers = append(askers, &asker{subject: ann, now: at}, &asker{subject: crowds, now: at})
	}
	return alphabet{"windows", product(world{}.add(simpleRoles...), slots...), cross(seeTask, askers, []rolecall.Scope{shot})}
}

// Every graph of three groups over a user, each suspended or not, each saying nothing or something.
func allSuspension() alphabet {
	three := groups[:3]
	var slots [][][]rolecall.Statement
	for i, g := range three {
		slots = append(slots, options(member(ann, g)), options(suspend(g)))
		for _, above := range three[i+1:] {
			slots = append(slots, options(member(g, above)))
		}
		slots = append(slots, options(grant(g, "allows", project), override(g, rolecall.Deny, "*", project), replacing(grant(g, "silent", project))))
	}
	vouched := &asker{subject: ben, now: day(1), groups: three[:1]}
	both := &asker{subject: ann, now: day(1), groups: three[1:2], actor: three[0]}
	return alphabet{"suspension", product(world{}.add(simpleRoles...), slots...), cross(seeTask, []*asker{now(ann), now(three[1]), vouched, both}, []rolecall.Scope{project})}
}

// Every set of overrides and grants at one point.
func allAtOnePoint() alphabet {
	var slots [][][]rolecall.Statement
	for _, p := range []rolecall.Pattern{"task.view", "task.*", "*"} {
		slots = append(slots, options(override(ann, rolecall.Allow, p, project), override(ann, rolecall.Deny, p, project), override(ann, rolecall.Forbid, p, project)))
	}
	for _, r := range []rolecall.RoleName{"allows", "denies", "excepts"} {
		g := grant(ann, r, project)
		slots = append(slots, options(g, replacing(g)))
	}
	slots = append(slots, options(grant(ann, "forbids", project), eligible(replacing(grant(ann, "forbids", project)))), options(grant(crowds, "allows", project)), options(private(shot)))
	asSession := &asker{subject: ann, now: day(1), byRole: true, roles: []rolecall.RoleName{"allows"}}
	return alphabet{"one point", product(nested, slots...), cross(seeTask, []*asker{now(ann), asSession}, []rolecall.Scope{project, task})}
}

// Sessions: every set of active roles, with and without constraints, and patterns besides.
func allNarrowing() alphabet {
	var slots [][][]rolecall.Statement
	for i, name := range roleNames[:3] {
		var some [][]rolecall.Statement
		for _, inherits := range subsets(roleNames[i+1 : 3]...) {
			for _, e := range append([]rolecall.Effect{0}, effects[:3]...) {
				r := rolecall.Role{Name: name, Inherits: inherits}
				if e != 0 {
					r.Rules = []rolecall.Rule{rule(e, "", "task.*")}
				}
				some = append(some, []rolecall.Statement{r})
			}
		}
		slots = append(slots, some)
	}
	slots = append(slots,
		[][]rolecall.Statement{{grant(ann, "r0", project)}, {grant(ann, "r1", project), replacing(grant(ann, "r0", global))}, {grant(crowds, "r0", global), override(ann, rolecall.Allow, "*", project)}},
		options(rolecall.Constraint{Name: "c", Kind: rolecall.Dynamic, Limit: 2, Roles: roleNames[:3]}, rolecall.Constraint{Name: "c", Kind: rolecall.Dynamic, Limit: 2, Roles: roleNames[1:3]}),
	)
	var askers []*asker
	for _, active := range subsets(roleNames[:3]...) {
		askers = append(askers, &asker{subject: ann, now: day(1), byRole: true, roles: active})
	}
	askers = append(askers, &asker{subject: ann, now: day(1), byRole: true, roles: roleNames[:1], byPattern: true, patterns: []rolecall.Pattern{"*.view"}},
		&asker{subject: ann, now: day(1), byPattern: true, patterns: []rolecall.Pattern{"task.*.*", "shot.view"}}, &asker{subject: ann, now: day(1), byPattern: true})
	base := world{}.add(member(ann, crowds))
	return alphabet{"narrowing", product(base, slots...), slices.Concat(cross(seeTask, askers, []rolecall.Scope{shot}), cross(setStatus, askers[8:], []rolecall.Scope{shot}))}
}

// Every pattern in a rule or an override, allowed, denied or as a narrowing, and every permission.
func allPatterns() alphabet {
	worlds := func(yield func(world) bool) {
		for _, closed := range [][]rolecall.Statement{nil, {private(project)}} {
			for _, p := range patterns {
				for _, deny := range append([]rolecall.Pattern{""}, patterns...) {
					w := world{}.add(closed...).add(role("one", rule(rolecall.Allow, "", p)), grant(ann, "one", global), override(ben, rolecall.Allow, p, global))
					if deny != "" {
						w = w.add(override(ann, rolecall.Deny, deny, shot), override(ben, rolecall.Forbid, deny, project))
					}
					if !yield(w) {
						return
					}
				}
			}
		}
	}
	askers := []*asker{now(ann), now(ben), {subject: ann, now: day(1), byPattern: true, patterns: []rolecall.Pattern{"*", "rolecall.escalate"}},
		{subject: ben, now: day(1), byPattern: true, patterns: []rolecall.Pattern{"*.update"}}}
	var all []question
	for _, p := range permissions {
		all = append(all, cross(p, askers, []rolecall.Scope{shot})...)
	}
	return alphabet{"patterns", worlds, all}
}

// The fewest decisions that a full run compares.
const fewestDecisions = 1_000_000

// A short run takes the first worlds of each alphabet, which says all of the smallest ones, and of the others every
// 97th, a number that shares no factor with the numbers of options.
const (
	sampleFirst = 700
	sampleEvery = 97
)

// TestAllSmallWorlds compares the engine with the naive evaluator on all worlds of some small alphabets. A short run
// and one under the race detector take a sample of them.
func TestAllSmallWorlds(t *testing.T) {
	sampled := testing.Short() || raceDetector
	total := 0
	for _, a := range []alphabet{
		allEffects(), allNearness(), allKinds(), allPrivacy(), allMeek(), allInheritance(), allConditions(), allWindows(),
		allSuspension(), allAtOnePoint(), allNarrowing(), allPatterns(),
	} {
		t.Run(a.name, func(t *testing.T) {
			n, decisions := 0, 0
			for w := range a.worlds {
				if n++; sampled && n > sampleFirst && n%sampleEvery != 0 {
					continue
				}
				b := newBench(t, w)
				for _, q := range a.questions {
					b.mustAgree(t, q)
				}
				decisions += len(a.questions)
			}
			t.Logf("%d worlds, %d decisions compared", n, decisions)
			total += decisions
		})
	}
	t.Logf("%d decisions compared", total)
	if !sampled && total < fewestDecisions {
		t.Errorf("%d decisions compared, want at least %d", total, fewestDecisions)
	}
}

// TestManyVoices: hundreds of roles deny, one that inherits them all allows, and hundreds inherit all of these: the one that
// inherits overrides, on each way.
func TestManyVoices(t *testing.T) {
	top := rolecall.Role{Name: "top", Inherits: []rolecall.RoleName{"allows"}}
	allows := roleOf("allows", "task.*")
	var statements []rolecall.Statement
	for n := range 400 {
		name := rolecall.RoleName(fmt.Sprint("denies", n))
		statements = append(statements, role(name, rule(rolecall.Deny, "", "task.*")))
		allows.Inherits, top.Inherits = append(allows.Inherits, name), append(top.Inherits, name)
	}
	for n := range 400 {
		statements = append(statements, rolecall.Role{Name: rolecall.RoleName(fmt.Sprint("heir", n)), Inherits: []rolecall.RoleName{"top"}})
	}
	s := snapshotOf(t, smallCatalog(t), append(statements, top, allows, grant(userAda, "heir399", rolecall.Global()))...)
	if err := s.Check(userAda, mayView, projectAlpha); err != nil {
		t.Errorf("Check through an heir of what overrides 400 denials: %v, want no error", err)
	}
}
