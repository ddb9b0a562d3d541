package storetest

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rolecall-go/rolecall"
)

// naive is a simple store that keeps the contract, with the places where the tests break it. Its lock is a channel, so
// that whoever waits for it can be cancelled.
type naive struct {
	*ledger

	fold      func(key string) string                                      // of keys, as a collation does
	conflicts func(p *rolecall.Proposal, wrong bool) error                 // what Commit says of a base that is wrong or not
	before    func()                                                       // a commit begins
	checked   func()                                                       // between the check of the base and the write
	keep      func(e rolecall.Entry) rolecall.Entry                        // what Commit writes
	put       func(d rolecall.Delta) rolecall.Delta                        // what it does to the policy
	applied   func(ctx context.Context) error                              // between the policy and the history
	label     func(revision rolecall.Revision, n int) rolecall.Revision    // of a state of n statements
	labelled  func()                                                       // between the label and the statements
	show      func(s rolecall.Statement) rolecall.Statement                // what Load yields of one
	read      func(seq iter.Seq2[rolecall.Statement, error]) stream        // how Load yields them all
	feed      func(after rolecall.Revision, list []rolecall.Entry) entries // what Changes yields
	lacks     func(after rolecall.Revision) error                          // what Changes says of a revision that it lacks
	told      func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq        // how Changes yields it
	wait      func(ctx context.Context, after rolecall.Revision) error
	undo      func(d rolecall.Delta) rolecall.Delta       // what At takes back
	early     bool                                        // At reads the policy when it is called
	until     func(log []rolecall.Entry, t time.Time) int // how many of the entries were made by then
	lapsed    func(latest, t time.Time) time.Time         // the latest of the times that were dropped, with one more
	forgot    func(what error) error                      // what At says of what it lacks
	named     string                                      // what History says
}

type (
	stream     = iter.Seq2[rolecall.Statement, error]
	entries    = []rolecall.Entry
	entriesSeq = iter.Seq2[rolecall.Entry, error]
)

// A ledger is the data, which several handles may share.
type ledger struct {
	lock       chan struct{}
	history    string
	most       int // entries to keep, 0 for all
	dropped    rolecall.Revision
	latest     time.Time // of the times of the entries that were dropped
	log        []rolecall.Entry
	statements map[string]rolecall.Statement
	changed    chan struct{}
}

var ledgers atomic.Int64

func newNaive() *naive {
	l := &ledger{
		lock: make(chan struct{}, 1), history: fmt.Sprint("ledger", ledgers.Add(1)),
		statements: map[string]rolecall.Statement{}, changed: make(chan struct{}),
	}
	n := &naive{ledger: l, named: l.history}
	n.fold = func(key string) string { return key }
	n.conflicts = func(_ *rolecall.Proposal, wrong bool) error {
		if wrong {
			return rolecall.ErrConflict
		}
		return nil
	}
	n.before = func() {}
	n.keep = cloneEntry
	n.put = func(d rolecall.Delta) rolecall.Delta { return d }
	n.applied = func(context.Context) error { return nil }
	n.label = func(r rolecall.Revision, _ int) rolecall.Revision { return r }
	n.show = rolecall.Canonical
	n.read = func(seq iter.Seq2[rolecall.Statement, error]) stream { return seq }
	n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries { return list }
	n.lacks = func(rolecall.Revision) error { return rolecall.ErrCompacted }
	n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq { return seq }
	n.wait = n.await
	n.undo = func(d rolecall.Delta) rolecall.Delta { return d }
	n.early = true
	n.until = func(log []rolecall.Entry, t time.Time) int {
		later := func(e rolecall.Entry) bool { return e.Time.After(t) }
		if i := slices.IndexFunc(log, later); i >= 0 {
			return i
		}
		return len(log)
	}
	n.lapsed = func(latest, t time.Time) time.Time {
		if t.After(latest) {
			return t
		}
		return latest
	}
	n.forgot = func(what error) error { return what }
	return n
}

func cloneEntry(e rolecall.Entry) rolecall.Entry {
	e.Deltas = slices.Clone(e.Deltas)
	for i, d := range e.Deltas {
		e.Deltas[i] = rolecall.Delta{Before: canonical(d.Before), After: canonical(d.After)}
	}
	return e
}

func canonical(s rolecall.Statement) rolecall.Statement {
	if s == nil {
		return nil
	}
	return rolecall.Canonical(s)
}

func (l *ledger) hold(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *ledger) release() { <-l.lock }

// meanwhile gives the lock away while something else happens, which a sound store never does.
func (l *ledger) meanwhile(happens func()) {
	if happens == nil {
		return
	}
	l.release()
	happens()
	l.lock <- struct{}{}
}

// now is the revision. The caller holds the lock.
func (l *ledger) now() rolecall.Revision { return l.dropped + rolecall.Revision(len(l.log)) }

// revision is now for who does not hold the lock.
func (l *ledger) revision() rolecall.Revision {
	l.lock <- struct{}{}
	defer l.release()
	return l.now()
}

