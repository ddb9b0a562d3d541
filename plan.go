package rolecall

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// A Plan is a change together with everything that it would do: who would gain what where, and who would lose what. It
// is exact, for every subject, permission and scope and for all facts, at the instant of its snapshot: what opens or
// closes with a window later is not in it. It is bound to the revision that it was made for.
//
// Whole parts of the tree, and everybody, are told of in one Difference. A Plan is immutable and safe for concurrent use.
type Plan struct {
	proposal  *Proposal
	bySubject map[Subject]*effects
	subjects  []Subject // of bySubject, sorted
}

// A Difference is one thing that a plan gives to a subject, or takes from it: Permission at Scope and everywhere inside,
// as far as no other Difference of the same subject and permission, further in, says otherwise.
type Difference struct {
	// Subject is the one concerned. Everyone stands for every subject that is not among Plan.Apart and not suspended, those
	// that the policy names nowhere included.
	Subject    Subject
	Permission Permission
	Scope      Scope
	// When says where facts have a part in it; Never where the effect further out ends here, or is none but in private scopes.
	When ScopeRule
	// Private is what holds in place of When at private scopes inside Scope, and in there.
	Private ScopeRule
}

// String returns the difference on one line.
func (d Difference) String() string {
	return d.Subject.String() + " " + d.Permission.String() + d.where()
}

// where writes scope and rules, as they go on after the permission.
func (d Difference) where() string {
	at := " at " + d.Scope.String()
	switch {
	case d.When.Never() && d.Private.Never():
		return ", but not" + at
	case d.When.Never():
		return at + " in private scopes inside only" + sometimes(", ", d.Private)
	case d.When.Equal(d.Private):
		return at + sometimes(" ", d.When)
	case d.Private.Never():
		return at + sometimes(" ", d.When) + ", but not in private scopes inside"
	}
	return at + sometimes(" ", d.When) + ", in private scopes inside " + d.Private.String()
}

// sometimes writes a rule that is not always so.
func sometimes(before string, r ScopeRule) string {
	if r.Always() {
		return ""
	}
	return before + r.String()
}

// Plan judges a change as Propose does and tells what it would do. It costs the effect on each subject concerned; where a
// group is concerned, members with nothing of their own there are worked out together.
func (s *Snapshot) Plan(c Change) (*Plan, error) {
	p, err := s.Propose(c)
	if err != nil {
		return nil, err
	}
	return s.forecast(p)
}

func (s *Snapshot) forecast(p *Proposal) (*Plan, error) {
	at := s.at
	if at.IsZero() {
		at = p.entry.Time
	}
	f := forecast{
		before: &Snapshot{s.policy, at}, after: &Snapshot{p.next.policy, at},
		tasks: map[Subject]*task{}, likes: map[like]*effects{}, alike: map[string]*effects{}, pool: &verdictPool{}, pooled: map[*verdictNode]*verdictNode{},
	}
	plan := &Plan{proposal: p}
	var err error
	if plan.bySubject, err = f.run(p.entry.Deltas); err != nil {
		return nil, err
	}
	for who := range plan.bySubject {
		plan.subjects = append(plan.subjects, who)
	}
	slices.SortFunc(plan.subjects, Subject.Compare)
	return plan, nil
}

// Proposal returns the proposal to commit.
func (p *Plan) Proposal() *Proposal { return p.proposal }

// Base returns the revision for which the plan is exact.
func (p *Plan) Base() Revision { return p.proposal.Base() }

// Gained yields what would be gained, in order of subject, then permission, then scope: what is inside a scope follows it at
// once.
func (p *Plan) Gained() iter.Seq[Difference] { return p.differences(gained) }

// Lost yields what would be lost, like Gained.
func (p *Plan) Lost() iter.Seq[Difference] { return p.differences(lost) }

func (p *Plan) differences(way direction) iter.Seq[Difference] {
	return func(yield func(Difference) bool) {
		for _, who := range p.subjects {
			e := p.bySubject[who]
			for _, one := range e.list[way] {
				if !yield(e.difference(who, one, way)) {
					return
				}
			}
		}
	}
}

// Apart yields the subjects that were worked out by themselves, in the order of Subject.Compare: all that happens to them is
// in Differences of their own, and those of Everyone do not count for them.
func (p *Plan) Apart() iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		for _, who := range p.subjects {
			if !who.isEveryone() && !yield(who) {
				return
			}
		}
	}
}

// Empty says whether nobody would gain or lose anything.
func (p *Plan) Empty() bool {
	for range p.Gained() {
		return false
	}
	for range p.Lost() {
		return false
	}
	return true
}

// Gains says whether who would be allowed by the change what is not allowed now; nil facts say that no condition holds.
// It is false where the subject, the permission or the scope is invalid or not declared.
func (p *Plan) Gains(who Subject, permission Permission, t Scope, facts Facts) bool {
	return p.answers(gained, who, permission, t, facts)
}

// Loses says whether who would not be allowed any more what is allowed now, like Gains.
func (p *Plan) Loses(who Subject, permission Permission, t Scope, facts Facts) bool {
	return p.answers(lost, who, permission, t, facts)
}

