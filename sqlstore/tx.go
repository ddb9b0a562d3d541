package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/rolecall-go/rolecall"
)

// A Tx is a store inside a transaction of the host. It never begins, commits or rolls back.
type Tx struct {
	store   *Store
	session Session
}

// In binds the store to a transaction that the host has begun on the same database:
//
//	err := store.In(tx).Commit(ctx, proposal)
//
// The host's rows, the policy and the entry in the history are then kept together when the host commits, or not at all.
// Nothing else changes before that: a resolver learns of it as of any other commit. To enforce it at once call
// Resolver.WaitFor with the proposal's next revision once the transaction is committed.
func (s *Store) In(tx *sql.Tx) *Tx { return s.InSession(through{tx}) }

// InSession is In for a transaction of another kind.
func (s *Store) InSession(x Session) *Tx { return &Tx{s, x} }

// Commit writes p into the transaction. ErrConflict says that the policy has moved on; after that, as after any other
// error, roll the transaction back. Further proposals in the same transaction are based on p.Next.
//
// From here to the end of the transaction other commits to this policy wait. So call it last, and do nothing slow after
// it. In SQLite begin the transaction with BEGIN IMMEDIATE where it reads before it writes.
func (t *Tx) Commit(ctx context.Context, p *rolecall.Proposal) error {
	_, err := t.store.write(ctx, t.session, p, t.store.memory.last())
	return err
}

// hold keeps the policy where p begins until the transaction ends, or returns ErrConflict.
func (t *Tx) hold(ctx context.Context, p *rolecall.Proposal) error {
	was := t.store.memory.last()
	h, err := t.store.locked(ctx, t.session)
	if err != nil {
		return t.store.dialect.conflict(err)
	}
	if !h.at(p) || was.lost(h, was.stamp) {
		return movedOn(p)
	}
	return nil
}

// Load returns the policy as the transaction sees it, with what was committed in it. The transaction can do nothing else
// until the statements were read. Where each statement of the transaction sees the present (READ COMMITTED) and somebody
// commits meanwhile, they end with ErrConflict.
func (t *Tx) Load(ctx context.Context) (rolecall.State, error) {
	h, err := t.store.head(ctx, t.session)
	if err != nil {
		return rolecall.State{}, err
	}
	return rolecall.State{History: h.history, Revision: h.revision, Statements: func(yield func(rolecall.Statement, error) bool) {
		for st, err := range t.store.statements(ctx, t.session, h.policy) {
			if !yield(st, err) || err != nil {
				return
			}
		}
		if err := t.still(ctx, h); err != nil {
			yield(nil, err)
		}
	}}, nil
}

// still says that the policy stands where it did.
func (t *Tx) still(ctx context.Context, then head) error {
	now, err := t.store.head(ctx, t.session)
	if err == nil && now != then {
		err = fmt.Errorf("the policy went on from revision %d to %d while it was read: %w", then.revision, now.revision, rolecall.ErrConflict)
	}
	return err
}

// Update changes host rows and the policy in one transaction. fn gets the transaction and the present policy, writes
// what it likes through tx, and returns what to change in the policy, which is judged and committed with it. Where
// somebody else committed to the policy meanwhile, or the database let another transaction go first, everything is
// rolled back and fn is called again, until ctx ends. The resolver, which must be one of this store, enforces the change
// when Update returns. A change without edits, or one that alters nothing, commits what fn wrote and leaves the policy as
// it is: as fn was given it.
//
// The change is made with m; fn leaves its Change.Meta empty. An error of fn, or a refusal, rolls everything back. An
// error of the commit itself may leave it unknown whether it happened.
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
	for {
		if err := r.Refresh(ctx); err != nil {
			return 0, fmt.Errorf("update policy: %w", err)
		}
		revision, err := s.attempt(ctx, r, m, begin, fn)
		if err == nil {
			err = r.WaitFor(ctx, revision)
		}
		if err == nil {
			return revision, nil
		}
		if !errors.Is(err, rolecall.ErrConflict) {
			return 0, fmt.Errorf("update policy: %w", err)
		}
	}
}

func (s *Store) attempt(ctx context.Context, r *rolecall.Resolver, m rolecall.Meta, begin func(ctx context.Context) (Transaction, error),
	fn func(ctx context.Context, x Transaction, now *rolecall.Snapshot) (rolecall.Change, error)) (rolecall.Revision, error) {
	base, err := r.Snapshot()
	if err != nil {
		return 0, err
	}
	tx, err := begin(ctx)
	if err != nil {
		return 0, explain(ctx, err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
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
