package rolecall_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// What worlds are made of.
var (
	seeTask   = rolecall.NewPermission("task.view")
	editTask  = rolecall.NewPermission("task.update")
	setStatus = rolecall.NewPermission("task.status.update")
	seeShot   = rolecall.NewPermission("shot.view")

	permissions = []rolecall.Permission{
		seeTask, editTask, setStatus, seeShot,
		rolecall.GrantCreate, rolecall.RoleCreate, rolecall.ConstraintUpdate, rolecall.Escalate,
	}
	patterns = []rolecall.Pattern{
		"*", "task.*", "*.view", "task.view", "*.*", "*.update", "task.*.update", "task.update", "*.*.*",
		"rolecall.*", "rolecall.grant.*", "rolecall.grant.create", "*.create", "rolecall.*.update", "*.escalate",
		"rolecall.escalate", "rolecall.constraint.update", "*.constraint.update",
	}
	conditions = []rolecall.Condition{"assigned", "own", "office-hours"}

	ann, ben, bot, guest = rolecall.User("ann"), rolecall.User("ben"), rolecall.Service("bot"), rolecall.Guest("ann")
	// A group only ever joins one that stands later, so that there is no cycle.
	crowds, layout, animation, studio = rolecall.Group("crowds"), rolecall.Group("layout"), rolecall.Group("animation"), rolecall.Group("ann")

	users    = []rolecall.Subject{ann, ben, bot, guest}
	groups   = []rolecall.Subject{crowds, layout, animation, studio}
	everyone = rolecall.Everyone()
	stranger = rolecall.User("named nowhere")
	subjects = slices.Concat(users, groups, []rolecall.Subject{everyone})

	global  = rolecall.Global()
	project = rolecall.In("project", "p")
	shot    = project.In("shot", "s")
	task    = shot.In("task", "t").In("task", "t")
	sibling = rolecall.In("project", "p2")
	other   = sibling.In("shot", "s")

	// Further in than a scope keeps the hashes of, and further than the shortest way to an answer looks.
	deeper  = task.In("shot", "s").In("task", "t")
	deepest = deeper.In("task", "t").In("task", "t").In("task", "t")

	scopes = []rolecall.Scope{global, project, shot, task, sibling, other, deeper, deepest}

	roleNames = []rolecall.RoleName{"r0", "r1", "r2", "r3", "r4"} // a role inherits only from later ones

	effects = []rolecall.Effect{rolecall.Allow, rolecall.Except, rolecall.Deny, rolecall.Forbid}

	instants = []time.Time{day(0), day(1), day(2), day(3)}
)

func day(n int) time.Time { return time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC) }

// newCatalog declares what worlds are made of.
func newCatalog() *rolecall.Catalog {
	var d rolecall.Declarations
	for _, p := range permissions {
		if !strings.HasPrefix(p.String(), "rolecall.") {
			d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: p})
		}
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

var worldCatalog = newCatalog()

// add returns the world with more statements.
func (w world) add(more ...rolecall.Statement) world {
	for _, s := range more {
		switch s := s.(type) {
		case rolecall.Role:
			w.roles = append(slices.Clip(w.roles), s)
		case rolecall.Membership:
			w.members = append(slices.Clip(w.members), s)
		case rolecall.Grant:
			w.grants = append(slices.Clip(w.grants), s)
		case rolecall.Override:
			w.overrides = append(slices.Clip(w.overrides), s)
		case rolecall.Suspension:
			w.suspensions = append(slices.Clip(w.suspensions), s)
		case rolecall.PrivateScope:
			w.privates = append(slices.Clip(w.privates), s)
		case rolecall.Constraint:
			w.constraints = append(slices.Clip(w.constraints), s)
		}
	}
	return w
}

// worldOf returns the world of these statements; of those with one key the last one stands.
func worldOf(statements []rolecall.Statement) world {
	last := map[rolecall.StatementKey]int{}
	for i, s := range statements {
		last[rolecall.KeyOf(s)] = i
	}
	var w world
	for i, s := range statements {
		if last[rolecall.KeyOf(s)] == i {
			w = w.add(s)
		}
	}
	return w
}

// put returns the world with the statements added, each in the place of the one with its key.
func (w world) put(more ...rolecall.Statement) world { return worldOf(append(w.statements(), more...)) }

