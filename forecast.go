package rolecall

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
)

// Forecasting: what a change does. Whose verdicts it can alter, where and of what is found first (affected.go). For each of
// them the rules before and after are compared at every place inside where one of them changes; survey.go finds these. It
// does not matter where more is compared than need be, since the comparison is exact.

// A task is where and of what the verdicts of a subject may change.
type task struct {
	roots       map[Scope]bool
	permissions permset
	own         bool // of one subject alone

	points []Scope // the roots in order of the tree, once prepared
	outer  []Scope // those inside no other one
	near   [2]near // before and after
}

// near are the places whose statements bear on something inside the roots: those there and above. Where there are many
// they are not listed, but told by their scopes.
type near struct {
	policy *policy
	listed bool
	places []*place // in order
}

// maxNear is how many places are listed.
const maxNear = 64

// taskOf returns where and of what a change can alter something for a holder.
func (f *forecast) taskOf(reach touch) *task {
	t := &task{roots: map[Scope]bool{}, permissions: newPermset(len(f.after.policy.catalog.permissions))}
	for at, c := range reach {
		t.roots[at.scope] = true
		t.permissions.or(c.permissions)
	}
	return t
}

// with returns a task that has both; tasks that subjects share are not changed.
func (t *task) with(other *task) *task {
	if t == other {
		return other
	}
	both := &task{roots: maps.Clone(t.roots), permissions: slices.Clone(t.permissions)}
	maps.Copy(both.roots, other.roots)
	both.permissions.or(other.permissions)
	return both
}

// A like is a task for subjects whom nothing tells apart.
type like struct {
	task     *task
	likeness string
}

// A forecast compares two snapshots.
type forecast struct {
	before, after *Snapshot
	tasks         map[Subject]*task
	likes         map[like]*effects
	alike         map[string]*effects // of subjects with nothing of their own in reach, by their groups
	pool          *verdictPool
	pooled        map[*verdictNode]*verdictNode
}

func (f *forecast) policies() [2]*policy { return [2]*policy{f.before.policy, f.after.policy} }

// run returns what happens to each subject concerned; Everyone stands for all others where it is there.
func (f *forecast) run(deltas []Delta) (map[Subject]*effects, error) {
	for who, reach := range touchOf(f.before.policy, f.after.policy, deltas, true).by {
		f.add(f.taskOf(reach), who)
	}
	if all := f.tasks[Everyone()]; all != nil {
		for who, t := range f.tasks {
			f.tasks[who] = t.with(all)
		}
	}
	outcome := map[Subject]*effects{}
	for who, t := range f.tasks {
		e, err := f.compare(who, t)
		if err != nil {
			return nil, err
		}
		outcome[who] = e
	}
	return outcome, nil
}

// add gives a task to a subject and, where it is a group, to all in it before or after. Where it is Everyone, those of
// whom nothing is said on the way to the roots or inside them fare as Everyone does.
func (f *forecast) add(t *task, who Subject) {
	for _, p := range f.policies() {
		seen := map[*holder]bool{}
		add := func(h *holder) {
			p.descend(seen, h, func(h *holder) bool { f.assign(t, h.subject); return true })
		}
		if h := p.holder(who); h != nil {
			add(h)
		}
		if !who.isEveryone() {
			continue
		}
		for root := range t.roots {
			var way path
			p.walk(&root, &way)
			for depth := range way.n {
				for h := range p.speakersAt(way.places[depth]) {
					add(h)
				}
			}
			if way.n > int(root.depth) {
				p.speakersInside(way.places[way.n-1], add)
			}
		}
	}
}

func (f *forecast) assign(t *task, who Subject) {
	switch was := f.tasks[who]; {
	case was == nil || was == t:
		f.tasks[who] = t
	case was.own:
		maps.Copy(was.roots, t.roots)
		was.permissions.or(t.permissions)
	default:
		both := was.with(t)
		both.own = true
		f.tasks[who] = both
	}
}

// compare works out what happens to one subject, unless it is known from one like it.
func (f *forecast) compare(who Subject, t *task) (*effects, error) {
	all := like{t, likeness(f.policies(), who)}
	if known := f.likes[all]; known != nil {
		return known, nil
	}
	e, err := f.work(who, t)
	if err == nil && all.likeness != "" {
		f.likes[all] = e
	}
	return e, err
}

// work works out what happens to one subject, unless it is known from one of the same groups in reach.
func (f *forecast) work(who Subject, t *task) (*effects, error) {
	before, err := f.before.For(who, nil)
	if err != nil {
		return nil, err
	}
	after, err := f.after.For(who, nil)
	if err != nil {
		return nil, err
	}
	if t.points == nil {
		t.prepare(f.policies())
	}
	e := &effects{before: t.clip(before, &t.near[0]), after: t.clip(after, &t.near[1])}
	key := e.key(t)
	if known := f.alike[key]; known != nil {
		return known, nil
	}
	for n := range f.after.policy.catalog.permissions {
		if t.permissions.has(n) {
			f.compareAt(e, t, n)
		}
	}
	f.alike[key] = e
	return e, nil
}

// key tells apart subjects to whom different things may happen: by their task and by who of them and their groups says
// something in reach.
func (e *effects) key(t *task) string {
	var key []byte
	for _, w := range t.permissions {
		key = binary.LittleEndian.AppendUint64(key, w)
	}
	for _, root := range t.points {
		key = append(append(key, root.path...), 0)
	}
	for _, v := range []*View{e.before, e.after} {
		key = append(key, byte(v.denied))
		for i, b := range v.bearers {
			if len(b.grants) > 0 || len(b.overrides()) > 0 {
				key = binary.LittleEndian.AppendUint32(append(key, 1), b.number)
				key = append(key, boolByte(b.live), boolByte(b.group == nil), boolByte(i == 0))
			}
		}
		key = append(key, 0)
	}
	return string(key)
}

