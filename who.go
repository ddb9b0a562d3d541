package rolecall

import (
	"iter"
	"slices"
)

// Who answers who may do p at t: every subject but a group that the policy names and that is allowed, in order, and
// whether a subject that the policy names nowhere would be. Its cost follows the statements that reach the target, and
// the answer: it looks only at those who have a statement on the way to t, and at the members of such groups, unless
// everyone may. Audience answers page by page, with the paths, and for facts that differ between subjects.
func (s *Snapshot) Who(p Permission, t Scope, facts Facts) (named []Subject, everyone bool, err error) {
	a, err := s.audience(p, t, func(Subject) Facts { return facts })
	if err != nil {
		return nil, false, err
	}
	a.all = a.everyone
	return slices.Collect(a.Subjects(Subject{})), a.Everyone(), nil
}

// An Audience is the answer to: who may do a permission at a scope, and through what? For every subject it says what
// the check says. It is immutable and safe for concurrent use where its facts are.
type Audience struct {
	snapshot *Snapshot
	question question
	target   Scope
	facts    func(Subject) Facts
	everyone bool
	all      bool // subjects of whom nothing is said on the way to the target may be allowed
}

// Audience returns who may do p at t. facts answer conditions for a subject, Everyone() standing for whoever the policy
// names nowhere; nil facts say that none holds. An error says that the question is invalid, names something not
// declared, or that the snapshot has no instant.
func (s *Snapshot) Audience(p Permission, t Scope, facts func(Subject) Facts) (*Audience, error) {
	a, err := s.audience(p, t, facts)
	if err != nil {
		return nil, err
	}
	a.all = a.everyone
	if !a.all && facts != nil {
		anybody, err := s.For(Everyone(), nil)
		if err != nil {
			return nil, err
		}
		set := ScopeSet{view: anybody, zones: anybody.survey(a.question.permission)}
		a.all = set.nodeAt(&a.question.path) != ruleNever
	}
	return a, nil
}

func (s *Snapshot) audience(p Permission, t Scope, facts func(Subject) Facts) (*Audience, error) {
	if s.at.IsZero() {
		return nil, errNoInstant()
	}
	a := &Audience{snapshot: s, target: t, facts: facts}
	everyone := Everyone()
	if err := a.question.ready(s.policy, &everyone, &p, &t); err != nil {
		return nil, err
	}
	a.question.now = instant{at: s.at}
	if err := s.policy.catalog.checkFacts(a.factsOf(everyone)); err != nil {
		return nil, err
	}
	a.everyone = a.allows(everyone, nil)
	return a, nil
}

func (a *Audience) factsOf(who Subject) Facts {
	if a.facts == nil {
		return nil
	}
	return a.facts(who)
}

// allows answers for one subject; h is what is said of it, nil where nothing is.
func (a *Audience) allows(who Subject, h *holder) bool {
	q := a.question
	return q.giveFacts(a.factsOf(who)) == nil && q.verdictFor(h) == Granted
}

// Everyone says whether a subject that the policy names nowhere is allowed.
func (a *Audience) Everyone() bool { return a.everyone }

// Subjects yields the subjects but groups that the policy names and that are allowed, groups expanded, in the order of
// Subject.Compare: those after a subject, the zero Subject for all of them. A subject for whom a given condition is not
// declared is left out. Each page costs its own checks, and finding the candidates once.
func (a *Audience) Subjects(after Subject) iter.Seq[Subject] {
	return a.allowed(after, func() []*holder { return a.snapshot.policy.candidates(&a.question.path, a.all) })
}

// Holders yields who is allowed as granted: the subjects, groups and Everyone that have a statement of their own at t or
// above it and that are allowed when asked by themselves. Members are not expanded, and a group is listed although some
// of its members may be denied. Order and after are as in Subjects.
func (a *Audience) Holders(after Subject) iter.Seq[Subject] {
	return a.allowed(after, func() []*holder {
		var list []*holder
		p, way := a.snapshot.policy, &a.question.path
		for depth := range way.n {
			list = slices.AppendSeq(list, p.speakersAt(way.places[depth]))
		}
		return list
	})
}

// allowed yields the allowed ones among candidates, each once.
func (a *Audience) allowed(after Subject, candidates func() []*holder) iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		list := candidates()
		if !after.IsZero() {
			list = slices.DeleteFunc(list, func(h *holder) bool { return h.subject.Compare(after) <= 0 })
		}
		slices.SortFunc(list, (*holder).compare)
		for _, h := range slices.Compact(list) {
			if a.allows(h.subject, h) && !yield(h.subject) {
				return
			}
		}
	}
}

// Decide explains the answer for one subject, as Snapshot.Decide does: what decides, and the path of memberships to it.
func (a *Audience) Decide(who Subject) (Decision, error) {
	p := a.snapshot.policy.catalog.permissions[a.question.permission]
	return a.snapshot.Decide(Request{Subject: who, Permission: p, Scope: a.target, Facts: a.factsOf(who)})
}

// candidates lists the subjects but groups whose answer at a path may differ from a stranger's; all of them where a
// stranger is allowed.
func (p *policy) candidates(way *path, all bool) []*holder {
	var list []*holder
	if all {
		p.subjects.all(func(h *holder) bool {
			if h.group == nil {
				list = append(list, h)
			}
			return true
		})
		return list
	}
	seen := map[*holder]bool{p.everyone(): true}
	for depth := range way.n {
		for h := range p.speakersAt(way.places[depth]) {
			p.descend(seen, h, func(h *holder) bool {
				if h.group == nil {
					list = append(list, h)
				}
				return true
			})
		}
	}
	return list
}
