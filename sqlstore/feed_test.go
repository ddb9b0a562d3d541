package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// levels returns the isolation levels of a database, by name.
func levels(d database) map[string]*sql.TxOptions {
	if d.dialect == sqlstore.SQLite {
		return map[string]*sql.TxOptions{"serializable": {}}
	}
	return map[string]*sql.TxOptions{
		"read committed":  {Isolation: sql.LevelReadCommitted},
		"repeatable read": {Isolation: sql.LevelRepeatableRead},
		"serializable":    {Isolation: sql.LevelSerializable},
	}
}

var errChangedItsMind = errors.New("the host changed its mind")

// Hosts change the policy in transactions of theirs, at once, and roll some back after the policy was written. One more
// transaction stays open all the time. Who follows meanwhile is told of each change that was committed, once, in order,
// and of no other.
func TestTheFeedLosesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for name, how := range levels(d) {
			tenant := newTenant()
			r := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
			update(t, r, reader)
			long := stayOpen(t, d, db, how)
			kept, done := hosts(t, d, db, tenant, how), make(chan map[string]bool)
			go func() { done <- kept() }()
			told, want := map[string]bool{}, map[string]bool(nil)
			s, after := openStore(t, d, db, sqlstore.Options{Tenant: tenant}), rolecall.Revision(1)
			for want == nil {
				select {
				case want = <-done: // and look once more
				default:
				}
				for e, err := range s.Changes(t.Context(), after) {
					if err != nil || e.Revision != after+1 || told[e.Reason] {
						t.Fatalf("%s: Changes(%d): got entry %d for %q (told before: %t), %v, want the next one", name, after, e.Revision, e.Reason, told[e.Reason], err)
					}
					told[e.Reason], after = true, e.Revision
				}
			}
			if diff := cmp.Diff(want, told); diff != "" {
				t.Errorf("%s: changes that the feed told of (-committed +told):\n%s", name, diff)
			}
			if err := long.Rollback(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Where an entry is missing whoever follows loads the policy, and goes on.
func TestAGapIsPassed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for _, table := range []string{"entry", "delta"} {
			tenant := newTenant()
			s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
			follower, r := openResolver(t, s, nil), openResolver(t, s, nil)
			update(t, r, reader)
			update(t, r, grant("ada"))
			if _, err := db.ExecContext(t.Context(), fmt.Sprintf("DELETE FROM rolecall_%s WHERE revision = 2 AND policy = (SELECT id FROM rolecall_policy WHERE tenant = '%s')", table, tenant)); err != nil {
				t.Fatal(err)
			}
			update(t, r, grant("bob"))
			if err := follower.Refresh(t.Context()); err != nil || follower.Revision() != 3 {
				t.Errorf("Refresh over a revision without its row in %s: got %v at revision %d, want revision 3", table, err, follower.Revision())
			}
			may(t, follower, "ada", nil)
		}
	})
}

// stayOpen begins a transaction that has looked and written where the database lets others write meanwhile.
func stayOpen(t *testing.T, d database, db *sql.DB, how *sql.TxOptions) *sql.Tx {
	t.Helper()
	if d.dialect == sqlstore.SQLite {
		how = &sql.TxOptions{ReadOnly: true}
	}
	orders, _ := hostTables(t, db)
	tx, err := db.BeginTx(t.Context(), how)
	if err != nil {
		t.Fatal(err)
	}
	text := "SELECT count(*) FROM " + orders
	if !how.ReadOnly {
		text = "INSERT INTO " + orders + " VALUES ('long')"
	}
	if _, err := tx.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	return tx
}

// hosts prepares some hosts. The function runs them to their end and returns the reasons of the changes that they
// committed.
func hosts(t *testing.T, d database, db *sql.DB, tenant string, how *sql.TxOptions) func() map[string]bool {
	const many, each = 4, 9
	orders, _ := hostTables(t, db)
	var all sync.WaitGroup
	var mu sync.Mutex
	kept := map[string]bool{}
	work := func(h int, s *sqlstore.Store, r *rolecall.Resolver) {
		for i := range each {
			user := fmt.Sprintf("%d-%d", h, i)
			_, err := s.Update(t.Context(), r, rolecall.Meta{Reason: user}, how, func(ctx context.Context, tx *sql.Tx, now *rolecall.Snapshot) (rolecall.Change, error) {
				change := rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant(user))}}
				if _, err := tx.ExecContext(ctx, "INSERT INTO "+orders+" VALUES ('"+user+"')"); err != nil || i%3 != 2 {
					return change, err
				}
				p, err := now.Propose(change)
				if err == nil {
					err = s.In(tx).Commit(ctx, p)
				}
				if err == nil {
					err = errChangedItsMind
				}
				return rolecall.Change{}, err
			})
			switch {
			case err == nil:
				mu.Lock()
				kept[user] = true
				mu.Unlock()
			case !errors.Is(err, errChangedItsMind):
				t.Errorf("Update of host %d: %v", h, err)
			}
		}
	}
	for h := range many {
		s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
		r := openResolver(t, s, nil)
		all.Go(func() { work(h, s, r) })
	}
	return func() map[string]bool {
		all.Wait()
		return maps.Clone(kept)
	}
}
