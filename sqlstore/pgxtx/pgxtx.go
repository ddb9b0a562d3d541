// Package pgxtx joins a sqlstore.Store to transactions of pgx, for hosts that use it without database/sql. The host's
// rows, a change of the policy and its entry in the history are then committed together, or none is:
//
//	revision, err := pgxtx.Update(ctx, store, pool, resolver, rolecall.Meta{Reason: "new project"}, pgx.TxOptions{},
//		func(ctx context.Context, tx pgx.Tx, s *rolecall.Snapshot) (rolecall.Change, error) {
//			_, err := tx.Exec(ctx, "INSERT INTO projects (id) VALUES ($1)", id)
//			return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(lead)}}, err
//		})
//
// The store itself is opened on the same pool: sqlstore.Open(ctx, stdlib.OpenDBFromPool(pool), sqlstore.PostgreSQL, nil).
package pgxtx

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// In binds the store to a transaction that the host has begun on the same database, as Store.In does.
func In(s *sqlstore.Store, tx pgx.Tx) *sqlstore.Tx { return s.InSession(transaction{tx}) }

// A DB begins transactions: a *pgxpool.Pool, or a *pgx.Conn.
type DB interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// Update is Store.Update for a transaction of pgx.
func Update(ctx context.Context, s *sqlstore.Store, db DB, r *rolecall.Resolver, m rolecall.Meta, how pgx.TxOptions,
	fn func(ctx context.Context, tx pgx.Tx, s *rolecall.Snapshot) (rolecall.Change, error)) (rolecall.Revision, error) {
	return s.UpdateIn(ctx, r, m, func(ctx context.Context) (sqlstore.Transaction, error) {
		tx, err := db.BeginTx(ctx, how)
		return transaction{tx}, err
	}, func(ctx context.Context, x sqlstore.Transaction, now *rolecall.Snapshot) (rolecall.Change, error) {
		return fn(ctx, x.(transaction).tx, now)
	})
}

type transaction struct{ tx pgx.Tx }

func (t transaction) Exec(ctx context.Context, query string, args ...any) error {
	_, err := t.tx.Exec(ctx, query, args...)
	return err
}

func (t transaction) Query(ctx context.Context, query string, args ...any) (sqlstore.Rows, error) {
	rows, err := t.tx.Query(ctx, query, args...)
	return answer{rows}, err
}

func (t transaction) Commit(ctx context.Context) error { return t.tx.Commit(ctx) }

func (t transaction) Rollback(ctx context.Context) error {
	if err := t.tx.Rollback(ctx); !errors.Is(err, pgx.ErrTxClosed) {
		return err
	}
	return nil
}

type answer struct{ pgx.Rows }

func (a answer) Close() error {
	a.Rows.Close()
	return a.Err()
}
