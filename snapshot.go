package rolecall

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// A Snapshot is a whole policy at one revision. It is immutable and safe for concurrent use; deciding on it is a pure
// function. It carries the instant at which it judges windows; At gives the same policy at another one for the price
// of a small allocation. Snapshots that follow each other share what did not change.
type Snapshot struct {
	policy *policy   // nil in the zero Snapshot, which answers nothing
	at     time.Time // zero: no instant, see At
}

// NewSnapshot builds a policy at revision 0 out of statements in any order. The same statement twice counts once; two
// different statements with one key are ErrInvalid. The error is a Problems that lists everything wrong; nothing is
// built then. The snapshot has no instant yet: call At before Check.
func NewSnapshot(c *Catalog, statements ...Statement) (*Snapshot, error) {
	return LoadSnapshot(c, State{Statements: func(yield func(Statement, error) bool) {
		for _, s := range statements {
			if !yield(s, nil) {
				return
			}
		}
	}})
}

// LoadSnapshot builds the policy that a store hands out. Data that breaks a rule of the model is refused as a whole.
func LoadSnapshot(c *Catalog, state State) (*Snapshot, error) {
	if c == nil {
		return nil, problem(ErrInvalid, "snapshot", "", "a snapshot needs a catalog")
	}
	d := emptyPolicy(c).draft()
	d.loading = true
	d.separate.all = true
	if state.Statements != nil {
		for s, err := range state.Statements {
			if err != nil {
				return nil, fmt.Errorf("load policy: %w", err)
			}
			d.put(s)
		}
	}
	d.policy.revision, d.policy.history = state.Revision, state.History
	p := d.finish(nil)
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	return &Snapshot{policy: p}, nil
}

// Revision returns the revision of the policy.
func (s *Snapshot) Revision() Revision { return s.policy.revision }

// History identifies the line of revisions that the policy is on, as the store's State told; empty for a snapshot that
// came from no store.
func (s *Snapshot) History() string { return s.policy.history }

// Catalog returns the vocabulary of the policy.
func (s *Snapshot) Catalog() *Catalog { return s.policy.catalog }

// At returns the same policy judged at another instant.
func (s *Snapshot) At(now time.Time) *Snapshot {
	if s.policy == nil {
		return &Snapshot{}
	}
	return &Snapshot{s.policy, now}
}

// Now returns the instant at which windows are judged, zero where there is none yet.
func (s *Snapshot) Now() time.Time { return s.at }

// Check answers whether who may do p at t: nil says yes, an error that is ErrDenied says no, any other error that it
// could not be found out. Several facts are asked in turn: a condition holds where one of them says so. It costs finding the
// subject, and a look at each group that it is in. It allocates nothing up to two dozen groups and as many statements in
// reach, in a catalog of up to 31 conditions.
func (s *Snapshot) Check(who Subject, p Permission, t Scope, facts ...Facts) error {
	if s.at.IsZero() {
		return errNoInstant()
	}
	now := instant{at: s.at}
	return s.check(&now, &who, &p, &t, facts)
}

func errNoInstant() error {
	return problem(ErrInvalid, "snapshot", "", "a snapshot without an instant answers no questions; call At first")
}

func (s *Snapshot) check(now *instant, who *Subject, p *Permission, t *Scope, facts []Facts) error {
	if len(facts) == 0 || len(facts) == 1 && s.policy.catalog.checkFacts(facts[0]) == nil {
		if r, plain := s.policy.glance(now, who, p, t); plain {
			if r == Granted {
				return nil
			}
			return r
		}
	}
	return s.checkFully(now, who, p, t, facts)
}

// checkFully is check without the short way.
func (s *Snapshot) checkFully(now *instant, who *Subject, p *Permission, t *Scope, facts []Facts) error {
	q := question{now: *now}
	if err := q.ready(s.policy, who, p, t); err != nil {
		return err
	}
	if len(facts) > 0 {
		if err := q.giveFacts(joinFacts(facts)); err != nil {
			return err
		}
	}
	if r := q.verdict(); r != Granted {
		return r
	}
	return nil
}

// Decide answers a request with its reasons. An error says that it could not be found out; the Decision then denies.
// It costs a few microseconds and allocates.
func (s *Snapshot) Decide(r Request) (Decision, error) {
	now := instant{at: s.at}
	return s.decide(&now, r)
}

