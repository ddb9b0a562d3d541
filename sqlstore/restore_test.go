package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// A backup is put back below a running store: later revisions are gone, and then made again with something else.
func TestARestoredBackupIsNoticed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for _, again := range []int{0, 3, 5} {
			tenant := newTenant()
			s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
			r := openResolver(t, s, nil)
			update(t, r, reader)
			update(t, r, grant("ada"))
			before, err := s.History(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			revisionBefore := r.Revision()
			update(t, r, grant("eve"))
			update(t, r, grant("zoe"))
			rewind(t, db, tenant, revisionBefore)

			other := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
			for i := range again {
				update(t, other, grant(strings.Repeat("x", i+1)))
			}
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatalf("Refresh after a restore and %d commits: %v", again, err)
			}
			may(t, r, "ada", nil)
			may(t, r, "eve", rolecall.ErrDenied)
			if h := r.Health(); h.History == before || int(h.Revision) != int(revisionBefore)+again {
				t.Errorf("after a restore and %d commits: history %q at %d, want another one than %q at %d", again, h.History, h.Revision, before, int(revisionBefore)+again)
			}
			update(t, r, grant("new"))
			if err := other.Refresh(t.Context()); err != nil {
				t.Fatalf("Refresh of the other: %v", err)
			}
			may(t, other, "new", nil)
		}
	})
}

// rewind puts a tenant's rows back to an earlier revision, as a restore does.
func rewind(t *testing.T, db *sql.DB, tenant string, to rolecall.Revision) {
	t.Helper()
	for _, text := range []string{
		"DELETE FROM rolecall_statement WHERE policy = (SELECT id FROM rolecall_policy WHERE tenant = $1) AND hash IN (SELECT hash FROM rolecall_delta d WHERE d.policy = rolecall_statement.policy AND d.revision > $2)",
		"UPDATE rolecall_policy SET revision = $2, stamp = (SELECT stamp FROM rolecall_entry WHERE policy = id AND revision = $2) WHERE tenant = $1",
		"DELETE FROM rolecall_delta WHERE policy = (SELECT id FROM rolecall_policy WHERE tenant = $1) AND revision > $2",
		"DELETE FROM rolecall_entry WHERE policy = (SELECT id FROM rolecall_policy WHERE tenant = $1) AND revision > $2",
	} {
		text = strings.NewReplacer("$1", "'"+tenant+"'", "$2", fmt.Sprint(to)).Replace(text)
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// A proposal that rests on what was lost conflicts, also where another process has made the same revision again with
// something else before this one has looked.
func TestAProposalOnWhatWasLostConflicts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for _, later := range []int{0, 1, 2} {
			tenant := newTenant()
			s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
			r := openResolver(t, s, nil)
			update(t, r, reader)
			update(t, r, grant("ada"))
			update(t, r, grant("eve"))
			lost := proposal(t, r, grant("zoe"))
			for i := range later {
				update(t, r, grant(fmt.Sprint(i)))
			}
			rewind(t, db, tenant, 2)
			update(t, openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil), grant("again"))
			if err := s.Commit(t.Context(), lost); !errors.Is(err, rolecall.ErrConflict) {
				t.Errorf("Commit on revision 3, which was lost with %d later ones and made again: got %v, want ErrConflict", later, err)
			}
			whole(t, s)
		}
	})
}

// What was judged on a snapshot that came from nowhere is not in the store, though their revisions are alike.
func TestAProposalOfNoHistoryConflicts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		s := openStore(t, d, db, sqlstore.Options{Tenant: newTenant()})
		base, err := rolecall.NewSnapshot(vocabulary(), reader)
		if err != nil {
			t.Fatal(err)
		}
		p, err := base.At(time.Now()).Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant("ada"))}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), p); !errors.Is(err, rolecall.ErrConflict) {
			t.Errorf("Commit of a proposal of history %q: got %v, want ErrConflict", p.History(), err)
		}
		if got := whole(t, s); got != 0 {
			t.Errorf("the store is at revision %d, want 0", got)
		}
	})
}

// A restore is noticed whatever is kept of the history: the last revision that was seen may be the one after which it
// begins.
func TestARestoreIsNoticedInABoundedHistory(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for _, c := range [][2]int{{-1, 1}, {1, 1}, {1, 2}, {1, 3}, {2, 3}, {3, 3}} {
			keep, again := c[0], c[1]
			o := sqlstore.Options{Tenant: newTenant(), History: keep}
			r := openResolver(t, openStore(t, d, db, o), nil)
			update(t, r, reader)
			restore := saved(t, db, o.Tenant)
			update(t, r, grant("eve"))
			restore()
			other := openResolver(t, openStore(t, d, db, o), nil)
			for i := range again {
				update(t, other, grant(fmt.Sprint(i)))
			}
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatalf("%d kept: Refresh after a restore and %d commits: %v", keep, again, err)
			}
			if err := other.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, want := policyOf(t, r), policyOf(t, other); got != want {
				t.Errorf("%d kept: after a restore and %d commits a resolver has %s\nthe store %s", keep, again, got, want)
			}
		}
	})
}

