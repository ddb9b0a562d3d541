package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
	"github.com/rolecall-go/rolecall/sqlstore/pgxtx"
	"github.com/rolecall-go/rolecall/storetest"
)

// openPool returns a pool of pgx, and the same pool for database/sql, with the tables there.
func openPool(t *testing.T) (*pgxpool.Pool, *sql.DB) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), postgres(t).dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() {
		db.Close()
		pool.Close()
	})
	if err := sqlstore.Migrate(t.Context(), db, sqlstore.PostgreSQL, nil); err != nil {
		t.Fatal(err)
	}
	return pool, db
}

// joined is a store that commits in transactions of a host, and loads in them.
type joined struct {
	withTenant
	pool *pgxpool.Pool
}

func (j joined) Commit(ctx context.Context, p *rolecall.Proposal) error {
	return pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error { return pgxtx.In(j.Store, tx).Commit(ctx, p) })
}

func (j joined) Load(ctx context.Context) (rolecall.State, error) {
	tx, err := j.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return rolecall.State{}, err
	}
	state, err := pgxtx.In(j.Store, tx).Load(ctx)
	if err != nil {
		return state, errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	read := state.Statements
	state.Statements = func(yield func(rolecall.Statement, error) bool) {
		defer tx.Rollback(context.WithoutCancel(ctx))
		read(yield)
	}
	return state, nil
}

// A store that reads and writes in nothing but transactions of pgx keeps the contract too.
func TestTransactionsOfPgxKeepTheContract(t *testing.T) {
	pool, db := openPool(t)
	open := func(ctx context.Context, o sqlstore.Options) (rolecall.Store, error) {
		s, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL, &o)
		return joined{withTenant{s, o.Tenant}, pool}, err
	}
	storetest.Run(t, storetest.Stores{
		Big: light,
		New: func(ctx context.Context) (rolecall.Store, error) {
			return open(ctx, sqlstore.Options{Tenant: newTenant()})
		},
		Compacting: func(ctx context.Context, n int) (rolecall.Store, error) {
			return open(ctx, sqlstore.Options{Tenant: newTenant(), History: n})
		},
	})
}

// Business rows, a change of the policy and an entry in the host's own audit commit or vanish together, and nobody's
// memory moves before the commit: not that of the resolver, nor of another one, nor of the store.
func TestAChangeJoinsATransactionOfPgx(t *testing.T) {
	pool, db := openPool(t)
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		for _, commit := range []bool{false, true} {
			tenant := newTenant()
			s := openStore(t, postgres(t), db, sqlstore.Options{Tenant: tenant})
			r := openResolver(t, s, nil)
			elsewhere := openResolver(t, openStore(t, postgres(t), db, sqlstore.Options{Tenant: tenant}), nil)
			update(t, r, reader)
			orders, audit := hostTables(t, db)
			first := proposal(t, r, grant("ada"))
			tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "INSERT INTO "+orders+" VALUES ('one')"); err != nil {
				t.Fatal(err)
			}
			if err := pgxtx.In(s, tx).Commit(t.Context(), first); err != nil {
				t.Fatalf("%s: In(tx).Commit: %v", level, err)
			}
			if _, err := tx.Exec(t.Context(), "INSERT INTO "+audit+" VALUES ('one')"); err != nil {
				t.Fatal(err)
			}
			state, err := pgxtx.In(s, tx).Load(t.Context())
			if err != nil || state.Revision != 2 {
				t.Errorf("%s: In(tx).Load: got revision %d, %v, want 2", level, state.Revision, err)
			}
			for name, one := range map[string]*rolecall.Resolver{"the same store": r, "another store": elsewhere} {
				if err := one.Refresh(t.Context()); err != nil {
					t.Fatalf("Refresh: %v", err)
				}
				may(t, one, "ada", rolecall.ErrDenied)
				if one.Revision() != 1 {
					t.Errorf("%s: before the host commits, a resolver of %s is at revision %d, want 1", level, name, one.Revision())
				}
			}
			end, want, verdict := tx.Rollback, 0, error(rolecall.ErrDenied)
			if commit {
				end, want, verdict = tx.Commit, 1, nil
			}
			if err := end(t.Context()); err != nil {
				t.Fatalf("%s: end of the host's transaction: %v", level, err)
			}
			for _, one := range []*rolecall.Resolver{r, elsewhere} {
				if err := one.Refresh(t.Context()); err != nil {
					t.Fatalf("Refresh: %v", err)
				}
				may(t, one, "ada", verdict)
				if got := int(one.Revision()); got != 1+want {
					t.Errorf("%s, commit %t: resolver at revision %d, want %d", level, commit, got, 1+want)
				}
			}
			if got := []int{notes(t, db, orders), notes(t, db, audit)}; got[0] != want || got[1] != want {
				t.Errorf("%s, commit %t: %v rows of the host, want %d each", level, commit, got, want)
			}
			update(t, r, grant("later"))
		}
	}
}

