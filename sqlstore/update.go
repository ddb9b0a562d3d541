package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/backoff"
)

// Update changes host rows and the policy in one transaction. fn gets the transaction and the present policy, writes
// what it likes through tx, and returns what to change in the policy, which is judged and committed with it. Where
// somebody else committed to the policy meanwhile, or the database let another transaction go first, everything is
// rolled back and fn is called again, until ctx ends. The resolver, which must be one of this store, enforces the change
// when Update returns. A change without edits, or one that alters nothing, commits what fn wrote and leaves the policy as
// it is: as fn was given it.
//
// The change is made with m; fn leaves its Change.Meta empty. An error of fn, or a refusal, rolls everything back. An
// error of the commit itself may leave it unknown whether it happened. An error with a revision says that everything was
// committed as that one, but that the resolver could not be brought up to it.
func (s *Store) Update(ctx context.Context, r *rolecall.Resolver, m rolecall.Meta, how *sql.TxOptions,
	fn func(ctx context.Context, tx *sql.Tx, s *rolecall.Snapshot) (rolecall.Change, error)) (rolecall.Revision, error) {
	return s.UpdateIn(ctx, r, m, func(ctx context.Context) (Transaction, error) {
		tx, err := s.db.BeginTx(ctx, how)
		return transaction{through{tx}, tx}, err
	}, func(ctx context.Context, x Transaction, now *rolecall.Snapshot) (rolecall.Change, error) {
		return fn(ctx, x.(transaction).tx, now)
	})
}

// A Transaction is a Session that Update has begun and ends. Rollback after the end does nothing.
type Transaction interface {
	Session
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

type transaction struct {
	through
	tx *sql.Tx
}

func (t transaction) Commit(context.Context) error   { return t.tx.Commit() }
func (t transaction) Rollback(context.Context) error { return rollback(t.tx) }

// UpdateIn is Update for transactions of another kind, which begin begins and fn gets.
func (s *Store) UpdateIn(ctx context.Context, r *rolecall.Resolver, m rolecall.Meta, begin func(ctx context.Context) (Transaction, error),
	fn func(ctx context.Context, x Transaction, now *rolecall.Snapshot) (rolecall.Change, error)) (rolecall.Revision, error) {
	var last *rolecall.Snapshot
	var stuck backoff.Pauses
	for {
		base, err := s.base(ctx, r, last, &stuck)
		if err != nil {
			return 0, fmt.Errorf("update policy: %w", err)
		}
		revision, err := s.attempt(ctx, base, m, begin, fn)
		if err == nil {
			return revision, enforced(ctx, r, revision)
		}
		if !errors.Is(err, rolecall.ErrConflict) && !s.dialect.busy(err) {
			return 0, fmt.Errorf("update policy: %w", err)
		}
		last = base
	}
}

// base returns what the next attempt begins with, after one that was overtaken on last, nil before the first. Where the
// policy is still that, something else holds the attempts up, and the next one waits.
func (s *Store) base(ctx context.Context, r *rolecall.Resolver, last *rolecall.Snapshot, stuck *backoff.Pauses) (*rolecall.Snapshot, error) {
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	if last != nil {
		if err := s.serves(ctx, r); err != nil {
			return nil, err
		}
	}
	base, err := r.Snapshot()
	if err == nil && last != nil && base.History() == last.History() && base.Revision() == last.Revision() {
		stuck.Wait(ctx, firstPause, s.options.Poll)
		return s.base(ctx, r, nil, stuck)
	}
	return base, err
}

// serves refuses a resolver of another store, with which every attempt would conflict. It looks twice, since the database
// may be restored in between.
func (s *Store) serves(ctx context.Context, r *rolecall.Resolver) error {
	for range 2 {
		history, err := s.History(ctx)
		if err != nil || history == r.Health().History {
			return err
		}
		if err := r.Refresh(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: the resolver is of another store, or of another tenant", rolecall.ErrInvalid)
}

// enforced waits until the resolver enforces what was committed.
func enforced(ctx context.Context, r *rolecall.Resolver, revision rolecall.Revision) error {
	if err := r.WaitFor(ctx, revision); err != nil {
		return fmt.Errorf("update policy: committed as revision %d, not enforced here yet: %w", revision, err)
	}
	return nil
}

// firstPause is how long about an attempt waits that nothing but another one holds up.
const firstPause = 5 * time.Millisecond

// lastWord is how long a rollback may take of which nobody waits for the answer any more.
const lastWord = 5 * time.Second

// undo rolls back what was not committed, also where ctx has ended, so that the connection can be used again.
func undo(ctx context.Context, tx Transaction) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWord)
	defer cancel()
	_ = tx.Rollback(ctx) // where the answer does not come, the connection goes
}

func (s *Store) attempt(ctx context.Context, base *rolecall.Snapshot, m rolecall.Meta, begin func(ctx context.Context) (Transaction, error),
	fn func(ctx context.Context, x Transaction, now *rolecall.Snapshot) (rolecall.Change, error)) (rolecall.Revision, error) {
	tx, err := begin(ctx)
	if err != nil {
		return 0, explain(ctx, err)
	}
	defer undo(ctx, tx)
	change, err := fn(ctx, tx, base)
	if err != nil {
		return 0, s.dialect.conflict(err)
	}
	if change.Meta != (rolecall.Meta{}) && change.Meta != m {
		return 0, fmt.Errorf("%w: who changes the policy, why and when is said to Update, not in the change that it is given", rolecall.ErrInvalid)
	}
	change.Meta = m
	p, err := base.Propose(change)
	if err != nil {
		return 0, err
	}
	revision, write := p.Next().Revision(), s.InSession(tx).Commit
	if len(p.Entry().Deltas) == 0 {
		revision, write = p.Base(), s.InSession(tx).hold
	}
	if err := write(ctx, p); err != nil {
		return 0, err
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, explain(ctx, s.dialect.conflict(err))
	}
	s.Wake()
	return revision, nil
}
