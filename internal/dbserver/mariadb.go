package dbserver

import (
	"errors"
	"fmt"
	"os/exec"
)

// A MariaDB is a running server.
type MariaDB struct {
	home
	process *exec.Cmd
}

// StartMariaDB starts a server on databases that nobody has written to.
func StartMariaDB() (*MariaDB, error) {
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return nil, fmt.Errorf("MariaDB: mariadb-install-db is %w", ErrMissing)
	}
	daemon, err := exec.LookPath("mariadbd")
	if err != nil {
		daemon = "/usr/sbin/mariadbd" // which is not on everybody's path
	}
	h, err := newHome("mariadb")
	if err != nil {
		return nil, err
	}
	if err := h.run(install, "--no-defaults", "--datadir="+h.data(), "--auth-root-authentication-method=normal", "--skip-test-db"); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	s := &MariaDB{h, h.command(daemon, "--no-defaults", "--datadir="+h.data(), "--socket="+h.file("socket"), "--skip-networking",
		"--innodb-flush-log-at-trx-commit=0", "--max-connections=200", "--log-error="+h.file("log"))}
	if err := s.process.Start(); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	if err := h.run("mariadb-admin", "--no-defaults", "--socket="+h.file("socket"), "--user=root", "--wait=60", "create", "rolecall"); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

// Remove ends the server, and removes what it has kept.
func (s *MariaDB) Remove() error {
	err := s.process.Process.Kill()
	s.process.Wait()
	return errors.Join(err, s.remove())
}

// DSN returns the address of a database, for root. The database rolecall is there from the beginning.
func (s *MariaDB) DSN(database string) string {
	return fmt.Sprintf("root@unix(%s)/%s?multiStatements=true", s.file("socket"), database)
}
