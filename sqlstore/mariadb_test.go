package sqlstore_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/rolecall-go/rolecall/sqlstore"
)

// A mariaServer is a MariaDB that the tests have started.
type mariaServer struct {
	server  // its folder, and who runs it
	process *exec.Cmd
}

var sharedMaria = sync.OnceValues(func() (*mariaServer, error) { return startMaria() })

// mariadb returns the database named by the environment, or one of a server that is started for the tests.
func mariadb(t testing.TB) database {
	t.Helper()
	if dsn := os.Getenv("ROLECALL_MARIADB"); dsn != "" {
		return database{sqlstore.MariaDB, "mysql", dsn}
	}
	s, err := sharedMaria()
	if err != nil {
		missing(t, "MariaDB", "ROLECALL_MARIADB", err)
	}
	return database{sqlstore.MariaDB, "mysql", fmt.Sprintf("root@unix(%s)/rolecall?multiStatements=true", s.socket())}
}

func (s *mariaServer) socket() string { return filepath.Join(s.dir, "socket") }

func startMaria() (*mariaServer, error) {
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	daemon, err := exec.LookPath("mariadbd")
	if err != nil {
		daemon = "/usr/sbin/mariadbd" // which is not on everybody's path
	}
	s := &mariaServer{}
	if s.dir, err = os.MkdirTemp("", "rolecall-mariadb-"); err != nil {
		return nil, err
	}
	if err := s.dropRoot(); err != nil {
		return nil, err
	}
	if out, err := s.command(install, "--no-defaults", "--datadir="+s.data(), "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	s.process = s.command(daemon, "--no-defaults", "--datadir="+s.data(), "--socket="+s.socket(), "--skip-networking",
		"--innodb-flush-log-at-trx-commit=0", "--max-connections=200", "--log-error="+filepath.Join(s.dir, "log"))
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	stopAtTheEnd(s.remove)
	out, err := s.command("mariadb-admin", "--no-defaults", "--socket="+s.socket(), "--user=root", "--wait=60", "create", "rolecall").CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return nil, fmt.Errorf("mariadb-admin create: %w\n%s\n%s", err, out, log)
	}
	return s, nil
}

func (s *mariaServer) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.SysProcAttr, c.Dir = s.as, s.dir
	return c
}

func (s *mariaServer) remove() error {
	err := s.process.Process.Kill()
	s.process.Wait()
	return errors.Join(err, os.RemoveAll(s.dir))
}

// A session that would garble ids, or see what is not committed, is refused.
func TestMariaDBSessionsAreJudged(t *testing.T) {
	d := mariadb(t)
	if err := sqlstore.Migrate(t.Context(), d.open(t), d.dialect, nil); err != nil {
		t.Fatal(err)
	}
	for setting, word := range map[string]string{
		"charset=latin1": "character_set", "autocommit=0": "autocommit", "tx_isolation=%27READ-UNCOMMITTED%27": "READ-UNCOMMITTED",
	} {
		odd := d
		odd.dsn += "&" + setting
		if _, err := sqlstore.Open(t.Context(), odd.open(t), d.dialect, nil); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("Open with %s: got %v, want an error about %s", setting, err, word)
		}
	}
}

// A migration that was cut off between two of its statements goes on.
func TestAMariaDBMigrationGoesOn(t *testing.T) {
	d := mariadb(t)
	db := d.open(t)
	o := &sqlstore.Options{Prefix: "cut_"}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE cut_schema (version INTEGER PRIMARY KEY) ENGINE = InnoDB"); err != nil {
		t.Fatal(err)
	}
	if err := sqlstore.Migrate(t.Context(), db, d.dialect, o); err != nil {
		t.Fatalf("Migrate after one that was cut off: %v", err)
	}
	if _, err := sqlstore.Open(t.Context(), db, d.dialect, o); err != nil {
		t.Errorf("Open: %v", err)
	}
}