// without returns the world without the statement that has the key of s.
func (w world) without(s rolecall.Statement) world {
	return worldOf(slices.DeleteFunc(w.statements(), func(o rolecall.Statement) bool { return rolecall.KeyOf(o) == rolecall.KeyOf(s) }))
}

// has says whether a statement with the key of s is there.
func (w world) has(s rolecall.Statement) bool {
	return slices.ContainsFunc(w.statements(), func(o rolecall.Statement) bool { return rolecall.KeyOf(o) == rolecall.KeyOf(s) })
}

func (w world) statements() []rolecall.Statement {
	var all []rolecall.Statement
	all = appendAll(all, w.roles)
	all = appendAll(all, w.members)
	all = appendAll(all, w.grants)
	all = appendAll(all, w.overrides)
	all = appendAll(all, w.suspensions)
	all = appendAll(all, w.privates)
	return appendAll(all, w.constraints)
}

func appendAll[S rolecall.Statement](all []rolecall.Statement, some []S) []rolecall.Statement {
	for _, s := range some {
		all = append(all, s)
	}
	return all
}

// String returns the policy in its text form.
func (w world) String() string {
	var b strings.Builder
	for _, s := range w.statements() {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// named returns every subject but groups that a statement names, and without repetition.
func (w world) named() []rolecall.Subject {
	var all []rolecall.Subject
	for _, m := range w.members {
		all = append(all, m.Member)
	}
	for _, g := range w.grants {
		all = append(all, g.Subject)
	}
	for _, o := range w.overrides {
		all = append(all, o.Subject)
	}
	for _, s := range w.suspensions {
		all = append(all, s.Subject)
	}
	all = slices.DeleteFunc(all, rolecall.Subject.IsGroup)
	slices.SortFunc(all, rolecall.Subject.Compare)
	return slices.Compact(all)
}

// snapshot builds the world's snapshot.
func (w world) snapshot(t rapid.TB) *rolecall.Snapshot {
	s, err := rolecall.NewSnapshot(worldCatalog, w.statements()...)
	if err != nil {
		t.Fatalf("NewSnapshot: %v, want no error; policy:\n%s", err, w)
	}
	return s
}

// String writes the question as a scenario step would.
func (q question) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s at %s", q.subject, q.permission, q.scope)
	for _, c := range conditions {
		if t := q.facts[c]; t != no {
			b.WriteString([]string{yes: " given ", fails: " given unknown ", panics: " given unknown (panic) "}[t] + string(c))
		}
	}
	if len(q.groups) > 0 {
		fmt.Fprintf(&b, " with %v", q.groups)
	}
	if q.byRole {
		fmt.Fprintf(&b, " roles %v", q.roles)
	}
	if q.byPattern {
		fmt.Fprintf(&b, " only %v", q.patterns)
	}
	if !q.actor.IsZero() {
		fmt.Fprintf(&b, " actor %s", q.actor)
	}
	fmt.Fprintf(&b, " now %s", rolecall.FormatTime(q.now))
	return b.String()
}

func (a *asker) narrowing() rolecall.Narrowing {
	switch {
	case a.byRole && a.byPattern:
		return rolecall.ToRoles(a.roles...).AndPatterns(a.patterns...)
	case a.byRole:
		return rolecall.ToRoles(a.roles...)
	case a.byPattern:
		return rolecall.ToPatterns(a.patterns...)
	}
	return rolecall.Narrowing{}
}

// plain says whether Snapshot.Check can ask for a, which takes a subject and nothing more.
func (a *asker) plain() bool {
	return len(a.groups) == 0 && a.actor.IsZero() && !a.byRole && !a.byPattern
}

func (q question) request() rolecall.Request {
	return rolecall.Request{
		Subject: q.subject, Permission: q.permission, Scope: q.scope, Now: q.now, Facts: q.facts,
		Groups: q.groups, Actor: q.actor, Narrow: q.narrowing(),
	}
}

// verdictOf reads the error of a check.
func verdictOf(err error) verdict {
	switch {
	case err == nil:
		return allowed
	case errors.Is(err, rolecall.ErrDenied):
		return denied
	case errors.Is(err, rolecall.ErrSeparation):
		return separation
	}
	return verdict("error " + err.Error())
}

// ask answers by Snapshot.Decide.
func ask(s *rolecall.Snapshot, q question) verdict {
	d, err := s.Decide(q.request())
	if err != nil {
		if d.Allowed() {
			return "allowed with error " + verdict(err.Error())
		}
		return verdictOf(err)
	}
	return verdictOf(d.Err())
}

// A bench asks the engine many questions of one world in every way there is.
type bench struct {
	world    world
	snapshot *rolecall.Snapshot
	at       map[time.Time]*rolecall.Snapshot
	views    map[*asker]view
}

type view struct {
	*rolecall.View
	err error
}

func newBench(t rapid.TB, w world) *bench {
	return &bench{w, w.snapshot(t), map[time.Time]*rolecall.Snapshot{}, map[*asker]view{}}
}

func (b *bench) now(t time.Time) *rolecall.Snapshot {
	if b.at[t] == nil {
		b.at[t] = b.snapshot.At(t)
	}
	return b.at[t]
}

func (b *bench) view(a *asker) view {
	v, ok := b.views[a]
	if !ok {
		v.View, v.err = b.now(a.now).For(a.subject, &rolecall.ViewOptions{Groups: a.groups, Actor: a.actor, Narrow: a.narrowing()})
		b.views[a] = v
	}
	return v
}

// drawView draws a world, and somebody who asks about it.
func drawView(t *rapid.T) (*bench, view) {
	b := newBench(t, drawWorld(t))
	v := b.view(drawAsker(t))
	if v.err != nil {
		t.Skip("the asker's session is refused")
	}
	return b, v
}

// mustAgree fails unless Decide, Check and View.Check answer as the naive evaluator does, and do so without facts too:
// that goes another way through the engine than with facts of which none holds.
func (b *bench) mustAgree(t rapid.TB, q question) {
	want := b.world.decide(q)
	if got := ask(b.snapshot, q); got != want {
		t.Fatalf("Decide(%s) = %s, want %s; policy:\n%s", q, got, want, b.world)
	}
	if q.plain() {
		if got := verdictOf(b.now(q.now).Check(q.subject, q.permission, q.scope, q.facts)); got != want {
			t.Fatalf("Check(%s) = %s, want %s; policy:\n%s", q, got, want, b.world)
		}
	}
	v := b.view(q.asker)
	if v.err != nil {
		if got := verdictOf(v.err); got != want {
			t.Fatalf("For(%s): %s, want %s; policy:\n%s", q, got, want, b.world)
		}
		return
	}
	if got := verdictOf(v.Check(q.permission, q.scope, q.facts)); got != want {
		t.Fatalf("View.Check(%s) = %s, want %s; policy:\n%s", q, got, want, b.world)
	}
	b.mustAgreeWithoutFacts(t, q, want)
}

func (b *bench) mustAgreeWithoutFacts(t rapid.TB, q question, want verdict) {
	if len(q.facts) > 0 {
		q.facts = nil
		want = b.world.decide(q)
	}
	if q.plain() {
		if got := verdictOf(b.now(q.now).Check(q.subject, q.permission, q.scope)); got != want {
			t.Fatalf("Check(%s) without facts = %s, want %s; policy:\n%s", q, got, want, b.world)
		}
	}
	if got := verdictOf(b.view(q.asker).Check(q.permission, q.scope)); got != want {
		t.Fatalf("View.Check(%s) without facts = %s, want %s; policy:\n%s", q, got, want, b.world)
	}
}

// product yields the base with one option of each slot, in every combination.
func product(base world, slots ...[][]rolecall.Statement) iter.Seq[world] {
	return func(yield func(world) bool) {
		var fill func(world, int) bool
		fill = func(w world, n int) bool {
			if n == len(slots) {
				return yield(w)
			}
			for _, option := range slots[n] {
				if !fill(w.add(option...), n+1) {
					return false
				}
			}
			return true
		}
		fill(base, 0)
	}
}

// upTo yields the base with every choice of at most n of the candidates in which no two have the same key.
func upTo(n int, base world, candidates []rolecall.Statement) iter.Seq[world] {
	return func(yield func(world) bool) {
		var choose func(world, []rolecall.Statement, int) bool
		choose = func(w world, rest []rolecall.Statement, n int) bool {
			if !yield(w) {
				return false
			}
			for i := range rest {
				if n > 0 && !w.has(rest[i]) && !choose(w.add(rest[i]), rest[i+1:], n-1) {
					return false
				}
			}
			return true
		}
		choose(base, candidates, n)
	}
}

// options makes a slot: nothing, or one of the statements.
func options(statements ...rolecall.Statement) [][]rolecall.Statement {
	slot := [][]rolecall.Statement{nil}
	for _, s := range statements {
		slot = append(slot, []rolecall.Statement{s})
	}
	return slot
}

// subsets returns every subset of the elements, the empty one first.
func subsets[E any](elements ...E) [][]E {
	sets := [][]E{nil}
	for _, e := range elements {
		for _, s := range slices.Clone(sets) {
			sets = append(sets, append(slices.Clip(s), e))
		}
	}
	return sets
}

// Random worlds. Everything is drawn from small sets, so that statements meet.

// upToN generates 0 to n-1, each as often as the others: rapid's own ranges prefer small numbers, which makes worlds
// in which little is said.
func upToN(n int) *rapid.Generator[int] {
	return rapid.Custom(func(t *rapid.T) int {
		v := 0
		for bits := n << 2; bits > 0; bits >>= 1 {
			v <<= 1
			if rapid.Bool().Draw(t, "bit") {
				v++
			}
		}
		return v % n
	})
}

func often(t *rapid.T, percent int, label string) bool {
	return upToN(100).Draw(t, label) >= 100-percent
}

func pick[E any](t *rapid.T, from []E, label string) E { return from[upToN(len(from)).Draw(t, label)] }

func some[E any](t *rapid.T, from []E, percent int, label string) []E {
	var out []E
	for _, e := range from {
		if often(t, percent, label) {
			out = append(out, e)
		}
	}
	return out
}

// drawScope prefers the places from which much can be seen.
func drawScope(t *rapid.T) rolecall.Scope {
	return pick(t, slices.Concat(scopes[:3], scopes[:3], scopes), "scope")
}

func drawPattern(t *rapid.T) rolecall.Pattern {
	return pick(t, slices.Concat(patterns[:4], patterns[:4], patterns), "pattern")
}

func drawWhen(t *rapid.T) rolecall.Condition {
	if often(t, 20, "conditional") {
		return pick(t, conditions, "when")
	}
	return ""
}

func drawWindow(t *rapid.T) rolecall.Window {
	if !often(t, 15, "windowed") {
		return rolecall.Window{}
	}
	from := upToN(len(instants)-1).Draw(t, "from")
	until := from + 1 + upToN(len(instants)-1-from).Draw(t, "until")
	w := rolecall.Window{NotBefore: instants[from], NotAfter: instants[until]}
	switch upToN(3).Draw(t, "ends") {
	case 0:
		w.NotAfter = time.Time{}
	case 1:
		w.NotBefore = time.Time{}
	}
	return w
}

func drawEffect(t *rapid.T) rolecall.Effect {
	switch k := upToN(100).Draw(t, "effect"); {
	case k < 70:
		return rolecall.Allow
	case k < 85:
		return rolecall.Deny
	case k < 96:
		return rolecall.Except
	}
	return rolecall.Forbid
}

func drawRule(t *rapid.T) rolecall.Rule {
	return rolecall.Rule{
		Effect:   drawEffect(t),
		Patterns: []rolecall.Pattern{drawPattern(t), drawPattern(t)},
		When:     drawWhen(t),
	}
}

// drawRole draws the role of that number, which inherits from later ones.
func drawRole(t *rapid.T, n int) rolecall.Role {
	r := rolecall.Role{Name: roleNames[n], Inherits: some(t, roleNames[n+1:], 35, "inherits")}
	for range upToN(4).Draw(t, "rules") {
		r.Rules = append(r.Rules, drawRule(t))
	}
	return r
}

func drawMembership(t *rapid.T) rolecall.Membership {
	if often(t, 50, "nested") {
		n := upToN(len(groups)-1).Draw(t, "subgroup")
		return rolecall.Membership{Member: groups[n], Group: pick(t, groups[n+1:], "group"), Window: drawWindow(t)}
	}
	return rolecall.Membership{Member: pick(t, users, "member"), Group: pick(t, groups, "group"), Window: drawWindow(t)}
}

func drawGrant(t *rapid.T) rolecall.Grant {
	return rolecall.Grant{
		Subject: pick(t, subjects, "holder"), Role: pick(t, roleNames, "role"), Scope: drawScope(t), When: drawWhen(t),
		Replace: often(t, 15, "replace"), Pierce: often(t, 30, "pierce"), Eligible: often(t, 8, "eligible"), Window: drawWindow(t),
	}
}

func drawOverride(t *rapid.T) rolecall.Override {
	o := rolecall.Override{
		Subject: pick(t, subjects, "holder"), Effect: drawEffect(t), Pattern: drawPattern(t),
		Scope: drawScope(t), When: drawWhen(t), Window: drawWindow(t),
	}
	if o.Effect == rolecall.Except {
		o.Effect = rolecall.Deny
	}
	return o
}

func drawSuspension(t *rapid.T) rolecall.Suspension {
	return suspend(pick(t, slices.Concat(users[1:], groups), "suspended"))
}

func drawPrivate(t *rapid.T) rolecall.PrivateScope {
	return private(pick(t, scopes[1:], "private"))
}

func drawConstraint(t *rapid.T) rolecall.Constraint {
	n := 2 + upToN(2).Draw(t, "limit")
	roles := rapid.Permutation(roleNames).Draw(t, "separate")[:n+upToN(len(roleNames)-n+1).Draw(t, "of")]
	return rolecall.Constraint{Name: pick(t, []string{"one", "two"}, "constraint"), Kind: rolecall.Dynamic, Limit: n, Roles: roles}
}

// drawStatement draws a statement other than a role.
func drawStatement(t *rapid.T) rolecall.Statement {
	switch k := upToN(100).Draw(t, "statement"); {
	case k < 40:
		return drawGrant(t)
	case k < 60:
		return drawOverride(t)
	case k < 85:
		return drawMembership(t)
	case k < 90:
		return drawPrivate(t)
	case k < 95:
		return drawSuspension(t)
	}
	return drawConstraint(t)
}

// drawWorld draws all roles and up to 40 other statements; in some worlds somebody has many more elsewhere.
func drawWorld(t *rapid.T) world {
	var all []rolecall.Statement
	for n := range roleNames {
		all = append(all, drawRole(t, n))
	}
	for range upToN(41).Draw(t, "statements") {
		all = append(all, drawStatement(t))
	}
	if often(t, 20, "much elsewhere") {
		all = append(all, drawElsewhere(t)...)
	}
	return worldOf(all)
}

// drawElsewhere draws for one holder what is more than is gone through one by one, at projects of which nothing is asked.
func drawElsewhere(t *rapid.T) []rolecall.Statement {
	var list []rolecall.Statement
	holder := pick(t, subjects, "holder of many")
	for n := range 12 {
		at := rolecall.In("project", fmt.Sprint("elsewhere ", n))
		list = append(list, grant(holder, roleNames[n%len(roleNames)], at), override(holder, effects[n%2*2], "*", at))
	}
	return list
}

func drawAsker(t *rapid.T) *asker {
	a := &asker{subject: pick(t, slices.Concat(users, users, subjects, []rolecall.Subject{stranger}), "subject"), now: pick(t, instants, "now")}
	if !a.subject.IsGroup() && often(t, 25, "vouched") { // a group vouched for a group could close a circle
		a.groups = some(t, groups, 40, "with")
	}
	if often(t, 10, "on behalf") {
		a.actor = pick(t, subjects[:len(subjects)-1], "actor")
	}
	if often(t, 15, "narrowed to roles") {
		a.byRole, a.roles = true, some(t, roleNames, 40, "active")
	}
	if often(t, 10, "narrowed to patterns") {
		a.byPattern, a.patterns = true, some(t, patterns, 30, "only")
	}
	return a
}

func drawFacts(t *rapid.T) facts {
	f := facts{}
	for _, c := range conditions {
		f[c] = pick(t, []truth{no, yes, yes, fails, panics}, string(c))
	}
	return f
}

// drawQuestions draws some askers and asks each about some scopes and every permission.
func drawQuestions(t *rapid.T) []question {
	var all []question
	for range 4 {
		a := drawAsker(t)
		for range 2 {
			f, at := drawFacts(t), pick(t, slices.Concat(scopes, []rolecall.Scope{task, shot}), "at")
			for _, p := range permissions {
				all = append(all, question{a, p, at, f})
			}
		}
	}
	return all
}
