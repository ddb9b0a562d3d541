package rolecall

import (
	"slices"
	"strings"
	"time"
)

// A View is a snapshot seen by one subject: its groups are found once, and what was worked out for one place serves
// every target below it. It is the fastest way to ask many questions for one subject, a page or a whole request.
//
// A View belongs to one goroutine. It is as cheap to make as a few checks; it never goes stale, since its snapshot and
// its instant never change, and is to be dropped with them.
type View struct {
	policy  *policy
	subject Subject
	options ViewOptions
	denied  Reason // Suspended where everything is denied from the start
	now     instant
	self    *holder
	extra   *extras
	bearers []bearer
	bloom   uint64 // of the numbers of the groups, to pass over places where none of them speaks
	sights  sightTable
	mine    landmarks
}

// ViewOptions are the rare parts of a Request.
type ViewOptions struct {
	Groups []Subject // vouched for
	Actor  Subject   // acts on behalf of the subject
	Narrow Narrowing
}

// For binds the snapshot to a subject, nil options for none. An error says that the subject or an option is invalid or
// not declared, or that the snapshot has no instant.
func (s *Snapshot) For(who Subject, o *ViewOptions) (*View, error) {
	if s.at.IsZero() {
		return nil, errNoInstant()
	}
	if o == nil {
		o = &ViewOptions{}
	}
	v := &View{policy: s.policy, subject: who, options: *o, now: instant{at: s.at}}
	v.options.Groups = slices.Clone(o.Groups)
	if v.self = s.policy.holder(who); v.self == nil {
		if fault := s.policy.catalog.checkSubject("request", who); fault != nil {
			return nil, fault
		}
	}
	q := question{policy: s.policy, now: v.now, permission: -1, self: v.self}
	reason, err := q.readyRare(who, o)
	if err != nil {
		return nil, err
	}
	if reason == Suspended || v.self.off() {
		v.denied = Suspended
	}
	v.extra = q.extra
	v.bearers = q.inReach(make([]bearer, 0, 8))
	for _, b := range v.bearers {
		if b.group != nil {
			v.bloom |= 1 << (b.number % 64)
		}
	}
	return v, nil
}

// Subject returns the subject.
func (v *View) Subject() Subject { return v.subject }

// Now returns the instant at which windows are judged.
func (v *View) Now() time.Time { return v.now.at }

// Check answers whether the subject may do p at t, as Snapshot.Check does.
func (v *View) Check(p Permission, t Scope, facts ...Facts) error {
	var f Facts
	if len(facts) > 0 {
		f = joinFacts(facts)
		if err := v.policy.catalog.checkFacts(f); err != nil {
			return err
		}
	}
	number, err := v.policy.catalog.permission(p)
	if err != nil {
		return err
	}
	at, err := v.look(&t)
	if err != nil {
		return err
	}
	if r := v.answer(at, number, &t, f); r != Granted {
		return r
	}
	return nil
}

// answer returns the verdict on a permission, from what the view knows or by the law.
func (v *View) answer(at *sight, permission int, t *Scope, facts Facts) Reason {
	if known := at.verdict[permission]; known != 0 && known != depends {
		return Reason(known - 1)
	}
	var way path
	v.policy.walk(t, &way)
	return v.ask(at, permission, &way, facts)
}

// Decide answers with reasons, as Snapshot.Decide does.
func (v *View) Decide(p Permission, t Scope, facts Facts) (Decision, error) {
	s := Snapshot{v.policy, v.now.at}
	return s.Decide(Request{
		Subject: v.subject, Permission: p, Scope: t, Facts: facts,
		Groups: v.options.Groups, Actor: v.options.Actor, Narrow: v.options.Narrow,
	})
}

func (v *View) walk(t *Scope, way *path) error {
	if err := v.checkScope(t); err != nil {
		return err
	}
	v.policy.walk(t, way)
	return nil
}

func (v *View) checkScope(t *Scope) error {
	if t.path == "" || t.kinds&^v.policy.catalog.scopeBits != 0 || t.depth > maxScopeSegments {
		if fault := v.policy.catalog.checkScope("request", *t); fault != nil {
			return fault
		}
	}
	return nil
}

// look returns the sight of a target. After the first few it does not walk the whole policy but looks among the
// landmarks, so that it costs the same however large the policy is.
func (v *View) look(t *Scope) (*sight, error) {
	if err := v.checkScope(t); err != nil {
		return nil, err
	}
	if !v.mine.ready(v) {
		var way path
		v.policy.walk(t, &way)
		return v.sight(&way), nil
	}
	at, depth := v.mine.nearest(t)
	key := uint64(at) << 1
	if v.policy.privates != nil && v.policy.closes(t, depth) {
		key |= 1
	}
	return v.sights.get(key, len(v.policy.catalog.permissions)), nil
}