func (s *Snapshot) decide(now *instant, r Request) (Decision, error) {
	if !r.Now.IsZero() {
		*now = instant{at: r.Now}
	}
	if s.policy == nil || now.clock == nil && now.at.IsZero() {
		return Decision{}, errNoInstant()
	}
	r.Groups = slices.Clone(r.Groups) // a decision keeps its request
	q := question{now: *now}
	if err := q.ready(s.policy, &r.Subject, &r.Permission, &r.Scope); err != nil {
		return Decision{}, err
	}
	if err := q.giveFacts(r.Facts); err != nil {
		return Decision{}, err
	}
	reason, err := q.narrow(r.Subject, r.Groups, r.Actor, r.Narrow)
	if err != nil {
		return Decision{}, err
	}
	if r.Now.IsZero() {
		r.Now = q.now.now()
	}
	if reason == Suspended {
		return s.denial(r, Suspended, Finding{Statement: Suspension{r.Actor}, Holder: r.Actor, Path: []Subject{r.Actor}, Effect: Deny, Fate: Decides}), nil
	}
	if reason == Narrowed {
		return s.denial(r, Narrowed), nil
	}
	return q.explain(r), nil
}

func (s *Snapshot) denial(r Request, reason Reason, because ...Finding) Decision {
	return Decision{request: r, reason: reason, revision: s.policy.revision, deciding: because}
}

// narrow makes the rare parts of a request ready. The reason is Suspended or Narrowed where they alone deny it.
func (q *question) narrow(self Subject, groups []Subject, actor Subject, n Narrowing) (Reason, error) {
	p := q.policy
	vouched, err := p.vouchedFor(self, groups)
	if err != nil {
		return 0, err
	}
	active, err := p.activeRoles(n.roles)
	if err != nil {
		return 0, err
	}
	for _, pattern := range slices.Concat(n.patterns...) {
		if fault := p.catalog.checkPattern("request", pattern); fault != nil {
			return 0, fault
		}
	}
	if err := p.checkActive(active); err != nil {
		return 0, err
	}
	if vouched != nil || n.byRole {
		q.extra = &extras{groups: vouched, narrow: n.byRole, active: active}
	}
	if !actor.IsZero() {
		if fault := p.catalog.checkSubject("request", actor); fault != nil {
			return 0, fault
		}
		if p.holder(actor).off() {
			return Suspended, nil
		}
	}
	// A view, which asks of no permission yet, looks at the patterns itself.
	if n.byPattern && q.permission >= 0 && !q.self.off() && !n.covers(p.catalog.permissions[q.permission]) {
		return Narrowed, nil
	}
	return NothingSaid, nil
}

// vouchedFor returns the groups that somebody vouches for, as far as the policy says anything of them.
func (p *policy) vouchedFor(self Subject, groups []Subject) (vouched []*holder, err error) {
	for _, g := range groups {
		if fault := p.catalog.checkSubject("request", g); fault != nil {
			return nil, fault
		}
		if !g.IsGroup() || g.isEveryone() || self.isEveryone() {
			return nil, problem(ErrInvalid, "request", g.String(), "only a group can be vouched for, and Everyone joins none")
		}
		if h := p.holder(g); h != nil && g != self {
			vouched = append(vouched, h)
		}
	}
	return vouched, nil
}

// activeRoles returns the numbers of the roles of a session.
func (p *policy) activeRoles(names []RoleName) (active []uint32, err error) {
	for _, name := range names {
		r := p.roles.find(name)
		if r == nil {
			return nil, p.unknownRole(name)
		}
		active = append(active, r.number)
	}
	return active, nil
}

func (n *Narrowing) covers(permission Permission) bool {
	for _, list := range n.patterns {
		if !slices.ContainsFunc(list, func(p Pattern) bool { return p.Matches(permission) }) {
			return false
		}
	}
	return true
}

func (p *policy) unknownRole(name RoleName) *Problem {
	if fault := checkName("role name", string(name)); fault != nil {
		return placed(fault, "request")
	}
	return problem(ErrUnknown, "request", string(name), "no such role is defined%s", didYouMean(string(name), p.roleNames()))
}

// joinFacts returns the only facts, or all of them as one.
func joinFacts(facts []Facts) Facts {
	if len(facts) == 1 {
		return facts[0]
	}
	return severalFacts(facts)
}

// severalFacts holds where one of them holds, and cannot say where one cannot and none holds.
type severalFacts []Facts

// Holds asks each in turn.
func (s severalFacts) Holds(c Condition) (bool, error) {
	var cause error
	for _, f := range s {
		if f == nil {
			continue
		}
		ok, err := askHost(f, c)
		if ok && err == nil {
			return true, nil
		}
		if err != nil && cause == nil {
			cause = err
		}
	}
	return false, cause
}

