//go:build unix

package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/rolecall-go/rolecall/sqlfilter"
	_ "modernc.org/sqlite"
)

// A database is one with the host's tables in it.
type database struct {
	*sql.DB
	dialect sqlfilter.Dialect
	dsn     string // of PostgreSQL
}

// exec runs statements whose arguments are written ?.
func (d database) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if d.dialect == sqlfilter.PostgreSQL {
		for n := 1; strings.Contains(query, "?"); n++ {
			query = strings.Replace(query, "?", "$"+strconv.Itoa(n), 1)
		}
	}
	if _, err := d.Exec(query, args...); err != nil {
		t.Fatalf("%s: %s: %v", d.dialect, query, err)
	}
}

// databases opens each database that is there.
func databases(t *testing.T, each func(*testing.T, database)) {
	t.Run("SQLite", func(t *testing.T) {
		db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "host.db"))
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { db.Close() })
		each(t, database{DB: db, dialect: sqlfilter.SQLite})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := startPostgres(t)
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		each(t, database{db, sqlfilter.PostgreSQL, dsn})
	})
}

// absent skips a test, loudly, or fails it where everything is required.
func absent(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("ROLECALL_REQUIRE_ALL") == "1" {
		t.Fatalf("%s, and ROLECALL_REQUIRE_ALL is 1", why)
	}
	t.Skipf("NOT TESTED: %s", why)
}

// serverBinary finds a program of the PostgreSQL server.
func serverBinary(name string) string {
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(versions) == 0 {
		return ""
	}
	return versions[len(versions)-1]
}

// startPostgres starts a server of its own for a test and returns how to reach it.
func startPostgres(t *testing.T) string {
	initdb, server := serverBinary("initdb"), serverBinary("postgres")
	if initdb == "" || server == "" {
		absent(t, "there is no PostgreSQL server on this machine")
	}
	dir, err := os.MkdirTemp("", "pg") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	as := unprivileged(t, dir)
	data := filepath.Join(dir, "data")
	setup := exec.Command(initdb, "-D", data, "-U", "host", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	setup.Dir, setup.SysProcAttr = dir, as
	if out, err := setup.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	run := exec.Command(server, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off")
	log := new(strings.Builder)
	run.Dir, run.SysProcAttr, run.Stdout, run.Stderr = dir, as, log, log
	if err := run.Start(); err != nil {
		t.Fatalf("postgres: %v", err)
	}
	t.Cleanup(func() {
		run.Process.Signal(syscall.SIGINT)
		run.Wait()
		if t.Failed() {
			t.Logf("postgres said:\n%s", log)
		}
	})
	dsn := fmt.Sprintf("host=%s user=host dbname=postgres sslmode=disable", dir)
	awaitReady(t, dsn)
	return dsn
}

// unprivileged gives the directory to a user that is not root, as which the server then runs.
func unprivileged(t *testing.T, dir string) *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	absent(t, "PostgreSQL does not run as root, and there is no other user")
	return nil
}

// awaitReady asks until the server answers.
func awaitReady(t *testing.T, dsn string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		db, err := sql.Open("pgx", dsn)
		if err == nil {
			err = db.PingContext(ctx)
			db.Close()
		}
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("postgres does not answer: %v", err)
		case <-again.C:
		}
	}
}
