package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// A host has orders and an audit table of its own, in the same database.
func hostTables(t *testing.T, db *sql.DB) (orders, audit string) {
	t.Helper()
	n := tenants.Add(1)
	orders, audit = fmt.Sprint("orders", n), fmt.Sprint("audit", n)
	for _, table := range []string{orders, audit} {
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE "+table+" (note TEXT)"); err != nil {
			t.Fatal(err)
		}
	}
	return orders, audit
}

func notes(t *testing.T, db *sql.DB, table string) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func proposal(t *testing.T, r *rolecall.Resolver, statements ...rolecall.Statement) *rolecall.Proposal {
	t.Helper()
	s, err := r.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Propose(rolecall.Change{Edits: puts(statements...)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Business rows, a change of the policy and an entry in the host's own audit commit or vanish together, and nobody's
// memory moves before the commit.
func TestAChangeJoinsTheHostsTransaction(t *testing.T) {
	eachDriver(t, func(t *testing.T, d database, db *sql.DB) {
		for _, commit := range []bool{false, true} {
			tenant := newTenant()
			s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
			r := openResolver(t, s, nil)
			elsewhere := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
			update(t, r, reader)
			orders, audit := hostTables(t, db)

			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			first := proposal(t, r, grant("ada"))
			write := func(text string) {
				if _, err := tx.ExecContext(t.Context(), text); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			write("INSERT INTO " + orders + " VALUES ('one')")
			if err := s.In(tx).Commit(t.Context(), first); err != nil {
				t.Fatalf("In(tx).Commit: %v", err)
			}
			second, err := first.Next().Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant("bob"))}})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.In(tx).Commit(t.Context(), second); err != nil {
				t.Fatalf("In(tx).Commit of a second change: %v", err)
			}
			write("INSERT INTO " + audit + " VALUES ('one')")
			state, err := s.In(tx).Load(t.Context())
			if err != nil || state.Revision != 3 {
				t.Errorf("In(tx).Load: got revision %d, %v, want 3", state.Revision, err)
			}
			for name, one := range map[string]*rolecall.Resolver{"the same store": r, "another store": elsewhere} {
				if err := one.Refresh(t.Context()); err != nil {
					t.Fatalf("Refresh: %v", err)
				}
				if one.Revision() != 1 {
					t.Errorf("before the host commits, a resolver of %s is at revision %d, want 1", name, one.Revision())
				}
			}

			want, allowed := 0, rolecall.ErrDenied
			var end error
			if commit {
				end = tx.Commit()
				want = 1
			} else {
				end = tx.Rollback()
			}
			if end != nil {
				t.Fatalf("end of the host's transaction: %v", end)
			}
			for _, one := range []*rolecall.Resolver{r, elsewhere} {
				if err := one.Refresh(t.Context()); err != nil {
					t.Fatalf("Refresh: %v", err)
				}
				if commit {
					may(t, one, "ada", nil)
					may(t, one, "bob", nil)
				} else {
					may(t, one, "ada", allowed)
				}
				if got := one.Revision(); int(got) != 1+2*want {
					t.Errorf("commit %t: resolver at revision %d, want %d", commit, got, 1+2*want)
				}
			}
			if got := []int{notes(t, db, orders), notes(t, db, audit)}; got[0] != want || got[1] != want {
				t.Errorf("commit %t: %v rows of the host, want %d each", commit, got, want)
			}
			update(t, r, grant("later"))
		}
	})
}

func TestAHostsTransactionThatComesLateConflicts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		s := openStore(t, d, db, sqlstore.Options{Tenant: newTenant()})
		r := openResolver(t, s, nil)
		update(t, r, reader)
		late := proposal(t, r, grant("ada"))
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		update(t, r, grant("bob"))
		if err := s.In(tx).Commit(t.Context(), late); !errors.Is(err, rolecall.ErrConflict) {
			t.Errorf("In(tx).Commit on revision 1 of a store at 2: got %v, want ErrConflict", err)
		}
	})
}

// A transaction that has looked before somebody else committed is refused by the database; that is a conflict as well.
func TestATransactionWithAnOldViewConflicts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		var how *sql.TxOptions
		if d.dialect != sqlstore.SQLite {
			how = &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
		}
		s := openStore(t, d, db, sqlstore.Options{Tenant: newTenant()})
		r := openResolver(t, s, nil)
		update(t, r, reader)
		tx, err := db.BeginTx(t.Context(), how)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		if _, err := s.In(tx).Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		update(t, r, grant("bob"))
		if err := s.In(tx).Commit(t.Context(), proposal(t, r, grant("ada"))); !errors.Is(err, rolecall.ErrConflict) {
			t.Errorf("In(tx).Commit in a transaction with an old view: got %v, want ErrConflict", err)
		}
	})
}