// Statements yields every statement of the policy, in the order of StatementKey.Compare.
func (s *Snapshot) Statements() iter.Seq[Statement] {
	return func(yield func(Statement) bool) {
		p := s.policy
		for r := range s.Roles() {
			if !yield(r) {
				return
			}
		}
		holders := p.sortedHolders()
		for _, list := range []func(*holder) []Statement{p.membershipsOf, p.grantsOf, p.overridesOf, suspensionOf} {
			for _, h := range holders {
				for _, one := range list(h) {
					if !yield(one) {
						return
					}
				}
			}
		}
		for _, at := range p.privatePlaces() {
			if !yield(PrivateScope{at.scope}) {
				return
			}
		}
		for _, c := range p.constraints {
			c.Roles = slices.Clone(c.Roles)
			if !yield(c) {
				return
			}
		}
	}
}

func (p *policy) sortedHolders() []*holder {
	holders := make([]*holder, 0, p.subjects.size+1)
	p.subjects.all(func(h *holder) bool { holders = append(holders, h); return true })
	holders = append(holders, p.everyone())
	slices.SortFunc(holders, (*holder).compare)
	return holders
}

func (p *policy) privatePlaces() []*place {
	var places []*place
	p.scopes.all(func(at *place) bool {
		if at.private {
			places = append(places, at)
		}
		return true
	})
	slices.SortFunc(places, func(a, b *place) int { return a.scope.Compare(b.scope) })
	return places
}

func (p *policy) membershipsOf(h *holder) []Statement {
	out := make([]Statement, len(h.groups))
	for i := range h.groups {
		out[i] = p.membership(h, &h.groups[i])
	}
	return sortStatements(out)
}

func (p *policy) grantsOf(h *holder) []Statement {
	out := make([]Statement, len(h.grants))
	for i := range h.grants {
		out[i] = p.grant(h, &h.grants[i])
	}
	return sortStatements(out)
}

func (p *policy) overridesOf(h *holder) []Statement {
	out := make([]Statement, len(h.overrides()))
	for i := range h.overrides() {
		out[i] = p.override(h, &h.overrides()[i])
	}
	return sortStatements(out)
}

func suspensionOf(h *holder) []Statement {
	if !h.suspended {
		return nil
	}
	return []Statement{Suspension{h.subject}}
}

func sortStatements(list []Statement) []Statement {
	slices.SortFunc(list, func(a, b Statement) int { return KeyOf(a).Compare(KeyOf(b)) })
	return list
}

// Find returns the statement with that key.
func (s *Snapshot) Find(k StatementKey) (Statement, bool) {
	found := s.policy.lookup(k)
	return found, found != nil
}

func (p *policy) lookup(k StatementKey) Statement {
	switch k.kind {
	case kindRole:
		if r := p.roles.find(RoleName(k.name)); r != nil {
			return r.Role.canonical()
		}
	case kindMembership:
		if h, g := p.holder(k.subject), p.holder(k.other); h != nil && g != nil {
			if i := h.indexIn(g); i >= 0 {
				return p.membership(h, &h.groups[i])
			}
		}
	case kindGrant:
		g := Grant{Subject: k.subject, Role: RoleName(k.name), Scope: k.scope, When: k.when, Eligible: k.eligible}
		h := p.holder(g.Subject)
		if i := p.grantIndex(h, p.place(g.Scope), g); i >= 0 {
			return p.grant(h, &h.grants[i])
		}
	case kindOverride:
		o := Override{Subject: k.subject, Pattern: Pattern(k.name), Scope: k.scope, When: k.when}
		h := p.holder(o.Subject)
		if i := p.overrideIndex(h, p.place(o.Scope), o); i >= 0 {
			return p.override(h, &h.overrides()[i])
		}
	case kindSuspension:
		if h := p.holder(k.subject); h != nil && h.suspended {
			return Suspension{k.subject}
		}
	case kindPrivate:
		if at := p.place(k.scope); at != nil && at.private {
			return PrivateScope{k.scope}
		}
	case kindConstraint:
		if i, ok := p.findConstraint(k.name); ok {
			return p.constraints[i].canonical()
		}
	}
	return nil
}

// Role returns the role of that name.
func (s *Snapshot) Role(name RoleName) (Role, bool) {
	r := s.policy.roles.find(name)
	if r == nil {
		return Role{}, false
	}
	return r.Role.canonical(), true
}

// Roles yields every role, in order of name.
func (s *Snapshot) Roles() iter.Seq[Role] {
	return func(yield func(Role) bool) {
		for _, name := range s.policy.roles.names() {
			if !yield(s.policy.roles.find(name).Role.canonical()) {
				return
			}
		}
	}
}

// Subjects yields every subject but Everyone that the policy names, in the order of Subject.Compare.
func (s *Snapshot) Subjects() iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		for _, h := range s.policy.sortedHolders() {
			if !h.subject.isEveryone() && !yield(h.subject) {
				return
			}
		}
	}
}