func boolByte(b bool) byte { return byte(boolRank(b)) }

// prepare finds what every subject of the task needs.
func (t *task) prepare(policies [2]*policy) {
	t.points = slices.SortedFunc(maps.Keys(t.roots), compareTree)
	t.outer = outermost(t.points)
	for i, p := range policies {
		n := near{policy: p, listed: true}
		for _, root := range t.outer {
			var way path
			p.walk(&root, &way)
			n.places = append(n.places, way.places[:way.n]...)
			if way.n > int(root.depth) {
				n.addInside(way.places[way.n-1])
			}
		}
		slices.SortFunc(n.places, func(a, b *place) int { return cmp.Compare(a.order(), b.order()) })
		n.places = slices.Compact(n.places)
		t.near[i] = n
	}
}

func (n *near) addInside(at *place) {
	for number := range at.children.all() {
		if n.listed = n.listed && len(n.places) < maxNear; !n.listed {
			return
		}
		inside := n.policy.places.at(number)
		n.places = append(n.places, inside)
		n.addInside(inside)
	}
}

// clip leaves in the view only the statements that bear on something inside the roots.
func (t *task) clip(v *View, n *near) *View {
	for i := range v.bearers {
		b := &v.bearers[i]
		if len(b.grants) == 0 && len(b.overrides()) == 0 {
			continue
		}
		h, rare := *b.holder, rarities{terms: b.terms()}
		h.grants, h.rare = nil, &rare
		if n.listed && len(n.places) < len(b.grants)+len(b.overrides()) {
			for _, at := range n.places {
				h.grants = append(h.grants, b.grantsAt(at)...)
				rare.overrides = append(rare.overrides, b.overridesAt(at)...)
			}
		} else {
			t.filter(b.holder, &h, n.policy)
		}
		b.holder = &h
	}
	return v
}

func (t *task) filter(from, to *holder, p *policy) {
	for _, g := range from.grants {
		if t.reaches(p.places.at(g.scope).scope) {
			to.grants = append(to.grants, g)
		}
	}
	for _, o := range from.overrides() {
		if t.reaches(p.places.at(o.scope).scope) {
			to.rare.overrides = append(to.rare.overrides, o)
		}
	}
}

// reaches says whether a scope is above a root or inside one.
func (t *task) reaches(at Scope) bool {
	i, found := slices.BinarySearchFunc(t.outer, at, compareTree)
	return found || i > 0 && t.outer[i-1].Contains(at) || i < len(t.outer) && at.Contains(t.outer[i])
}

// inside says whether a scope is a root or inside one.
func (t *task) inside(at Scope) bool {
	i, found := slices.BinarySearchFunc(t.outer, at, compareTree)
	return found || i > 0 && t.outer[i-1].Contains(at)
}

// compareAt compares the rules of one permission, at the roots and inside.
func (f *forecast) compareAt(e *effects, t *task, permission int) {
	before := ScopeSet{view: e.before, permission: permission, zones: e.before.survey(permission)}
	after := ScopeSet{view: e.after, permission: permission, zones: e.after.survey(permission)}
	points := slices.Clone(t.points)
	for _, zones := range [][]zone{before.zones, after.zones} {
		for _, z := range zones {
			if at := z.at.scope; t.inside(at) {
				points = append(points, at)
			}
		}
	}
	slices.SortFunc(points, compareTree)
	points = slices.Compact(points)
	var stacks [2][]shift
	for _, at := range points {
		open, closed := before.rulesAt(at)
		nextOpen, nextClosed := after.rulesAt(at)
		open, nextOpen, closed, nextClosed = f.own(open), f.own(nextOpen), f.own(closed), f.own(nextClosed)
		e.note(gained, &stacks[gained], shift{permission, at, f.pool.without(nextOpen, open), f.pool.without(nextClosed, closed)})
		e.note(lost, &stacks[lost], shift{permission, at, f.pool.without(open, nextOpen), f.pool.without(closed, nextClosed)})
	}
}

// own brings a node of another pool into the forecast's.
func (f *forecast) own(n *verdictNode) *verdictNode {
	if n.when == 0 {
		return n
	}
	known := f.pooled[n]
	if known == nil {
		known = f.pool.node(n.when, f.own(n.next[byHolds]), f.own(n.next[byFails]), f.own(n.next[byUnknown]))
		f.pooled[n] = known
	}
	return known
}

// rulesAt returns what holds at a scope, and in private scopes inside it.
func (s *ScopeSet) rulesAt(t Scope) (open, closed *verdictNode) {
	var way path
	s.view.policy.walk(&t, &way)
	z, depth := s.zoneOn(&way)
	if way.private > depth {
		return z.closed, z.closed
	}
	return z.open, z.closed
}

// note adds a change where it says more than the one around it. Points come in the order of the tree; stack has those
// around the present one.
func (e *effects) note(way direction, stack *[]shift, one shift) {
	for n := len(*stack); n > 0 && !(*stack)[n-1].scope.Contains(one.scope); n-- {
		*stack = (*stack)[:n-1]
	}
	around := shift{open: ruleNever, closed: ruleNever}
	if n := len(*stack); n > 0 {
		around = (*stack)[n-1]
	}
	if one.open == around.open && one.closed == around.closed && one.open == one.closed && one.open != ruleAsk {
		return
	}
	*stack = append(*stack, one)
	e.list[way] = append(e.list[way], one)
}