// A load in a transaction that sees the present statement by statement is never of two moments.
func TestALoadInATransactionNoticesACommit(t *testing.T) {
	d := postgres(t)
	db := d.migrated(t)
	for level, want := range map[sql.IsolationLevel]error{sql.LevelReadCommitted: rolecall.ErrConflict, sql.LevelRepeatableRead: nil, sql.LevelSerializable: nil} {
		s := openStore(t, d, db, sqlstore.Options{Tenant: newTenant()})
		r := openResolver(t, s, nil)
		update(t, r, reader)
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		state, err := s.In(tx).Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		update(t, r, grant("bob"))
		if _, err := rolecall.LoadSnapshot(vocabulary(), state); !errors.Is(err, want) {
			t.Errorf("%s: In(tx).Load with a commit before it is read: got %v, want %v", level, err, want)
		}
	}
}

// Several hosts write orders with a grant each. Every order has its grant, and no attempt that was overtaken leaves one.
func TestUpdateRetriesTheWholeTransaction(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		update(t, openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil), reader)
		orders, _ := hostTables(t, db)
		const hosts, each = 3, 5
		var all sync.WaitGroup
		for h := range hosts {
			s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
			r := openResolver(t, s, nil)
			all.Go(func() {
				for i := range each {
					user := fmt.Sprintf("%d-%d", h, i)
					_, err := s.Update(t.Context(), r, rolecall.Meta{Reason: user}, nil, func(ctx context.Context, tx *sql.Tx, _ *rolecall.Snapshot) (rolecall.Change, error) {
						_, err := tx.ExecContext(ctx, "INSERT INTO "+orders+" VALUES ('"+user+"')")
						return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant(user))}}, err
					})
					if err != nil {
						t.Errorf("Update of host %d: %v", h, err)
						return
					}
					may(t, r, user, nil)
				}
			})
		}
		all.Wait()
		r := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
		want := []int{1 + hosts*each, hosts * each}
		if diff := cmp.Diff(want, []int{int(r.Revision()), notes(t, db, orders)}); diff != "" {
			t.Errorf("revision and orders after %d updates (-want +got):\n%s", hosts*each, diff)
		}
	})
}

func TestUpdateRollsBackWithItsFunction(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		s := openStore(t, d, db, sqlstore.Options{Tenant: newTenant()})
		r := openResolver(t, s, nil)
		update(t, r, reader)
		orders, _ := hostTables(t, db)
		wrong := errors.New("out of stock")
		for name, c := range map[string]struct {
			change rolecall.Change
			err    error
			want   error
		}{
			"its error":  {rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant("ada"))}}, wrong, wrong},
			"a refusal":  {rolecall.Change{Edits: []rolecall.Edit{rolecall.Remove(grant("ada"))}}, nil, rolecall.ErrUnknown},
			"a meta":     {rolecall.Change{Meta: rolecall.Meta{Reason: "mine"}, Edits: []rolecall.Edit{rolecall.Put(grant("ada"))}}, nil, rolecall.ErrInvalid},
			"no change":  {},
			"same again": {change: rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(reader)}}},
		} {
			before := notes(t, db, orders)
			revision, err := s.Update(t.Context(), r, rolecall.Meta{}, nil, func(ctx context.Context, tx *sql.Tx, _ *rolecall.Snapshot) (rolecall.Change, error) {
				if _, err := tx.ExecContext(ctx, "INSERT INTO "+orders+" VALUES ('x')"); err != nil {
					return rolecall.Change{}, err
				}
				return c.change, c.err
			})
			if !errors.Is(err, c.want) {
				t.Errorf("Update with %s: got %v, want %v", name, err, c.want)
			}
			kept := 0
			if c.want == nil {
				kept = 1
			}
			if got := notes(t, db, orders) - before; got != kept || r.Revision() != 1 || c.want == nil && revision != 1 {
				t.Errorf("Update with %s: %d orders, resolver at revision %d, returned %d; want %d, 1, 1", name, got, r.Revision(), revision, kept)
			}
		}
	})
}
