package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/dbserver"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// A database is one that the tests run on.
type database struct {
	dialect sqlstore.Dialect
	driver  string
	dsn     string
}

func (d database) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatalf("sql.Open(%s): %v", d.driver, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// migrated opens the database with the tables there.
func (d database) migrated(t testing.TB) *sql.DB {
	t.Helper()
	db := d.open(t)
	if err := sqlstore.Migrate(t.Context(), db, d.dialect, nil); err != nil {
		t.Fatalf("Migrate: %v", err)
	}
	return db
}

// eachDatabase runs a test on SQLite, on PostgreSQL and on MariaDB, with the tables there.
func eachDatabase(t *testing.T, test func(t *testing.T, d database, db *sql.DB)) {
	onAll(t, map[string]func(testing.TB) database{"sqlite": sqliteFile, "postgresql": postgres, "mariadb": mariadb}, test)
}

// eachDriver is eachDatabase with one more driver of SQLite.
func eachDriver(t *testing.T, test func(t *testing.T, d database, db *sql.DB)) {
	eachDatabase(t, test)
	onAll(t, map[string]func(testing.TB) database{"sqlite by ncruces": ncrucesFile}, test)
}

func onAll(t *testing.T, databases map[string]func(testing.TB) database, test func(t *testing.T, d database, db *sql.DB)) {
	for name, of := range databases {
		t.Run(name, func(t *testing.T) {
			d := of(t)
			test(t, d, d.migrated(t))
		})
	}
}

func sqliteFile(t testing.TB) database { return sqliteAt(filepath.Join(t.TempDir(), "policy.db")) }

func sqliteAt(file string) database {
	return database{sqlstore.SQLite, "sqlite",
		"file:" + file + "?_pragma=busy_timeout(20000)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=cache_size(-65536)"}
}

const ncruces = "sqlite3"

// ncrucesFile is a file for the other driver, whose transactions begin immediate.
func ncrucesFile(t testing.TB) database {
	d := sqliteFile(t)
	d.driver = ncruces
	return d
}

var tenants atomic.Int64

// newTenant returns the name of a tenant that is nobody else's.
func newTenant() string { return fmt.Sprintf("tenant-%d-%d", os.Getpid(), tenants.Add(1)) }

func openStore(t testing.TB, d database, db *sql.DB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), db, d.dialect, &o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

// The servers that all tests share.
var (
	postgreSQL = dbserver.Shared[*dbserver.PostgreSQL]{Start: dbserver.StartPostgreSQL}
	mariaDB    = dbserver.Shared[*dbserver.MariaDB]{Start: dbserver.StartMariaDB}
)

func TestMain(m *testing.M) {
	if child := os.Getenv("ROLECALL_TEST_CHILD"); child != "" {
		os.Exit(childWriter(child))
	}
	code := m.Run()
	tellFaults(os.Stdout)
	if err := errors.Join(postgreSQL.Remove(), mariaDB.Remove()); err != nil {
		fmt.Fprintln(os.Stderr, "stop a database:", err)
		code = 1
	}
	os.Exit(code)
}

// postgres returns the database named by the environment, or one of a server that is started for the tests.
func postgres(t testing.TB) database {
	t.Helper()
	if dsn := os.Getenv("ROLECALL_POSTGRES"); dsn != "" {
		return database{sqlstore.PostgreSQL, "pgx", dsn}
	}
	s, err := postgreSQL.Server()
	if err != nil {
		missing(t, err, "ROLECALL_POSTGRES")
	}
	return postgresOf(s)
}

func postgresOf(s *dbserver.PostgreSQL) database {
	return database{sqlstore.PostgreSQL, "pgx", s.DSN("postgres")}
}

// mariadb returns the database named by the environment, or one of a server that is started for the tests.
func mariadb(t testing.TB) database {
	t.Helper()
	if dsn := os.Getenv("ROLECALL_MARIADB"); dsn != "" {
		return database{sqlstore.MariaDB, "mysql", dsn}
	}
	s, err := mariaDB.Server()
	if err != nil {
		missing(t, err, "ROLECALL_MARIADB")
	}
	return database{sqlstore.MariaDB, "mysql", s.DSN("rolecall")}
}

func missing(t testing.TB, err error, variable string) {
	t.Helper()
	dbserver.Missing(t, fmt.Errorf("%w; install it, or name a database in %s", err, variable))
}

// lighter returns the size of a large case, less under the race detector, which slows SQLite in pure Go down tenfold.
// Without it the size is the full one.
func lighter(n int) int {
	if raceDetector {
		return n / 64
	}
	return n
}

// light is the size of a large case where another test tries the same tables in full size.
const light = 1 << 10

// The small world of the tests.

var (
	mayView = rolecall.NewPermission("doc.view")
	folder  = rolecall.In("folder", "a")
	reader  = rolecall.Role{Name: "reader", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"doc.view"}}}}
)

func vocabulary() *rolecall.Catalog {
	c, err := rolecall.NewCatalog(rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: mayView}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "folder"}},
	})
	if err != nil {
		panic(err) // the declarations are constant
	}
	return c
}

func grant(user string) rolecall.Grant {
	return rolecall.Grant{Subject: rolecall.User(user), Role: "reader", Scope: folder}
}

func puts(statements ...rolecall.Statement) []rolecall.Edit {
	edits := make([]rolecall.Edit, len(statements))
	for i, s := range statements {
		edits[i] = rolecall.Put(s)
	}
	return edits
}

func openResolver(t testing.TB, s rolecall.Store, o *rolecall.Options) *rolecall.Resolver {
	t.Helper()
	r, err := rolecall.Open(t.Context(), s, vocabulary(), o)
	if err != nil {
		t.Fatalf("rolecall.Open: %v", err)
	}
	return r
}

func update(t testing.TB, r *rolecall.Resolver, statements ...rolecall.Statement) rolecall.Revision {
	t.Helper()
	revision, err := r.Edit(t.Context(), rolecall.Meta{}, puts(statements...)...)
	if err != nil {
		t.Fatalf("Edit(put %v): %v", statements, err)
	}
	return revision
}

func remove(t testing.TB, r *rolecall.Resolver, st rolecall.Statement) {
	t.Helper()
	if _, err := r.Edit(t.Context(), rolecall.Meta{}, rolecall.Remove(st)); err != nil {
		t.Fatalf("Edit(remove %v): %v", st, err)
	}
}

// may checks one answer.
func may(t testing.TB, r *rolecall.Resolver, user string, want error) {
	t.Helper()
	if err := r.Check(context.Background(), rolecall.User(user), mayView, folder); !errors.Is(err, want) {
		t.Errorf("Check(%s) at revision %d: got %v, want %v", user, r.Revision(), err, want)
	}
}
