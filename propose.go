package rolecall

import (
	"fmt"
	"slices"
	"strings"
)

// A Proposal is a change that was judged against a snapshot. Only a snapshot can make one, so every rule of the model
// holds in every store; only a proposal can be committed. It is immutable.
type Proposal struct {
	base  *Snapshot
	next  *Snapshot
	entry Entry
}

// Base returns the revision that the change was judged against.
func (p *Proposal) Base() Revision { return p.base.Revision() }

// History returns the line of revisions that the base is on.
func (p *Proposal) History() string { return p.base.History() }

// Entry returns what committing the proposal adds to the history. The caller must not change its Deltas.
func (p *Proposal) Entry() Entry { return p.entry }

// Next returns the snapshot after the change. It sees the change only once the proposal is committed.
func (p *Proposal) Next() *Snapshot { return p.next }

// Propose judges a change. Its error is a Problems with everything that is wrong with it; nothing is applied then. A
// change made by an actor is judged by the rules of administration, too: an actor who is not permitted learns nothing
// more, and nobody may come to do what the actor may not. The zero Change.Time is the snapshot's instant.
func (s *Snapshot) Propose(c Change) (*Proposal, error) {
	if c.Time.IsZero() {
		c.Time = s.at
	}
	if s.policy == nil || c.Time.IsZero() {
		return nil, errNoInstant()
	}
	if c.Time = utc(c.Time); !writable(c.Time) {
		return nil, problem(ErrInvalid, "change", fmt.Sprint(c.Time.Year()), "the time of a change lies in the years 0 to 9999")
	}
	actors, err := s.actorsOf(c)
	if err != nil {
		return nil, err
	}
	d := s.policy.draft()
	d.policy.revision++
	d.checkText(nil, c.Reason)
	var notPermitted Problems
	for i, e := range c.Edits {
		if refused := mayEdit(actors, d.needs(e), e.takenUpBy()); len(refused) > 0 {
			notPermitted = append(notPermitted, refused...)
			continue
		}
		d.edit(e, c.Meta, i)
	}
	if len(notPermitted) > 0 {
		return nil, notPermitted
	}
	next := d.finish(s.policy)
	if next == nil {
		return nil, d.problems
	}
	p := &Proposal{
		base:  s,
		next:  &Snapshot{next, s.at},
		entry: Entry{Revision: next.revision, Meta: c.meta(), Deltas: d.sortedDeltas()},
	}
	refused := d.problems
	if len(actors) > 0 {
		refused = slices.Concat(refused, p.climbsNowhere(c, actors), p.keepsSomebody(actors))
	}
	if len(refused) > 0 {
		return nil, refused
	}
	return p, nil
}

// meta returns what the history keeps of the change beside its deltas: the reasons of its activations, too, where the
// reason of the change does not tell them.
func (c *Change) meta() Meta {
	m := c.Meta
	for _, e := range c.Edits {
		switch why := e.Activation.Reason; {
		case e.Op != OpActivate || strings.Contains(m.Reason, why):
		case m.Reason == "":
			m.Reason = why
		default:
			m.Reason += "; " + why
		}
	}
	return m
}

// takenUpBy returns whose eligible grant an edit takes up, the zero Subject where it is another kind of edit.
func (e Edit) takenUpBy() Subject {
	if e.Op != OpActivate {
		return Subject{}
	}
	return e.Activation.Subject
}

func (s *Snapshot) checkMeta(m Meta) error {
	for _, who := range []Subject{m.Actor, m.OnBehalf} {
		if who.IsZero() {
			continue
		}
		if fault := s.policy.catalog.checkSubject("change", who); fault != nil {
			return fault
		}
	}
	if m.Actor.IsZero() && !m.OnBehalf.IsZero() {
		return problem(ErrInvalid, "change", m.OnBehalf.String(), "a change on behalf of somebody has an actor")
	}
	return nil
}

// edit applies one edit to the draft. Problems name it by its position where it has no statement.
func (d *draft) edit(e Edit, m Meta, position int) {
	place := fmt.Sprintf("edit %d", position+1)
	switch e.Op {
	case OpPut:
		if e.Statement == nil {
			d.refused(problem(ErrInvalid, place, "", "nothing to put"), nil)
			return
		}
		d.put(e.Statement)
	case OpRemove:
		if e.Statement == nil {
			d.refused(problem(ErrInvalid, place, "", "nothing to remove"), nil)
			return
		}
		if d.checkKey(e.Statement) {
			d.remove(e.Statement)
		}
	case OpForgetSubject:
		d.forgetSubject(e.Subject, place)
	case OpForgetScope:
		d.forgetScope(e.Scope, place)
	case OpActivate:
		d.activate(e.Activation, m)
	default:
		d.refused(problem(ErrInvalid, place, "", "the zero edit does nothing"), nil)
	}
}

// forgetSubject removes every statement about a subject. Where there is none it has nothing to do, so that a host can
// forget whoever it deletes.
func (d *draft) forgetSubject(s Subject, place string) {
	if fault := d.catalog.checkSubject(place, s); fault != nil {
		d.refused(fault, nil)
		return
	}
	h := d.holder(s)
	if h == nil {
		return
	}
	for _, one := range d.about(h) {
		d.remove(one)
	}
}

// forgetScope removes every statement about a scope and all below it.
func (d *draft) forgetScope(t Scope, place string) {
	if fault := d.catalog.checkScope(place, t); fault != nil {
		d.refused(fault, nil)
		return
	}
	at := d.place(t)
	if at == nil {
		return
	}
	for _, one := range d.below(at) {
		d.remove(one)
	}
}

func (d *draft) sortedDeltas() []Delta {
	deltas := make([]Delta, 0, len(d.deltas))
	for _, delta := range d.deltas {
		deltas = append(deltas, *delta)
	}
	slices.SortFunc(deltas, func(a, b Delta) int { return a.Key().Compare(b.Key()) })
	return deltas
}

// Apply makes the next snapshot out of a committed entry, as a store tells of it. The rules of administration were
// judged when it was proposed; every other rule is judged again, so that data that was tampered with is refused.
func (s *Snapshot) Apply(e Entry) (*Snapshot, error) {
	if s.policy == nil {
		return nil, errNoInstant()
	}
	if e.Revision != s.policy.revision+1 {
		return nil, problem(ErrInvalid, "entry", fmt.Sprint(e.Revision), "revision %d is not the next one after %d", e.Revision, s.policy.revision)
	}
	d := s.policy.draft()
	d.policy.revision++
	for _, delta := range e.Deltas {
		if delta.Before == nil && delta.After == nil {
			d.refused(problem(ErrInvalid, "entry", "", "a delta has a statement before or after it"), nil)
			continue
		}
		if standing := d.lookup(delta.Key()); !Equal(standing, delta.Before) {
			d.refused(problem(ErrInvalid, "entry", delta.Key().String(), "the statement does not stand as the entry says it did"), delta.After)
		}
		if delta.After == nil {
			d.remove(delta.Before)
			continue
		}
		d.put(delta.After)
	}
	next := d.finish(s.policy)
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	return &Snapshot{next, s.at}, nil
}