// kept returns the log as it is.
func (l *ledger) kept() []rolecall.Entry {
	l.lock <- struct{}{}
	defer l.release()
	return l.log
}

// gone says that the entry of a revision was compacted.
func (l *ledger) gone(r rolecall.Revision) bool {
	l.lock <- struct{}{}
	defer l.release()
	return r <= l.dropped
}

func (n *naive) History(ctx context.Context) (string, error) { return n.named, ctx.Err() }

func (n *naive) Load(ctx context.Context) (rolecall.State, error) {
	if err := n.hold(ctx); err != nil {
		return rolecall.State{}, err
	}
	revision := n.label(n.now(), len(n.statements))
	defer n.release()
	n.meanwhile(n.labelled)
	all := slices.Collect(maps.Values(n.statements))
	return rolecall.State{History: n.history, Revision: revision, Statements: n.read(func(yield func(rolecall.Statement, error) bool) {
		for _, s := range all {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(n.show(s), nil) {
				return
			}
		}
	})}, nil
}

func (n *naive) Commit(ctx context.Context, p *rolecall.Proposal) error {
	n.before()
	if err := n.hold(ctx); err != nil {
		return err
	}
	defer n.release()
	if err := n.conflicts(p, p.Base() != n.now() || p.History() != n.history); err != nil {
		return err
	}
	n.meanwhile(n.checked)
	return n.write(ctx, n.keep(p.Entry()))
}

func (n *naive) write(ctx context.Context, e rolecall.Entry) error {
	for _, d := range e.Deltas {
		d = n.put(d)
		key := n.fold(d.Key().String())
		if d.After == nil {
			delete(n.statements, key)
			continue
		}
		n.statements[key] = d.After
	}
	if err := n.applied(ctx); err != nil {
		return err
	}
	n.log = append(n.log, cloneEntry(e))
	if n.most > 0 && len(n.log) > n.most {
		n.latest = n.lapsed(n.latest, n.log[0].Time)
		n.log, n.dropped = n.log[1:], n.dropped+1
	}
	close(n.changed)
	n.changed = make(chan struct{})
	return nil
}

func (n *naive) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return n.told(func(yield func(rolecall.Entry, error) bool) {
		list, err := n.later(ctx, after)
		if err != nil {
			yield(rolecall.Entry{}, err)
			return
		}
		for _, e := range n.feed(after, list) {
			if err := ctx.Err(); err != nil {
				yield(rolecall.Entry{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	})
}

func (n *naive) later(ctx context.Context, after rolecall.Revision) ([]rolecall.Entry, error) {
	if err := n.hold(ctx); err != nil {
		return nil, err
	}
	defer n.release()
	if after < n.dropped || after > n.now() {
		if err := n.lacks(after); err != nil {
			return nil, err
		}
		after = max(n.dropped, min(after, n.now()))
	}
	var list []rolecall.Entry
	for _, e := range n.log[after-n.dropped:] {
		list = append(list, cloneEntry(e))
	}
	return list, nil
}

func (n *naive) Wait(ctx context.Context, after rolecall.Revision) error { return n.wait(ctx, after) }

func (n *naive) await(ctx context.Context, after rolecall.Revision) error {
	for {
		if err := n.hold(ctx); err != nil {
			return err
		}
		now, changed := n.now(), n.changed
		n.release()
		if now > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (n *naive) At(ctx context.Context, r rolecall.Revision) (rolecall.State, error) {
	if err := n.hold(ctx); err != nil {
		return rolecall.State{}, err
	}
	defer n.release()
	return n.at(r)
}

func (n *naive) AtTime(ctx context.Context, t time.Time) (rolecall.State, error) {
	if err := n.hold(ctx); err != nil {
		return rolecall.State{}, err
	}
	defer n.release()
	if n.dropped > 0 && t.Before(n.latest) {
		if err := n.forgot(rolecall.ErrCompacted); err != nil {
			return rolecall.State{}, err
		}
	}
	return n.at(n.dropped + rolecall.Revision(n.until(n.log, t)))
}

// at takes back what was done since a revision. The caller holds the lock.
func (n *naive) at(r rolecall.Revision) (rolecall.State, error) {
	if r < n.dropped || r > n.now() {
		if err := n.forgot(rolecall.ErrCompacted); err != nil {
			return rolecall.State{}, err
		}
		r = max(n.dropped, min(r, n.now()))
	}
	present, since := n.statements, n.log[r-n.dropped:]
	if n.early {
		present = maps.Clone(present)
	}
	return rolecall.State{History: n.history, Revision: r, Statements: func(yield func(rolecall.Statement, error) bool) {
		was := maps.Clone(present)
		for _, e := range slices.Backward(since) {
			for _, d := range e.Deltas {
				d = n.undo(d)
				was[n.fold(d.Key().String())] = d.Before
			}
		}
		for _, s := range was {
			if s != nil && !yield(n.show(s), nil) {
				return
			}
		}
	}}, nil
}