func (p *Plan) answers(way direction, who Subject, permission Permission, t Scope, facts Facts) bool {
	c := p.proposal.next.policy.catalog
	number := c.index.find(permission)
	if number < 0 || c.checkSubject("request", who) != nil || c.checkScope("request", t) != nil || c.checkFacts(facts) != nil {
		return false
	}
	e := p.bySubject[who]
	if e == nil {
		if e = p.bySubject[Everyone()]; e == nil || p.proposal.next.policy.holder(who).off() {
			return false
		}
	}
	return e.answers(way, number, &t, facts)
}

// String summarises the plan for people: a line for each subject, scope and rule, permissions together; for many subjects
// to whom the same happens there is one, which names the first few. Where something happens to Everyone a line names the
// first few of those for whom Everyone does not stand.
func (p *Plan) String() string {
	var b strings.Builder
	b.WriteString("plan for revision " + strconv.FormatUint(uint64(p.Base()), 10))
	if p.Empty() {
		b.WriteString("\n  nobody gains or loses anything")
	}
	p.summarise(&b, "gains", gained)
	p.summarise(&b, "loses", lost)
	if others := p.notEveryone(); len(others) > 0 {
		b.WriteString("\n  everyone is everybody but " + firstFew(others))
	}
	return b.String()
}

// notEveryone lists, where something happens to Everyone, the subjects to whom that does not happen as well.
func (p *Plan) notEveryone() []Subject {
	all := p.bySubject[Everyone()]
	if all == nil || len(all.list[gained])+len(all.list[lost]) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Collect(p.Apart()), func(who Subject) bool { return p.bySubject[who] == all })
}

// namedInSummary is how many subjects a line of a summary names.
const namedInSummary = 3

func (p *Plan) summarise(b *strings.Builder, verb string, way direction) {
	alike := map[*effects][]Subject{}
	for _, who := range p.subjects {
		e := p.bySubject[who]
		alike[e] = append(alike[e], who)
	}
	for _, who := range p.subjects {
		e := p.bySubject[who]
		if alike[e][0] != who {
			continue
		}
		names := firstFew(alike[e])
		for _, line := range e.lines(who, way) {
			b.WriteString("\n  " + names + " " + verb + " " + line)
		}
	}
}

func firstFew(list []Subject) string {
	var names []string
	for _, who := range list[:min(len(list), namedInSummary)] {
		names = append(names, who.String())
	}
	if more := len(list) - namedInSummary; more > 0 {
		names = append(names, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(names, " ")
}

// lines writes the differences with those permissions together that have the same places and rules.
func (e *effects) lines(who Subject, way direction) []string {
	var order []string
	permissions := map[string][]string{}
	for _, one := range e.list[way] {
		f := e.difference(who, one, way)
		where := f.where()
		if permissions[where] == nil {
			order = append(order, where)
		}
		permissions[where] = append(permissions[where], f.Permission.String())
	}
	for i, where := range order {
		order[i] = strings.Join(permissions[where], " ") + where
	}
	return order
}

// direction tells gains from losses.
type direction int

const (
	gained = direction(iota)
	lost
)

// effects are what a change does to one subject, or to several alike.
type effects struct {
	before, after *View
	list          [2][]shift // by direction, sorted by permission, then by the tree
}

// A shift is a Difference without its subject.
type shift struct {
	permission int
	scope      Scope
	open       *verdictNode
	closed     *verdictNode
}

func (e *effects) difference(who Subject, one shift, way direction) Difference {
	c := e.after.policy.catalog
	return Difference{who, c.permissions[one.permission], one.scope, e.rule(one, one.open, false, way), e.rule(one, one.closed, true, way)}
}

func (e *effects) rule(one shift, n *verdictNode, closed bool, way direction) ScopeRule {
	r := ScopeRule{catalog: e.after.policy.catalog, node: n}
	if n == ruleAsk {
		r.ask = func(facts Facts) bool {
			now, then := e.before.grantsIn(one.scope, one.permission, closed, facts), e.after.grantsIn(one.scope, one.permission, closed, facts)
			if way == gained {
				return then && !now
			}
			return now && !then
		}
	}
	return r
}

func compareShifts(a, b shift) int {
	return cmp.Or(cmp.Compare(a.permission, b.permission), compareTree(a.scope, b.scope))
}

// answers finds the innermost change around a scope.
func (e *effects) answers(way direction, permission int, t *Scope, facts Facts) bool {
	var inner *shift
	for at := range t.Ancestors() {
		if i, found := slices.BinarySearchFunc(e.list[way], shift{permission: permission, scope: at}, compareShifts); found {
			inner = &e.list[way][i]
			break
		}
	}
	if inner == nil {
		return false
	}
	var path path
	e.after.policy.walk(t, &path)
	closed := path.private > int(inner.scope.depth)
	n := inner.open
	if closed {
		n = inner.closed
	}
	return e.rule(*inner, n, closed, way).Holds(facts)
}
