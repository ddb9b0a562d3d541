package rolecall

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Remedy is a change that turns the answer to a request: it allows what is denied, or denies what is allowed. It was
// tried: the change was judged like any other, and the policy after it gives the other answer. None of its edits can be
// left out.
type Remedy struct {
	Edits []Edit `json:"edits"`
	// Plan tells exactly what it would do, and is ready for Resolver.Apply. It is nil where very many may be concerned:
	// then Snapshot.Plan tells, at its price.
	Plan *Plan `json:"-"`
	// Gained and Lost say how much the plan gives and takes; zero without one.
	Gained Breadth `json:"gained"`
	Lost   Breadth `json:"lost"`

	proposal *Proposal
	pairs    int
}

// String returns the edits, one a line.
func (m Remedy) String() string {
	lines := make([]string, len(m.Edits))
	for i, e := range m.Edits {
		lines[i] = e.String()
	}
	return strings.Join(lines, "\n")
}

// compare puts what gives least first, then what takes least, then what says least.
func (m *Remedy) compare(other *Remedy) int {
	return cmp.Or(
		cmp.Compare(boolRank(m.Plan == nil), boolRank(other.Plan == nil)),
		m.Gained.Compare(other.Gained),
		m.Lost.Compare(other.Lost),
		cmp.Compare(len(m.Edits), len(other.Edits)),
		cmp.Compare(m.growth(), other.growth()),
		cmp.Compare(m.String(), other.String()),
	)
}

// growth is how many statements there are more after it.
func (m *Remedy) growth() int {
	n := 0
	for _, d := range m.proposal.entry.Deltas {
		n += boolRank(d.After != nil) - boolRank(d.Before != nil)
	}
	return n
}

// RemedyOptions say what remedies may look like. Nil options are the zero ones.
type RemedyOptions struct {
	// Meta is who would make the change: what an actor may not do is not proposed. The zero Meta is the host itself.
	Meta Meta
	// Narrow takes away from that actor, as Change.Narrow does.
	Narrow Narrowing
	// Until is the end of what is added; zero is no end. Activations, which always have an end, are proposed only where
	// it and Meta.Reason are given.
	Until time.Time
	// Limit is how many remedies to return at most, those of least effect; zero is 10.
	Limit int
}

// The bounds of the search for remedies.
const (
	remedyLimit = 10
	remedyEdits = 4
	remedyTries = 256
	remedyPairs = 4096 // of a subject and a permission that a remedy with a plan may concern
	remedyWork  = 8192 // such pairs of all remedies with a plan
)

// Remedies returns the changes that turn the answer to a request, those that give least first: to the fewest subjects,
// of these the fewest permissions, of these furthest in; then those that take least from others, then those of the
// fewest edits. The order is the same each time.
//
// What is tried: a single exception for the subject, which gives or takes just the permission at just the scope;
// removing or softening the statements that decide, or leaving the groups through which they come; making what would
// have allowed it reach: piercing or opening a private scope, resuming, renewing a window, dropping a condition, ending a
// replacement; a grant of each role at the scope; joining each group that has it there; activating. And what of these it
// takes together, up to four edits. Roles are left as they are: changing one concerns everybody who holds it.
//
// For a request of a subject that is named in the policy and no group, without narrowing, vouched-for groups and actor, no
// put or removal of a single membership, grant, override, suspension or private scope that turns the answer gives less than
// the first remedy; nor does any take less, where the answer turns to no. That holds of all that concerns few enough to be
// measured.
//
// complete is false where there was too much to try; then there may be more remedies than were found. Where the answer
// cannot be turned, as outside the patterns of a narrowing, there is none. An error says that the request could not be
// answered.
//
// At most 256 changes are tried, and those that turn the answer once more without each of their edits, all for the price
// of judging them. Plans are made for those that turn the answer and may
// concern at most 4,096 pairs of a subject and a permission, beginning with the fewest, until 8,192 pairs have been looked
// at; the rest come last.
func (s *Snapshot) Remedies(r Request, o *RemedyOptions) (list []Remedy, complete bool, err error) {
	if o == nil {
		o = &RemedyOptions{}
	}
	if s.policy != nil && !r.Now.IsZero() {
		s = s.At(r.Now)
	}
	d, err := s.Decide(r)
	if err != nil {
		return nil, false, err
	}
	if !o.Until.IsZero() && !o.Until.After(s.at) {
		return nil, false, problem(ErrInvalid, "request", FormatTime(o.Until), "what a remedy adds ends in the future")
	}
	if !d.Allowed() && !r.Narrow.covers(r.Permission) {
		return nil, true, nil
	}
	if _, err := s.Propose(Change{Meta: o.Meta, Narrow: o.Narrow}); err != nil {
		return nil, false, err
	}
	search := remedySearch{base: s, request: r, want: !d.Allowed(), options: o, seen: map[string]bool{}}
	search.expand(attempt{}, d, s)
	complete, err = search.run()
	if err != nil {
		return nil, false, err
	}
	list, err = search.remedies()
	return list, complete, err
}