// closes says whether a private scope lies on the way to a target below that depth.
func (p *policy) closes(t *Scope, depth int) bool {
	for n := depth + 1; n <= int(t.depth); n++ {
		if !p.closed.has(hintOf(t.hashAt(n))) {
			continue
		}
		if at := p.step(t, n); at != nil && at.private {
			return true
		}
	}
	return false
}

// Landmarks are the places, but Global, where something is said to the subject of a view: a hash table with linear
// probing, at most half full. It is made once a view has been asked enough to be worth it, unless there are too many.
type landmarks struct {
	looks int
	slots []landmark
}

// A landmark has the path of its place as a copy of its own: all of them lie together.
type landmark struct {
	path   string // empty where the slot is free
	hash   uint32
	number uint32
	depth  uint8
}

const (
	looksBefore   = 16
	mostLandmarks = 1 << 12
)

func (l *landmarks) ready(v *View) bool {
	if l.slots != nil {
		return true
	}
	if l.looks++; l.looks == looksBefore {
		l.fill(v)
	}
	return l.slots != nil
}

func (l *landmarks) fill(v *View) {
	n := 0
	for _, b := range v.bearers {
		n += len(b.grants) + len(b.overrides())
	}
	if n > mostLandmarks {
		return
	}
	size := 8
	for size < 2*n {
		size *= 2
	}
	l.slots = make([]landmark, size)
	for _, b := range v.bearers {
		for i := range b.grants {
			l.add(v.policy.places.at(b.grants[i].scope))
		}
		for i := range b.overrides() {
			l.add(v.policy.places.at(b.overrides()[i].scope))
		}
	}
	l.gather()
}

func (l *landmarks) add(at *place) {
	if at.number == globalNumber {
		return
	}
	hash, mask := at.scope.lastHash(), uint32(len(l.slots)-1)
	i := hash & mask
	for ; l.slots[i].path != ""; i = (i + 1) & mask {
		if l.slots[i].number == at.number {
			return
		}
	}
	l.slots[i] = landmark{at.scope.path, hash, at.number, at.scope.depth}
}

// gather copies the paths into one piece of memory.
func (l *landmarks) gather() {
	var all strings.Builder
	for i := range l.slots {
		all.WriteString(l.slots[i].path)
	}
	rest := all.String()
	for i := range l.slots {
		n := len(l.slots[i].path)
		l.slots[i].path, rest = rest[:n], rest[n:]
	}
}

// nearest returns the number and the depth of the deepest landmark that contains a target, Global's where none does.
func (l *landmarks) nearest(t *Scope) (number uint32, depth int) {
	mask := uint32(len(l.slots) - 1)
	for n := int(t.depth); n > 0; n-- {
		hash := t.hashAt(n)
		for i := hash & mask; l.slots[i].path != ""; i = (i + 1) & mask {
			if m := &l.slots[i]; m.hash == hash && int(m.depth) == n && startsPath(m.path, t.path) {
				return m.number, n
			}
		}
	}
	return globalNumber, 0
}

// A sight is what the subject sees at a place and everywhere below it where nothing more is said to it: the verdict of
// each permission, worked out when it is first asked for.
type sight struct {
	key     uint64
	verdict []uint8 // a permission: reason+1; 0: not asked yet; depends: on facts
}

const depends = 255

// sight returns the sight of a path. Its key is the deepest place where anything is said to the subject, and whether a
// private scope lies below that place.
func (v *View) sight(way *path) *sight {
	depth := way.n - 1
	for depth > 0 && !v.speaksAt(way.places[depth]) {
		depth--
	}
	key := uint64(way.places[depth].number) << 1
	if way.private > depth {
		key |= 1
	}
	return v.sights.get(key, len(v.policy.catalog.permissions))
}

// speaksAt says whether the subject, one of its groups or Everyone has a statement at that place.
func (v *View) speaksAt(at *place) bool {
	if h := v.self; h != nil && h.group == nil && h.speaksAt(at) {
		return true
	}
	if at.groups == nil || at.groups.bloom&v.bloom == 0 {
		return false
	}
	for i := range v.bearers {
		if b := &v.bearers[i]; b.group != nil && at.groups.has(b.number) {
			return true
		}
	}
	return false
}

// speaksAt says whether the holder has a statement at that place.
func (h *holder) speaksAt(at *place) bool {
	if len(h.grants) > 8 || h.rare != nil {
		return len(h.grantsAt(at)) > 0 || len(h.overridesAt(at)) > 0
	}
	for i := range h.grants {
		if h.grants[i].scope == at.number {
			return true
		}
	}
	return false
}

