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
	store *Store
	tx    *sql.Tx
}

// In binds the store to a transaction that the host has begun on the same database:
//
//	err := store.In(tx).Commit(ctx, proposal)
//
// The host's rows, the policy and the entry in the history are then kept together when the host commits, or not at all.
// Nothing else changes before that: a resolver learns of it as of any other commit. To enforce it at once call
// Resolver.WaitFor with the proposal's next revision once the transaction is committed.
func (s *Store) In(tx *sql.Tx) *Tx { return &Tx{s, tx} }

// Commit writes p into the transaction. ErrConflict says that the policy has moved on; after that, as after any other
// error, roll the transaction back. Further proposals in the same transaction are based on p.Next.
//
// From here to the end of the transaction other commits to this policy wait. So call it last, and do nothing slow after
// it. In SQLite begin the transaction with BEGIN IMMEDIATE where it reads before it writes.
func (t *Tx) Commit(ctx context.Context, p *rolecall.Proposal) error {
	_, err := t.store.write(ctx, t.tx, p)
	return err
}

// Load returns the policy as the transaction sees it, with what was committed in it.
func (t *Tx) Load(ctx context.Context) (rolecall.State, error) {
	h, err := t.store.head(ctx, t.tx)
	if err != nil {
		return rolecall.State{}, err
	}
	return rolecall.State{History: h.history, Revision: h.revision, Statements: t.store.statements(ctx, t.tx, h.policy)}, nil
}

// Update changes host rows and the policy in one transaction. fn gets the transaction and the present policy, writes
// what it likes through tx, and returns what to change in the policy, which is judged and committed with it. Where
// somebody else committed to the policy meanwhile everything is rolled back and fn is called again, until ctx ends. The
// resolver, which must be one of this store, enforces the change when Update returns. A change without edits, or one
// that alters nothing, commits what fn wrote and leaves the policy as it is.
//
// An error of fn, or a refusal, rolls everything back. An error of the commit itself may leave it unknown whether it
// happened.
func (s *Store) Update(ctx context.Context, r *rolecall.Resolver, m rolecall.Meta, how *sql.TxOptions,
	fn func(ctx context.Context, tx *sql.Tx, s *rolecall.Snapshot) (rolecall.Change, error)) (rolecall.Revision, error) {
	for {
		if err := r.Refresh(ctx); err != nil {
			return 0, fmt.Errorf("update policy: %w", err)
		}
		revision, err := s.attempt(ctx, r, m, how, fn)
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

func (s *Store) attempt(ctx context.Context, r *rolecall.Resolver, m rolecall.Meta, how *sql.TxOptions,
	fn func(ctx context.Context, tx *sql.Tx, s *rolecall.Snapshot) (rolecall.Change, error)) (rolecall.Revision, error) {
	base, err := r.Snapshot()
	if err != nil {
		return 0, err
	}
	tx, err := s.db.BeginTx(ctx, how)
	if err != nil {
		return 0, explain(ctx, err)
	}
	defer rollback(tx)
	change, err := fn(ctx, tx, base)
	if err != nil {
		return 0, err
	}
	change.Meta = m
	p, err := base.Propose(change)
	if err != nil {
		return 0, err
	}
	revision := base.Revision()
	if len(p.Entry().Deltas) > 0 {
		revision = p.Next().Revision()
		if err := s.In(tx).Commit(ctx, p); err != nil {
			return 0, err
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, explain(ctx, conflict(err))
	}
	s.Wake()
	return revision, nil
}