// remedySearch looks for sets of edits that turn an answer. It starts from no edit and adds to what does not turn it yet
// those edits that the explanation suggests.
type remedySearch struct {
	base    *Snapshot
	request Request
	want    bool
	options *RemedyOptions
	tries   int
	cut     bool // some attempts were left out
	seen    map[string]bool
	pending [phases][]attempt
	found   []attempt
}

// An attempt is some edits. A phase is how far from the least they are: an attempt waits until all of earlier phases
// are done.
type attempt struct {
	edits    []Edit
	phase    phase
	opened   bool // something that allows was added; more would be idle
	proposal *Proposal
}

type phase uint8

const (
	leastPhase  = phase(iota) // the single exception, and what must go
	mendPhase                 // making reach what is there
	accessPhase               // roles and groups
	phases
)

// key is the same for the same edits in another order.
func (a *attempt) key() string {
	texts := make([]string, len(a.edits))
	for i, e := range a.edits {
		texts[i] = e.String()
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}

// touches says whether an edit is about the statement with that key.
func (a *attempt) touches(key StatementKey) bool {
	return slices.ContainsFunc(a.edits, func(e Edit) bool { return e.Statement != nil && KeyOf(e.Statement) == key })
}

// run tries what is pending. It reports false where it had to stop.
func (s *remedySearch) run() (bool, error) {
	for {
		next, some := s.next()
		if !some {
			return !s.cut, nil
		}
		if s.tries == remedyTries {
			return false, nil
		}
		if err := s.try(next); err != nil {
			return false, err
		}
	}
}

func (s *remedySearch) next() (attempt, bool) {
	for i := range s.pending {
		if list := s.pending[i]; len(list) > 0 {
			s.pending[i] = list[1:]
			return list[0], true
		}
	}
	return attempt{}, false
}

// try judges an attempt. One that is refused as a change leads nowhere.
func (s *remedySearch) try(a attempt) error {
	d, err := s.after(&a)
	if err != nil || a.proposal == nil {
		return err
	}
	if d.Allowed() == s.want {
		s.found = append(s.found, a)
		return nil
	}
	if len(a.edits) < remedyEdits {
		s.expand(a, d, a.proposal.next)
	}
	return nil
}

// after answers the request after the edits; an attempt without a proposal was refused, or alters nothing.
func (s *remedySearch) after(a *attempt) (Decision, error) {
	s.tries++
	p, err := s.base.Propose(Change{Meta: s.options.Meta, Narrow: s.options.Narrow, Edits: a.edits})
	if err != nil || len(p.entry.Deltas) == 0 {
		return Decision{}, nil
	}
	a.proposal = p
	return p.next.Decide(s.request)
}

// add makes an attempt with one more edit wait for its turn.
func (s *remedySearch) add(from attempt, p phase, opens bool, e Edit) {
	if e.Statement != nil && from.touches(KeyOf(e.Statement)) {
		return
	}
	a := attempt{edits: append(slices.Clip(from.edits), e), phase: max(from.phase, p), opened: from.opened || opens}
	key := a.key()
	switch {
	case s.seen[key]:
	case len(s.pending[a.phase]) >= remedyTries-s.tries:
		s.cut = true // its turn would never come
	default:
		s.seen[key] = true
		s.pending[a.phase] = append(s.pending[a.phase], a)
	}
}

// remedies makes remedies out of what was found, and leaves out what has an edit too many.
func (s *remedySearch) remedies() ([]Remedy, error) {
	var list []Remedy
	for _, a := range s.found {
		needed, err := s.needed(a)
		if err != nil {
			return nil, err
		}
		if needed {
			list = append(list, Remedy{Edits: a.edits, proposal: a.proposal, pairs: a.proposal.pairs(remedyPairs)})
		}
	}
	if err := s.plan(list); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b Remedy) int { return a.compare(&b) })
	limit := s.options.Limit
	if limit <= 0 {
		limit = remedyLimit
	}
	return list[:min(limit, len(list))], nil
}

// plan makes the plans, beginning with those that concern fewest, as far as they are no more work than is bearable.
func (s *remedySearch) plan(list []Remedy) error {
	slices.SortStableFunc(list, func(a, b Remedy) int { return cmp.Compare(a.pairs, b.pairs) })
	work := 0
	for i := range list {
		m := &list[i]
		if work += m.pairs; m.pairs > remedyPairs || work > remedyWork {
			return nil
		}
		plan, err := s.base.forecast(m.proposal)
		if err != nil {
			return err
		}
		m.Plan, m.Gained, m.Lost = plan, plan.Gain(), plan.Loss()
	}
	return nil
}

// needed says whether every edit is needed: without any single one of them the answer does not turn.
func (s *remedySearch) needed(a attempt) (bool, error) {
	for i := range a.edits {
		if len(a.edits) == 1 {
			break
		}
		less := attempt{edits: slices.Delete(slices.Clone(a.edits), i, i+1)}
		d, err := s.after(&less)
		if err != nil {
			return false, err
		}
		if less.proposal != nil && d.Allowed() == s.want {
			return false, nil
		}
	}
	return true, nil
}
