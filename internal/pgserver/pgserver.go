// Package pgserver starts a PostgreSQL for tests, of the programs that are installed on the machine.
package pgserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// A Server is a running PostgreSQL in a directory of its own.
type Server struct {
	DSN string // of a superuser

	bin, dir string
	as       account
}

// Start makes a database in a temporary directory and starts a server on it. Root starts it as somebody else, since
// PostgreSQL refuses to be root.
func Start() (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rolecall-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// programs returns the directory of the server's programs.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("there is no PostgreSQL on this machine: no program initdb")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

func (s *Server) start() error {
	if err := s.as.choose(s.dir); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	if err := s.run("initdb", "-U", "rolecall", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"); err != nil {
		return err
	}
	s.DSN = fmt.Sprintf("postgres://rolecall@127.0.0.1:%d/postgres?sslmode=disable", port)
	return s.run("pg_ctl", "-w", "-t", "60", "-l", filepath.Join(s.dir, "log"),
		"-o", fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories= -c fsync=off", port), "start")
}

// Stop ends the server and removes its directory.
func (s *Server) Stop() error {
	return errors.Join(s.run("pg_ctl", "-m", "immediate", "-w", "stop"), os.RemoveAll(s.dir))
}

func (s *Server) run(program string, args ...string) error {
	c := exec.Command(filepath.Join(s.bin, program), append([]string{"-D", filepath.Join(s.dir, "data")}, args...)...)
	s.as.apply(c)
	c.Dir = s.dir
	// The server keeps what pg_ctl hands down, so that its output must not be a pipe.
	said, err := os.Create(filepath.Join(s.dir, program+".log"))
	if err != nil {
		return err
	}
	defer said.Close()
	c.Stdout, c.Stderr = said, said
	if err := c.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, text)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
