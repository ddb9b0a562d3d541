package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/rolecall-go/rolecall"
)

func cancelCases() []Case {
	return []Case{
		{"cancelled-calls-do-nothing", "A call with a ctx that was cancelled before returns its error and changes nothing.", cancelledCalls},
		{"cancelled-load-tells", "A load that is cancelled while it is read ends with an error or is whole; it is never silently short.", cancelledLoad},
		{"cancelled-changes-tell", "A feed that is cancelled while it is read ends with an error or is whole; it is never silently short.", cancelledChanges},
		{"cancelled-commit-is-whole", "A commit that is cancelled at any step is kept wholly or not at all, and the store goes on.", cancelledCommit},
	}
}

func cancelledCalls(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	p, err := t.propose(rolecall.Put(grant("ada")))
	if err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	state, err := t.store.Load(cancelled)
	if err == nil {
		_, err = snapshotOf(state)
	}
	_, feed := follow(cancelled, t.store, 0)
	for _, got := range []struct {
		call string
		err  error
	}{{"Load", err}, {"Commit", t.store.Commit(cancelled, p)}, {"Changes", feed}} {
		if err := wantError(got.call+" with a cancelled ctx", got.err, context.Canceled); err != nil {
			return err
		}
	}
	return t.holds(ctx)
}

func cancelledLoad(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	const grants = 300
	if err := t.put(ctx, numbered(grants)...); err != nil {
		return err
	}
	for _, after := range []int{1, 2, 100, 299} {
		cancelled, cancel := context.WithCancel(ctx)
		defer cancel()
		state, err := t.store.Load(cancelled)
		if err != nil {
			return fmt.Errorf("Load: %w", err)
		}
		read, failure := 0, error(nil)
		for _, err := range state.Statements {
			if failure = err; err != nil {
				break
			}
			if read++; read == after {
				cancel()
			}
		}
		if failure == nil && read != grants+1 {
			return fmt.Errorf("Load, cancelled after %d statements: got %d of %d and no error", after, read, grants+1)
		}
		if err := t.holds(ctx); err != nil {
			return fmt.Errorf("after a cancelled Load: %w", err)
		}
	}
	return nil
}

func cancelledChanges(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.each(ctx, numbered(9)); err != nil {
		return err
	}
	for after := 1; after < 10; after += 4 {
		cancelled, cancel := context.WithCancel(ctx)
		defer cancel()
		read, failure := 0, error(nil)
		for _, err := range t.store.Changes(cancelled, 0) {
			if failure = err; err != nil {
				break
			}
			if read++; read == after {
				cancel()
			}
		}
		if failure == nil && read != 10 {
			return fmt.Errorf("Changes, cancelled after %d entries: got %d of 10 and no error", after, read)
		}
	}
	return t.holds(ctx)
}

// A countdown is a context that is cancelled when it was asked some number of times.
type countdown struct {
	context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

func newCountdown(ctx context.Context, asks int) *countdown {
	inner, cancel := context.WithCancel(ctx)
	c := &countdown{Context: inner, cancel: cancel}
	c.left.Store(int64(asks))
	return c
}

func (c *countdown) ask() {
	if c.left.Add(-1) < 0 {
		c.cancel()
	}
}

// Done counts.
func (c *countdown) Done() <-chan struct{} {
	c.ask()
	return c.Context.Done()
}

// Err counts.
func (c *countdown) Err() error {
	c.ask()
	return c.Context.Err()
}

// The commit is cancelled at its first look at ctx, at its second, and so on until it gets through.
func cancelledCommit(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	const most = 60
	for asks := range most {
		p, err := t.propose(rolecall.Put(grant(fmt.Sprintf("a%d", asks))), rolecall.Put(grant(fmt.Sprintf("b%d", asks))))
		if err != nil {
			return err
		}
		slowly := newCountdown(ctx, asks)
		outcome := t.store.Commit(slowly, p)
		slowly.cancel()
		if errors.Is(outcome, rolecall.ErrConflict) {
			return fmt.Errorf("Commit on the present revision, cancelled at step %d: got %w, want nil or the error of ctx", asks, outcome)
		}
		if err := t.settle(ctx, p, outcome); err != nil {
			return fmt.Errorf("after Commit was cancelled at step %d and returned %v: %w", asks, outcome, err)
		}
		if outcome == nil && asks > 2 {
			break
		}
	}
	return t.put(ctx, grant("last"))
}

// settle finds out whether p was kept, where that is not known, and checks that it was kept wholly or not at all. What was
// cancelled may arrive as late as another change is kept in its place.
func (t *trial) settle(ctx context.Context, p *rolecall.Proposal, outcome error) error {
	var after error
	if outcome != nil {
		after = t.put(ctx, grant(fmt.Sprintf("after%d", p.Base())))
	}
	switch {
	case outcome == nil || errors.Is(after, rolecall.ErrConflict):
		t.want = p.Next()
	case after != nil:
		return after
	}
	if err := t.holds(ctx); err != nil {
		return err
	}
	return tells(ctx, t.store, 0, t.want.Revision())
}
