// Package dbserver starts databases for tests, of the programs that are installed on the machine. Each runs in a temporary
// directory of its own and, since databases refuse to be root, as somebody else where root starts it.
package dbserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rolecall-go/rolecall/internal/testneeds"
)

// ErrMissing is wrapped in the errors of starting a database whose programs are not on the machine.
var ErrMissing = errors.New("not on this machine")

// Missing ends a test for which a database could not be started: it fails where the database is installed, and otherwise
// ends as by testneeds.Missing.
func Missing(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
	testneeds.Missing(t, "%v", err)
}

// A Server is one that runs until it is removed, with all that it has kept.
type Server interface{ Remove() error }

// Own starts a server for one test, and removes it at the test's end. Where there is none, the test ends as by Missing.
func Own[S Server](t testing.TB, start func() (S, error)) S {
	t.Helper()
	s, err := start()
	if err != nil {
		Missing(t, err)
	}
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			t.Errorf("remove a server: %v", err)
		}
	})
	return s
}

// A home is where a server keeps everything, and who runs it.
type home struct {
	dir string
	as  account
}

func newHome(name string) (h home, err error) {
	if h.dir, err = os.MkdirTemp("", "rolecall-"+name+"-"); err != nil {
		return h, err
	}
	if err := h.as.choose(h.dir); err != nil {
		return h, errors.Join(err, h.remove())
	}
	return h, nil
}

func (h home) file(name string) string { return filepath.Join(h.dir, name) }

func (h home) data() string { return h.file("data") }

func (h home) remove() error { return os.RemoveAll(h.dir) }

func (h home) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	h.as.apply(c)
	c.Dir = h.dir
	return c
}

// run runs a program to its end. A server that it starts keeps its output, which therefore must not be a pipe.
func (h home) run(name string, args ...string) error {
	said, err := os.Create(h.file(filepath.Base(name) + ".said"))
	if err != nil {
		return err
	}
	defer said.Close()
	c := h.command(name, args...)
	c.Stdout, c.Stderr = said, said
	if err := c.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		log, _ := os.ReadFile(h.file("log"))
		return fmt.Errorf("%s: %w\n%s%s", name, err, text, log)
	}
	return nil
}
