package review_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// What random policies are made of: few names, so that statements meet.
var (
	ada, ben, bot                  = rolecall.User("ada"), rolecall.User("ben"), rolecall.Service("bot")
	layout, crew, studio           = rolecall.Group("layout"), rolecall.Group("crew"), rolecall.Group("studio")
	everyone                       = rolecall.Everyone()
	stranger                       = rolecall.User("named nowhere")
	users                          = []rolecall.Subject{ada, ben, bot}
	groups                         = []rolecall.Subject{layout, crew, studio} // each joins later ones only
	subjects                       = slices.Concat(users, groups, []rolecall.Subject{everyone})
	global, alpha, beta            = rolecall.Global(), rolecall.In("project", "alpha"), rolecall.In("project", "beta")
	shot                           = alpha.In("shot", "010")
	task                           = shot.In("task", "anim")
	scopes                         = []rolecall.Scope{global, alpha, beta, shot, task}
	conditions                     = []rolecall.Condition{"assigned", "own", "office-hours"}
	roleNames                      = []rolecall.RoleName{"lead", "artist", "viewer"} // each inherits from later ones only
	patterns                       = []rolecall.Pattern{"*", "task.*", "*.view", "task.view", "task.update", "rolecall.*"}
	taskView, taskUpdate, shotView = rolecall.NewPermission("task.view"), rolecall.NewPermission("task.update"), rolecall.NewPermission("shot.view")
)

func day(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }

func newCatalog(permissions ...rolecall.Permission) *rolecall.Catalog {
	var d rolecall.Declarations
	for _, p := range permissions {
		d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: p})
	}
	for _, c := range conditions {
		d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: c})
	}
	for _, k := range []rolecall.ScopeKind{"project", "shot", "task"} {
		d.ScopeKinds = append(d.ScopeKinds, rolecall.ScopeKindDecl{Kind: k})
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		panic(err)
	}
	return c
}

var catalog = newCatalog(taskView, taskUpdate, shotView)

func snapshotOf(t rapid.TB, statements ...rolecall.Statement) *rolecall.Snapshot {
	s, err := rolecall.NewSnapshot(catalog, statements...)
	if err != nil {
		t.Fatalf("NewSnapshot: %v, want no error; policy:\n%s", err, text(statements))
	}
	return s.At(day(10))
}

func text(statements []rolecall.Statement) string {
	var b strings.Builder
	for _, s := range statements {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

func pick[E any](t *rapid.T, from []E, label string) E { return rapid.SampledFrom(from).Draw(t, label) }

func often(t *rapid.T, percent int, label string) bool {
	return rapid.IntRange(1, 100).Draw(t, label) <= percent
}

func drawWhen(t *rapid.T) rolecall.Condition {
	if often(t, 25, "conditional") {
		return pick(t, conditions, "when")
	}
	return ""
}

// drawWindow draws a window that is over, open, or still to come on day 10.
func drawWindow(t *rapid.T) (w rolecall.Window) {
	if often(t, 70, "always") {
		return w
	}
	w.NotBefore = day(pick(t, []int{1, 5, 12}, "from"))
	if often(t, 50, "ends") {
		w.NotAfter = w.NotBefore.AddDate(0, 0, 4)
	}
	return w
}

// drawPolicy draws all roles and some other statements, in order of their keys.
func drawPolicy(t *rapid.T) []rolecall.Statement {
	byKey := map[rolecall.StatementKey]rolecall.Statement{}
	put := func(s rolecall.Statement) { byKey[rolecall.KeyOf(s)] = s }
	for i, name := range roleNames {
		r := rolecall.Role{Name: name}
		for _, above := range roleNames[i+1:] {
			if often(t, 40, "inherits") {
				r.Inherits = append(r.Inherits, above)
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "rules") {
			effect := pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Allow, rolecall.Allow, rolecall.Allow, rolecall.Except, rolecall.Deny, rolecall.Forbid}, "effect")
			r.Rules = append(r.Rules, rolecall.Rule{Effect: effect, Patterns: []rolecall.Pattern{pick(t, patterns, "pattern"), pick(t, patterns, "pattern")}, When: drawWhen(t)})
		}
		put(r)
	}
	for range rapid.IntRange(0, 5).Draw(t, "memberships") {
		i := rapid.IntRange(0, len(groups)-1).Draw(t, "group")
		put(rolecall.Membership{Member: pick(t, slices.Concat(users, groups[:i]), "member"), Group: groups[i], Window: drawWindow(t)})
	}
	for range rapid.IntRange(0, 8).Draw(t, "grants") {
		put(rolecall.Grant{
			Subject: pick(t, subjects, "holder"), Role: pick(t, roleNames, "role"), Scope: pick(t, scopes, "scope"), When: drawWhen(t),
			Replace: often(t, 15, "replace"), Pierce: often(t, 30, "pierce"), Eligible: often(t, 10, "eligible"), Window: drawWindow(t),
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, "overrides") {
		put(rolecall.Override{
			Subject: pick(t, subjects, "holder"), Effect: pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Deny, rolecall.Forbid}, "effect"),
			Pattern: pick(t, patterns, "pattern"), Scope: pick(t, scopes, "scope"), When: drawWhen(t), Window: drawWindow(t),
		})
	}
	if often(t, 20, "suspension") {
		put(rolecall.Suspension{Subject: pick(t, subjects[:len(subjects)-1], "suspended")})
	}
	if often(t, 40, "private") {
		put(rolecall.PrivateScope{Scope: pick(t, scopes[1:], "private scope")})
	}
	var all []rolecall.Statement
	for _, s := range byKey {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b rolecall.Statement) int { return rolecall.KeyOf(a).Compare(rolecall.KeyOf(b)) })
	return all
}

// allFacts are the ways in which the conditions can hold or fail.
func allFacts() []rolecall.Given {
	sets := []rolecall.Given{{}}
	for _, c := range conditions {
		for _, s := range slices.Clone(sets) {
			sets = append(sets, append(slices.Clip(s), c))
		}
	}
	return sets
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