// Of two transactions that both have looked, the one that comes late conflicts, at every isolation level, and what it
// wrote of the host's is gone with it.
func TestATransactionOfPgxThatComesLateConflicts(t *testing.T) {
	pool, db := openPool(t)
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		s := openStore(t, postgres(t), db, sqlstore.Options{Tenant: newTenant()})
		r := openResolver(t, s, nil)
		update(t, r, reader)
		orders, _ := hostTables(t, db)
		late := proposal(t, r, grant("ada"))
		err := pgx.BeginTxFunc(t.Context(), pool, pgx.TxOptions{IsoLevel: level}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO "+orders+" VALUES ('x')"); err != nil {
				return err
			}
			update(t, r, grant("bob"))
			return pgxtx.In(s, tx).Commit(t.Context(), late)
		})
		if !errors.Is(err, rolecall.ErrConflict) {
			t.Errorf("%s: In(tx).Commit on revision 1 of a store at 2: got %v, want ErrConflict", level, err)
		}
		if got := notes(t, db, orders); got != 0 {
			t.Errorf("%s: after a conflict: %d rows of the host, want 0", level, got)
		}
	}
}

// Several hosts write orders with a grant each. Every order has its grant, and no attempt that was overtaken leaves one.
func TestUpdateRetriesTransactionsOfPgx(t *testing.T) {
	pool, db := openPool(t)
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.Serializable} {
		tenant := newTenant()
		update(t, openResolver(t, openStore(t, postgres(t), db, sqlstore.Options{Tenant: tenant}), nil), reader)
		orders, _ := hostTables(t, db)
		const hosts, each = 3, 5
		var all sync.WaitGroup
		for h := range hosts {
			s := openStore(t, postgres(t), db, sqlstore.Options{Tenant: tenant})
			r := openResolver(t, s, nil)
			all.Go(func() {
				for i := range each {
					user := fmt.Sprintf("%d-%d", h, i)
					_, err := pgxtx.Update(t.Context(), s, pool, r, rolecall.Meta{Reason: user}, pgx.TxOptions{IsoLevel: level},
						func(ctx context.Context, tx pgx.Tx, _ *rolecall.Snapshot) (rolecall.Change, error) {
							_, err := tx.Exec(ctx, "INSERT INTO "+orders+" VALUES ($1)", user)
							return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant(user))}}, err
						})
					if err != nil {
						t.Errorf("%s: Update of host %d: %v", level, h, err)
						return
					}
					may(t, r, user, nil)
				}
			})
		}
		all.Wait()
		r := openResolver(t, openStore(t, postgres(t), db, sqlstore.Options{Tenant: tenant}), nil)
		if got := notes(t, db, orders); got != hosts*each || int(r.Revision()) != 1+hosts*each {
			t.Errorf("%s: after %d updates: %d orders at revision %d, want %d at %d", level, hosts*each, got, r.Revision(), hosts*each, 1+hosts*each)
		}
	}
}

func TestUpdateInATransactionOfPgxRollsBackWithItsFunction(t *testing.T) {
	pool, db := openPool(t)
	s := openStore(t, postgres(t), db, sqlstore.Options{Tenant: newTenant()})
	r := openResolver(t, s, nil)
	update(t, r, reader)
	orders, _ := hostTables(t, db)
	wrong := errors.New("out of stock")
	_, err := pgxtx.Update(t.Context(), s, pool, r, rolecall.Meta{}, pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx, _ *rolecall.Snapshot) (rolecall.Change, error) {
		if _, err := tx.Exec(ctx, "INSERT INTO "+orders+" VALUES ('x')"); err != nil {
			return rolecall.Change{}, err
		}
		return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant("ada"))}}, wrong
	})
	if !errors.Is(err, wrong) || notes(t, db, orders) != 0 || r.Revision() != 1 {
		t.Errorf("Update with an error: got %v, %d orders, revision %d, want that error, 0, 1", err, notes(t, db, orders), r.Revision())
	}
	may(t, r, "ada", rolecall.ErrDenied)
}
