package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"

	"github.com/rolecall-go/rolecall"
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
			db := d.open(t)
			if err := sqlstore.Migrate(t.Context(), db, d.dialect, nil); err != nil {
				t.Fatalf("Migrate: %v", err)
			}
			test(t, d, db)
		})
	}
}

func sqliteFile(t testing.TB) database { return sqliteAt(filepath.Join(t.TempDir(), "policy.db")) }

func sqliteAt(file string) database {
	return database{sqlstore.SQLite, "sqlite",
		"file:" + file + "?_pragma=busy_timeout(20000)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=cache_size(-65536)"}
}

// ncrucesFile is a file for the other driver, whose transactions begin immediate.
func ncrucesFile(t testing.TB) database {
	d := sqliteFile(t)
	d.driver = "sqlite3"
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

// A server is a PostgreSQL that the tests have started.
type server struct {
	bin, dir string
	port     int
	as       *syscall.SysProcAttr
}

var shared = sync.OnceValues(func() (*server, error) {
	s, err := startServer()
	if err == nil {
		stopAtTheEnd(s.remove)
	}
	return s, err
})

// What ends the servers that all tests share.
var (
	stops   []func() error
	stopsMu sync.Mutex
)

func stopAtTheEnd(stop func() error) {
	stopsMu.Lock()
	defer stopsMu.Unlock()
	stops = append(stops, stop)
}

func TestMain(m *testing.M) {
	if child := os.Getenv("ROLECALL_TEST_CHILD"); child != "" {
		os.Exit(childWriter(child))
	}
	code := m.Run()
	tellFaults(os.Stdout)
	for _, stop := range stops {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop a database:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// postgres returns the database named by the environment, or one of a server that is started for the tests.
func postgres(t testing.TB) database {
	t.Helper()
	if dsn := os.Getenv("ROLECALL_POSTGRES"); dsn != "" {
		return database{sqlstore.PostgreSQL, "pgx", dsn}
	}
	s, err := shared()
	if err != nil {
		missing(t, "PostgreSQL", "ROLECALL_POSTGRES", err)
	}
	return s.database()
}

// missing skips, or fails where everything must be there.
func missing(t testing.TB, what, variable string, err error) {
	t.Helper()
	if os.Getenv("ROLECALL_REQUIRE_ALL") == "1" {
		t.Fatalf("no %s: %v; install it, or name a database in %s", what, err, variable)
	}
	t.Skipf("NOT TESTED ON %s: %v; install it, or name a database in %s", what, err, variable)
}

// ownServer starts a server for one test, which may kill it.
func ownServer(t testing.TB) *server {
	t.Helper()
	s, err := startServer()
	if err != nil {
		missing(t, "PostgreSQL", "ROLECALL_POSTGRES", err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return s
}

func (s *server) database() database {
	return database{sqlstore.PostgreSQL, "pgx", s.dsn(s.port)}
}

func (s *server) dsn(port int) string {
	return fmt.Sprintf("postgres://rolecall@127.0.0.1:%d/postgres?sslmode=disable&connect_timeout=10", port)
}

func startServer() (*server, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return nil, err
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return nil, errors.New("there is no initdb on this machine")
	}
	s := &server{bin: filepath.Dir(found[len(found)-1])}
	if s.dir, err = os.MkdirTemp("", "rolecall-postgres-"); err != nil {
		return nil, err
	}
	if err := s.dropRoot(); err != nil {
		return nil, err
	}
	if out, err := s.command("initdb", "-D", s.data(), "-U", "rolecall", "-A", "trust", "-E", "UTF8", "--no-locale", "-N").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.start()
}

// dropRoot chooses who runs the server, which refuses to be root.
func (s *server) dropRoot() error {
	if os.Getuid() != 0 {
		return nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		who, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(who.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(who.Gid)
	if err != nil {
		return err
	}
	s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(s.dir, uid, gid)
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.SysProcAttr, c.Dir = s.as, s.dir
	return c
}

// start starts the server, by a command that may do something before, and returns when it answers.
func (s *server) start(by ...string) error {
	if s.port == 0 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.port = l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return err
		}
	}
	c := s.command("pg_ctl", "-D", s.data(), "-w", "-t", "60", "-l", filepath.Join(s.dir, "log"), "-o",
		fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories= -c fsync=off -c max_connections=200", s.port), "start")
	if len(by) > 0 {
		wrapped := exec.Command(by[0], slices.Concat(by[1:], c.Args)...)
		wrapped.SysProcAttr, wrapped.Dir = c.SysProcAttr, c.Dir
		c = wrapped
	}
	if err := c.Run(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("pg_ctl start: %w\n%s", err, log)
	}
	return nil
}

// kill ends the server as a crash does: no transaction is ended, nothing is written.
func (s *server) kill() error {
	return s.command("pg_ctl", "-D", s.data(), "-m", "immediate", "-w", "stop").Run()
}

func (s *server) remove() error {
	err := s.kill()
	return errors.Join(err, os.RemoveAll(s.dir))
}

// lighter returns the size of a large case, less under the race detector, which slows SQLite in pure Go down tenfold.
// Without it the size is the full one.
func lighter(n int) int {
	if raceDetector {
		return n / 64
	}
	return n
}

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

func putting(statements ...rolecall.Statement) func(*rolecall.Snapshot) (rolecall.Change, error) {
	return func(*rolecall.Snapshot) (rolecall.Change, error) {
		var c rolecall.Change
		for _, s := range statements {
			c.Edits = append(c.Edits, rolecall.Put(s))
		}
		return c, nil
	}
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
	revision, err := r.Update(t.Context(), rolecall.Meta{}, putting(statements...))
	if err != nil {
		t.Fatalf("Update(%v): %v", statements, err)
	}
	return revision
}

func remove(t testing.TB, r *rolecall.Resolver, st rolecall.Statement) {
	t.Helper()
	if _, err := r.Update(t.Context(), rolecall.Meta{}, func(*rolecall.Snapshot) (rolecall.Change, error) {
		return rolecall.Change{Edits: []rolecall.Edit{rolecall.Remove(st)}}, nil
	}); err != nil {
		t.Fatalf("Update(remove %v): %v", st, err)
	}
}

// may checks one answer.
func may(t testing.TB, r *rolecall.Resolver, user string, want error) {
	t.Helper()
	if err := r.Check(context.Background(), rolecall.User(user), mayView, folder); !errors.Is(err, want) {
		t.Errorf("Check(%s) at revision %d: got %v, want %v", user, r.Revision(), err, want)
	}
}
