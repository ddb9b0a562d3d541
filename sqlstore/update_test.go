package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// Somebody is let in while they are forgotten. The change of an Update that alters nothing was judged on a policy without
// them, so it is made again, whatever the isolation level.
func TestAChangeOfNothingConflictsToo(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for name, how := range levels(d) {
			for edits, change := range map[string]rolecall.Change{
				"no edits":    {},
				"no effect":   {Edits: []rolecall.Edit{rolecall.Put(reader)}},
				"nobody left": {Edits: []rolecall.Edit{rolecall.ForgetSubject(rolecall.User("bob"))}},
			} {
				tenant := newTenant()
				s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
				r := openResolver(t, s, nil)
				other := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
				update(t, r, reader)
				orders, _ := hostTables(t, db)
				var saw []rolecall.Revision
				revision, err := s.Update(t.Context(), r, rolecall.Meta{}, how, func(ctx context.Context, tx *sql.Tx, now *rolecall.Snapshot) (rolecall.Change, error) {
					if saw = append(saw, now.Revision()); len(saw) == 1 {
						if err := other.Refresh(ctx); err != nil {
							return rolecall.Change{}, err
						}
						update(t, other, grant("bob"))
					}
					_, err := tx.ExecContext(ctx, "INSERT INTO "+orders+" VALUES ('bob left')")
					return change, err
				})
				want := rolecall.Revision(2)
				if edits == "nobody left" {
					want = 3
				}
				if err != nil || revision != want || fmt.Sprint(saw) != "[1 2]" || notes(t, db, orders) != 1 {
					t.Errorf("%s, %s: Update while somebody else commits: got %d, %v, fn saw revisions %v, %d orders; want %d, no error, [1 2], 1",
						name, edits, revision, err, saw, notes(t, db, orders), want)
				}
			}
		}
	})
}

// hostTx is a transaction that does something else once it is committed.
type hostTx struct {
	tx   *sql.Tx
	then func()
}

func (h hostTx) Exec(ctx context.Context, query string, args ...any) error {
	_, err := h.tx.ExecContext(ctx, query, args...)
	return err
}

func (h hostTx) Query(ctx context.Context, query string, args ...any) (sqlstore.Rows, error) {
	return h.tx.QueryContext(ctx, query, args...)
}

func (h hostTx) Commit(context.Context) error {
	defer h.then()
	return h.tx.Commit()
}

func (h hostTx) Rollback(context.Context) error { return h.tx.Rollback() }

// A patient is a transaction whose end waits for the network for as long as it may.
type patient struct {
	hostTx
	left time.Duration // how long that is, zero where nothing bounds it
}

func (p *patient) Rollback(ctx context.Context) error {
	if end, bounded := ctx.Deadline(); bounded && ctx.Err() == nil {
		p.left = time.Until(end)
	}
	return p.hostTx.Rollback(ctx)
}

// A caller whose context has ended waits for a rollback for some seconds, not for as long as the network keeps silent.
func TestARollbackIsGivenUp(t *testing.T) {
	d := sqliteFile(t)
	db := d.migrated(t)
	s := openStore(t, d, db, sqlstore.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var p *patient
	_, err := s.UpdateIn(ctx, openResolver(t, s, nil), rolecall.Meta{}, func(ctx context.Context) (sqlstore.Transaction, error) {
		tx, err := db.BeginTx(ctx, nil)
		p = &patient{hostTx: hostTx{tx: tx}}
		return p, err
	}, func(ctx context.Context, _ sqlstore.Transaction, _ *rolecall.Snapshot) (rolecall.Change, error) {
		cancel()
		return rolecall.Change{}, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || p.left <= 0 || p.left > time.Minute {
		t.Errorf("UpdateIn whose context ends: got %v, and a rollback that may take %v; want that it was cancelled, and some seconds", err, p.left)
	}
}

// What is committed is not told of as if it were not: where the resolver cannot be brought up to it, the error comes with
// the revision.
func TestAnErrorAfterTheCommitTellsTheRevision(t *testing.T) {
	d := sqliteFile(t)
	db := d.migrated(t)
	s := openStore(t, d, db, sqlstore.Options{})
	r := openResolver(t, s, nil)
	update(t, r, reader)
	ctx, cancel := context.WithCancel(t.Context())
	revision, err := s.UpdateIn(ctx, r, rolecall.Meta{}, func(ctx context.Context) (sqlstore.Transaction, error) {
		tx, err := db.BeginTx(t.Context(), nil)
		return hostTx{tx, cancel}, err
	}, func(context.Context, sqlstore.Transaction, *rolecall.Snapshot) (rolecall.Change, error) {
		return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant("ada"))}}, nil
	})
	if revision != 2 || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "committed as revision 2") {
		t.Errorf("UpdateIn whose context ends after the commit: got %d, %v, want 2 and an error that says that it is committed", revision, err)
	}
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	may(t, r, "ada", nil)
}