func policyOf(t *testing.T, r *rolecall.Resolver) string {
	t.Helper()
	s, err := r.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("revision %d:\n%s", s.Revision(), texts(s))
}

// saved copies the rows of a tenant, and returns what puts them back.
func saved(t *testing.T, db *sql.DB, tenant string) (restore func()) {
	t.Helper()
	n := tenants.Add(1)
	run := func(text string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	of := map[string]string{"policy": "tenant = '" + tenant + "'"}
	for _, table := range []string{"statement", "entry", "delta"} {
		of[table] = "policy = (SELECT id FROM rolecall_policy WHERE tenant = '" + tenant + "')"
	}
	for table, where := range of {
		run(fmt.Sprintf("CREATE TABLE backup%d_%s AS SELECT * FROM rolecall_%s WHERE %s", n, table, table, where))
	}
	return func() {
		for _, table := range []string{"statement", "entry", "delta", "policy"} {
			run(fmt.Sprintf("DELETE FROM rolecall_%s WHERE %s", table, of[table]))
			run(fmt.Sprintf("INSERT INTO rolecall_%s SELECT * FROM backup%d_%s", table, n, table))
		}
	}
}

// One who may only read cannot name the history anew for all, and yet follows.
func TestWhoMayOnlyReadFollowsARestoredDatabase(t *testing.T) {
	readOnly := map[sqlstore.Dialect]string{sqlstore.SQLite: "mode=ro", sqlstore.PostgreSQL: "default_transaction_read_only=on", sqlstore.MariaDB: "tx_read_only=1"}
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for _, again := range []int{0, 3} {
			tenant := newTenant()
			r := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
			update(t, r, reader)
			update(t, r, grant("ada"))
			update(t, r, grant("eve"))
			only := d
			only.dsn += "&" + readOnly[d.dialect]
			follower := openResolver(t, openStore(t, only, only.open(t), sqlstore.Options{Tenant: tenant}), nil)
			before := follower.Health().History
			rewind(t, db, tenant, 2)
			other := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
			for i := range again {
				update(t, other, grant(fmt.Sprint(i)))
			}
			var names []string
			for range 2 {
				if err := follower.Refresh(t.Context()); err != nil {
					t.Fatalf("Refresh of one who may only read, after a restore and %d commits: %v", again, err)
				}
				if got, want := policyOf(t, follower), policyOf(t, other); got != want {
					t.Errorf("after a restore and %d commits one who may only read has %s\nthe store %s", again, got, want)
				}
				names = append(names, follower.Health().History)
				update(t, other, grant("more"+fmt.Sprint(len(names))))
			}
			if names[0] == before || names[1] != names[0] {
				t.Errorf("the history was called %q, and after a restore %q; want another name, which stays", before, names)
			}
		}
	})
}

// A meddler is a store in whose Load something else happens, when its context is looked at for the nth time.
type meddler struct {
	*sqlstore.Store
	mu   sync.Mutex
	left int // not positive once it is over
	what func()
}

func (m *meddler) Load(ctx context.Context) (rolecall.State, error) {
	defer m.end()
	return m.Store.Load(meddled{ctx, m})
}

// end waits for what happens: the context may be looked at by goroutines of the driver, too.
func (m *meddler) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = min(m.left, -m.left)
}

type meddled struct {
	context.Context
	by *meddler
}

func (m meddled) look() {
	m.by.mu.Lock()
	defer m.by.mu.Unlock()
	if m.by.left--; m.by.left == 0 {
		m.by.what()
	}
}

func (m meddled) Done() <-chan struct{} { m.look(); return m.Context.Done() }
func (m meddled) Err() error            { m.look(); return m.Context.Err() }

// A restore is noticed also where what was lost was committed in the middle of the load that saw it.
func TestARestoreAfterALoadIsNoticed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		apart := d.open(t) // for a pool of database/sql is locked when it looks at a context
		for n := 1; ; n++ {
			o := sqlstore.Options{Tenant: newTenant()}
			other := openResolver(t, openStore(t, d, apart, o), nil)
			update(t, other, reader)
			happened := false
			s := &meddler{Store: openStore(t, d, db, o), left: n, what: func() { happened = true; update(t, other, grant("eve")) }}
			r := openResolver(t, s, nil)
			if !happened {
				break
			}
			rewind(t, db, o.Tenant, 1)
			other = openResolver(t, openStore(t, d, apart, o), nil)
			update(t, other, grant("ada"))
			update(t, other, grant("bob"))
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, want := policyOf(t, r), policyOf(t, other); got != want {
				t.Errorf("a restore after a load with a commit at its step %d: a resolver has %s\nthe store %s", n, got, want)
			}
		}
	})
}
