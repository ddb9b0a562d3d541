package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
	"github.com/rolecall-go/rolecall/storetest"
)

// withTenant lets the kit open a second handle.
type withTenant struct {
	*sqlstore.Store
	tenant string
}

func TestStoreKeepsTheContract(t *testing.T) {
	eachDriver(t, func(t *testing.T, d database, db *sql.DB) {
		open := func(ctx context.Context, o sqlstore.Options) (rolecall.Store, error) {
			s, err := sqlstore.Open(ctx, db, d.dialect, &o)
			return withTenant{s, o.Tenant}, err
		}
		big := lighter(1<<16 + 1)
		if d.driver == ncruces {
			big = light
		}
		storetest.Run(t, storetest.Stores{
			Big: big,
			New: func(ctx context.Context) (rolecall.Store, error) {
				return open(ctx, sqlstore.Options{Tenant: newTenant()})
			},
			Compacting: func(ctx context.Context, n int) (rolecall.Store, error) {
				return open(ctx, sqlstore.Options{Tenant: newTenant(), History: n})
			},
			Again: func(ctx context.Context, s rolecall.Store) (rolecall.Store, error) {
				return open(ctx, sqlstore.Options{Tenant: s.(withTenant).tenant, Poll: 10 * time.Millisecond})
			},
		})
	})
}

func TestOpenNeverMigrates(t *testing.T) {
	for name, d := range map[string]database{"sqlite": sqliteFile(t), "postgresql": postgres(t), "mariadb": mariadb(t)} {
		db := d.open(t)
		o := &sqlstore.Options{Prefix: "never_"}
		_, err := sqlstore.Open(t.Context(), db, d.dialect, o)
		if err == nil || !strings.Contains(err.Error(), "version 0") {
			t.Errorf("%s: Open without tables: got %v, want an error that tells the version", name, err)
		}
		if have, need, err := sqlstore.Version(t.Context(), db, d.dialect, o); have != 0 || need < 1 || err != nil {
			t.Errorf("%s: Version without tables = %d, %d, %v, want 0 and what is needed", name, have, need, err)
		}
	}
}

// migrateAtOnce makes the tables by several calls at once.
func migrateAtOnce(t *testing.T, d database, db *sql.DB, o *sqlstore.Options) {
	t.Helper()
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			if err := sqlstore.Migrate(t.Context(), db, d.dialect, o); err != nil {
				t.Errorf("Migrate of %s by several at once: %v", o.Prefix, err)
			}
		})
	}
	calls.Wait()
}

func TestMigrateMayBeCalledByManyAndAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		o := &sqlstore.Options{Prefix: "many_"}
		migrateAtOnce(t, d, db, o)
		if have, need, err := sqlstore.Version(t.Context(), db, d.dialect, o); have != need || err != nil {
			t.Errorf("Version after Migrate = %d, %d, %v, want the same", have, need, err)
		}
		if _, err := sqlstore.Open(t.Context(), db, d.dialect, o); err != nil {
			t.Errorf("Open after Migrate: %v", err)
		}
	})
}

// Several may migrate at once whatever the isolation level is that transactions begin with.
func TestMigrateAtAnyDefaultIsolation(t *testing.T) {
	d := postgres(t)
	for _, level := range []string{"repeatable read", "serializable"} {
		other := d
		other.dsn += "&default_transaction_isolation=" + strings.ReplaceAll(level, " ", "%20")
		db := other.open(t)
		migrateAtOnce(t, d, db, &sqlstore.Options{Prefix: strings.ReplaceAll(level, " ", "_") + "_"})
	}
}

// Applications with schemas of their own, and a search path that goes on to where somebody else has a policy, each have
// one of their own.
func TestTheCurrentSchemaIsTheOneThatCounts(t *testing.T) {
	d := postgres(t)
	shared := d.migrated(t)
	o := &sqlstore.Options{Tenant: newTenant()}
	update(t, openResolver(t, openStore(t, d, shared, *o), nil), reader, grant("ada"))
	for _, schema := range []string{"shop_a", "shop_b"} {
		if _, err := shared.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
			t.Fatal(err)
		}
		own := d
		own.dsn += "&search_path=" + schema + ",public"
		db := own.open(t)
		if have, _, err := sqlstore.Version(t.Context(), db, d.dialect, o); have != 0 || err != nil {
			t.Errorf("Version in an empty schema before one with tables = %d, %v, want 0", have, err)
		}
		r := openResolver(t, openStore(t, own, own.migrated(t), *o), nil)
		if r.Revision() != 0 {
			t.Errorf("the policy of %s begins at revision %d, want 0", schema, r.Revision())
		}
		update(t, r, reader)
		may(t, r, "ada", rolecall.ErrDenied)
	}
}

// A Migrate that failed, here with the dialect of another database, leaves no transaction open on the connection that the
// next one gets.
func TestMigrateAfterOneThatFailed(t *testing.T) {
	dialects := []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MariaDB}
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		db.SetMaxOpenConns(1)
		for _, wrong := range dialects {
			o := &sqlstore.Options{Prefix: "after_" + string(wrong) + "_"}
			if err := sqlstore.Migrate(t.Context(), db, wrong, o); wrong != d.dialect && err == nil {
				t.Errorf("Migrate as %s: got no error, want one", wrong)
			}
			if err := sqlstore.Migrate(t.Context(), db, d.dialect, o); err != nil {
				t.Errorf("Migrate as %s after one as %s: %v", d.dialect, wrong, err)
			}
			if have, need, err := sqlstore.Version(t.Context(), db, d.dialect, o); have != need || err != nil {
				t.Errorf("Version after that = %d, %d, %v, want the same", have, need, err)
			}
		}
	})
}

