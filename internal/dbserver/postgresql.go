package dbserver

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
)

// A PostgreSQL is a server that runs until it is killed.
type PostgreSQL struct {
	home
	bin  string // where its programs are
	port int
}

// StartPostgreSQL starts a server on a database that nobody has written to.
func StartPostgreSQL() (*PostgreSQL, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	h, err := newHome("postgresql")
	if err != nil {
		return nil, err
	}
	s := &PostgreSQL{home: h, bin: bin}
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	return s, nil
}

func postgresPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("PostgreSQL: initdb is %w", ErrMissing)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

func (s *PostgreSQL) begin() (err error) {
	if s.port, err = freePort(); err != nil {
		return err
	}
	if err := s.run(s.program("initdb"), "-D", s.data(), "-U", "rolecall", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"); err != nil {
		return err
	}
	return s.Start()
}

// Start starts the server again when it has been killed, and returns when it answers. The command is started by another
// one, if that is given, which may do something before.
func (s *PostgreSQL) Start(by ...string) error {
	options := fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories= -c fsync=off -c max_connections=200", s.port)
	c := slices.Concat(by, []string{s.program("pg_ctl"), "-D", s.data(), "-w", "-t", "60", "-l", s.file("log"), "-o", options, "start"})
	return s.run(c[0], c[1:]...)
}

// Kill ends the server as a crash does: no transaction is ended, nothing is written.
func (s *PostgreSQL) Kill() error {
	return s.run(s.program("pg_ctl"), "-D", s.data(), "-m", "immediate", "-w", "stop")
}

// Remove ends the server, and removes what it has kept.
func (s *PostgreSQL) Remove() error { return errors.Join(s.Kill(), s.remove()) }

// DSN returns the URL of a database, for a superuser. The database postgres is there from the beginning.
func (s *PostgreSQL) DSN(database string) string {
	return fmt.Sprintf("postgres://rolecall@127.0.0.1:%d/%s?sslmode=disable&connect_timeout=10", s.port, database)
}

func (s *PostgreSQL) program(name string) string { return filepath.Join(s.bin, name) }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