// A transaction of SQLite that has read and wants to write while another one writes is refused at once, for waiting might
// never end. It is made again.
func TestUpdateIsMadeAgainWhereSQLiteIsBusy(t *testing.T) {
	d := sqliteFile(t)
	d.dsn = strings.Replace(d.dsn, "busy_timeout(20000)", "busy_timeout(0)", 1)
	db := d.migrated(t)
	s := openStore(t, d, db, sqlstore.Options{})
	r := openResolver(t, s, nil)
	update(t, r, reader)
	orders, _ := hostTables(t, db)
	writer, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Rollback()
	if _, err := writer.ExecContext(t.Context(), "INSERT INTO "+orders+" VALUES ('other')"); err != nil {
		t.Fatal(err)
	}
	calls := 0
	revision, err := s.Update(t.Context(), r, rolecall.Meta{}, nil, func(ctx context.Context, tx *sql.Tx, _ *rolecall.Snapshot) (rolecall.Change, error) {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+orders).Scan(&n); err != nil {
			return rolecall.Change{}, err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO "+orders+" VALUES ('mine')")
		if calls++; calls == 1 {
			err = errors.Join(err, writer.Commit())
		}
		return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant("ada"))}}, err
	})
	if err != nil || revision != 2 || calls != 2 || notes(t, db, orders) != 2 {
		t.Errorf("Update while another transaction writes: got %d, %v, fn called %d times, %d orders; want 2, no error, 2, 2",
			revision, err, calls, notes(t, db, orders))
	}
}

// Whoever conflicts again and again although the policy does not change waits in between.
func TestUpdatePausesWhereNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sqliteFile(t)
		s := openStore(t, d, d.migrated(t), sqlstore.Options{})
		r := openResolver(t, s, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		calls, tooMany := 0, errors.New("too many")
		_, err := s.Update(ctx, r, rolecall.Meta{}, nil, func(context.Context, *sql.Tx, *rolecall.Snapshot) (rolecall.Change, error) {
			if calls++; calls > 1000 {
				return rolecall.Change{}, tooMany
			}
			return rolecall.Change{}, rolecall.ErrConflict
		})
		if !errors.Is(err, context.DeadlineExceeded) || calls < 100 {
			t.Errorf("Update that conflicts for a minute: got %v after %d calls of fn, want the error of ctx after some hundred", err, calls)
		}
	})
}

func TestUpdateRefusesAResolverOfAnotherStore(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		s := openStore(t, d, db, sqlstore.Options{Tenant: newTenant()})
		r := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: newTenant()}), nil)
		for _, change := range []rolecall.Change{{}, {Edits: []rolecall.Edit{rolecall.Put(reader)}}} {
			calls, tooMany := 0, errors.New("too many")
			_, err := s.Update(t.Context(), r, rolecall.Meta{}, nil, func(context.Context, *sql.Tx, *rolecall.Snapshot) (rolecall.Change, error) {
				if calls++; calls > 9 {
					return rolecall.Change{}, tooMany
				}
				return change, nil
			})
			if !errors.Is(err, rolecall.ErrInvalid) || calls != 1 {
				t.Errorf("Update of %d edits with a resolver of another tenant: got %v after %d calls of fn, want ErrInvalid after one", len(change.Edits), err, calls)
			}
		}
	})
}