// A host's own tool runs the files; Open sees that they were.
func TestMigrationsAreForOtherToolsToo(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		o := &sqlstore.Options{Prefix: "tool_"}
		if d.dialect != sqlstore.SQLite {
			o.Schema = "elsewhere"
			if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA elsewhere"); err != nil {
				t.Fatal(err)
			}
		}
		files, err := sqlstore.Migrations(d.dialect, o)
		if err != nil {
			t.Fatalf("Migrations: %v", err)
		}
		if err := fstest.TestFS(files, "0001_policy.sql"); err != nil {
			t.Errorf("Migrations: %v", err)
		}
		names, err := fs.Glob(files, "*.sql")
		if err != nil || len(names) == 0 {
			t.Fatalf("Migrations has the files %v, %v, want some", names, err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), string(text)); err != nil {
				t.Fatalf("apply %s: %v", name, err)
			}
		}
		s, err := sqlstore.Open(t.Context(), db, d.dialect, o)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		update(t, openResolver(t, s, nil), reader, grant("ada"))
	})
}

func TestOptionsAreJudged(t *testing.T) {
	for _, c := range []struct {
		dialect sqlstore.Dialect
		options sqlstore.Options
		word    string
	}{
		{"oracle", sqlstore.Options{}, "oracle"},
		{sqlstore.SQLite, sqlstore.Options{Prefix: "a; DROP TABLE b"}, "prefix"},
		{sqlstore.SQLite, sqlstore.Options{Schema: "main"}, "PostgreSQL and MariaDB only"},
		{sqlstore.SQLite, sqlstore.Options{Channel: "news"}, "PostgreSQL only"},
		{sqlstore.MariaDB, sqlstore.Options{Channel: "news"}, "PostgreSQL only"},
		{sqlstore.MariaDB, sqlstore.Options{Tenant: strings.Repeat("é", 513)}, "1026 bytes"},
		{sqlstore.PostgreSQL, sqlstore.Options{Schema: `a"b`}, "schema"},
		{sqlstore.PostgreSQL, sqlstore.Options{Channel: strings.Repeat("é", 32)}, "63 bytes"},
		{sqlstore.PostgreSQL, sqlstore.Options{Channel: "a\x00"}, "63 bytes"},
		{sqlstore.PostgreSQL, sqlstore.Options{Channel: "a\xff"}, "63 bytes"},
		{sqlstore.PostgreSQL, sqlstore.Options{Channel: "news", Tenant: strings.Repeat("t", 8000)}, "8000 bytes"},
		{sqlstore.PostgreSQL, sqlstore.Options{Poll: -1}, "negative"},
		{sqlstore.PostgreSQL, sqlstore.Options{Tenant: "a\x00"}, "NUL"},
	} {
		if _, err := sqlstore.Open(t.Context(), nil, c.dialect, &c.options); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("Open(%s, %+v): got %v, want an error about %q", c.dialect, c.options, err, c.word)
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		one := newTenant()
		names := []string{one, one + "A", one + "a", one + "a ", one + "%"}
		var all []*rolecall.Resolver
		for _, name := range names {
			r := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: name}), nil)
			update(t, r, reader, grant("of "+name))
			all = append(all, r)
		}
		for i, r := range all {
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatalf("Refresh: %v", err)
			}
			if r.Revision() != 1 {
				t.Errorf("tenant %q is at revision %d, want 1", names[i], r.Revision())
			}
			for _, name := range names {
				want := error(rolecall.ErrDenied)
				if name == names[i] {
					want = nil
				}
				may(t, r, "of "+name, want)
			}
		}
	})
}

// The history is there for SQL too.
func TestTheHistoryIsAnAuditLog(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		r := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
		update(t, r, reader)
		if _, err := r.Edit(t.Context(), rolecall.Meta{Reason: "on call"}, rolecall.Put(grant("ada"))); err != nil {
			t.Fatal(err)
		}
		var reason, after string
		var before sql.NullString
		err := db.QueryRowContext(t.Context(), `SELECT e.reason, d.before, d.after FROM rolecall_policy p
			JOIN rolecall_entry e ON e.policy = p.id JOIN rolecall_delta d ON d.policy = p.id AND d.revision = e.revision
			WHERE p.tenant = '`+tenant+`' AND e.revision = 2`).Scan(&reason, &before, &after)
		want := `{"grant":{"subject":"user:ada","role":"reader","scope":"/folder:a"}}`
		if err != nil || reason != "on call" || before.Valid || after != want {
			t.Errorf("the history in SQL: got %q, %v, %q, %v, want \"on call\", nothing before, %s", reason, before, after, err, want)
		}
	})
}

func TestAStateCanBeReadOnce(t *testing.T) {
	d := sqliteFile(t)
	db := d.migrated(t)
	s := openStore(t, d, db, sqlstore.Options{})
	update(t, openResolver(t, s, nil), reader)
	state, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var failures []error
	for range 2 {
		var failure error
		for _, err := range state.Statements {
			failure = err
		}
		failures = append(failures, failure)
	}
	if failures[0] != nil || failures[1] == nil || errors.Is(failures[1], sql.ErrTxDone) {
		t.Errorf("the statements of a state twice: got errors %v, want none and then one of its own", failures)
	}
}