// ask returns the verdict on a permission.
func (v *View) ask(at *sight, permission int, way *path, facts Facts) Reason {
	if known := at.verdict[permission]; known != 0 && known != depends {
		return Reason(known - 1)
	}
	reason, fixed := v.judge(permission, way, facts)
	if fixed {
		at.verdict[permission] = uint8(reason) + 1
	} else {
		at.verdict[permission] = depends
	}
	return reason
}

// judge applies the law and says whether the verdict is the same for all facts.
func (v *View) judge(permission int, way *path, facts Facts) (reason Reason, fixed bool) {
	if v.denied != NothingSaid {
		return v.denied, true
	}
	if !v.options.Narrow.covers(v.policy.catalog.permissions[permission]) {
		return Narrowed, true
	}
	q := question{policy: v.policy, now: v.now, permission: permission, builtin: v.policy.builtin(permission), self: v.self, path: *way, extra: v.extra}
	q.answers.facts = facts
	reason = q.judgeAmong(v.bearers)
	return reason, !q.answers.asked
}

// grants says whether the law gives a permission.
func (v *View) grants(permission int, way *path, facts Facts) bool {
	reason, _ := v.judge(permission, way, facts)
	return reason == Granted
}

// grantsIn is grants at a scope, or in a private scope inside it.
func (v *View) grantsIn(t Scope, permission int, closed bool, facts Facts) bool {
	var way path
	v.policy.walk(&t, &way)
	if closed {
		way.private = way.n
	}
	return v.grants(permission, &way, facts)
}

// A sightTable is a small hash table with linear probing, at most half full.
type sightTable struct {
	slots []*sight
	n     int
}

func (t *sightTable) get(key uint64, permissions int) *sight {
	if t.slots == nil {
		t.slots = make([]*sight, 8)
	}
	mask := uint64(len(t.slots) - 1)
	for i := key * 0x9E3779B97F4A7C15 >> 32 & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == nil {
			return t.add(key, permissions)
		}
		if s.key == key {
			return s
		}
	}
}

func (t *sightTable) add(key uint64, permissions int) *sight {
	s := &sight{key: key, verdict: make([]uint8, permissions)}
	if 2*(t.n+1) > len(t.slots) {
		old := t.slots
		t.slots = make([]*sight, 2*len(old))
		for _, o := range old {
			if o != nil {
				t.insert(o)
			}
		}
	}
	t.insert(s)
	t.n++
	return s
}

func (t *sightTable) insert(s *sight) {
	mask := uint64(len(t.slots) - 1)
	i := s.key * 0x9E3779B97F4A7C15 >> 32 & mask
	for t.slots[i] != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

// A Target is a scope of a batch, with the facts that hold there.
type Target struct {
	Scope Scope
	Facts Facts
}

// Answers are the verdicts of a batch.
type Answers struct {
	reasons     []Reason
	permissions int
}

// Allowed says whether permission, by its position in the call, is allowed at target, by its position. A position beyond
// what was asked panics, as an index does.
func (a *Answers) Allowed(target, permission int) bool {
	return a.Reason(target, permission) == Granted
}

// Reason tells the kind of answer, by the positions that Allowed takes.
func (a *Answers) Reason(target, permission int) Reason {
	return a.reasons[target*a.permissions:][:a.permissions][permission]
}

// CheckAll answers each permission at each target, consistently and at a cost that follows the distinct places and
// facts among the targets. An error says that some target or permission is invalid or not declared; there are no
// answers then.
func (v *View) CheckAll(targets []Target, permissions ...Permission) (*Answers, error) {
	c := v.policy.catalog
	numbers := make([]int, len(permissions))
	for i, p := range permissions {
		n, err := c.permission(p)
		if err != nil {
			return nil, err
		}
		numbers[i] = n
	}
	a := &Answers{reasons: make([]Reason, 0, len(targets)*len(permissions)), permissions: len(permissions)}
	var once askedOnce
	for i := range targets {
		t := &targets[i]
		if t.Facts != nil {
			if err := c.checkFacts(t.Facts); err != nil {
				return nil, err
			}
		}
		at, err := v.look(&t.Scope)
		if err != nil {
			return nil, err
		}
		facts := once.of(t.Facts)
		for _, n := range numbers {
			a.reasons = append(a.reasons, v.answer(at, n, &t.Scope, facts))
		}
	}
	return a, nil
}

// Permissions returns what the subject may do at t, the built-in rolecall.* permissions included, in order of name.
func (v *View) Permissions(t Scope, facts Facts) ([]Permission, error) {
	set, err := v.PermissionSet(t, facts)
	if err != nil {
		return nil, err
	}
	return slices.Collect(set.All()), nil
}
