package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/dbserver"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// childWriter commits for ever, two grants a change, and prints each revision that was acknowledged. Its parent kills
// it.
func childWriter(arguments string) int {
	parts := strings.Split(arguments, "\n")
	if err := write(sqlstore.Dialect(parts[0]), parts[1], parts[2], parts[3], parts[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

func write(dialect sqlstore.Dialect, driver, dsn, tenant, who string) error {
	ctx := context.Background()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	s, err := sqlstore.Open(ctx, db, dialect, &sqlstore.Options{Tenant: tenant})
	if err != nil {
		return err
	}
	r, err := rolecall.Open(ctx, s, vocabulary(), nil)
	if err != nil {
		return err
	}
	for {
		name := fmt.Sprint("at", r.Revision(), "-", who)
		revision, err := r.Edit(ctx, rolecall.Meta{Reason: name}, puts(grant("a"+name), grant("b"+name))...)
		if err != nil {
			return err
		}
		fmt.Println(revision)
	}
}

// whole checks what a store has against its own history: replayed on nothing it gives the policy, and every change of a
// child is there with both of its grants. It returns the revision.
func whole(t *testing.T, s rolecall.Store) rolecall.Revision {
	t.Helper()
	state, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	got, err := rolecall.LoadSnapshot(vocabulary(), state)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	replayed, err := rolecall.NewSnapshot(vocabulary())
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range s.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatalf("Changes: %v", err)
		}
		if strings.HasPrefix(e.Reason, "at") && len(e.Deltas) != 2 {
			t.Errorf("entry %d has %d deltas, want both", e.Revision, len(e.Deltas))
		}
		if replayed, err = replayed.Apply(e); err != nil {
			t.Fatalf("replay the history: %v", err)
		}
	}
	if a, b := texts(got), texts(replayed); a != b || got.Revision() != replayed.Revision() {
		t.Errorf("Load is at revision %d with\n%s\nthe history leads to %d with\n%s", got.Revision(), a, replayed.Revision(), b)
	}
	return got.Revision()
}

func texts(s *rolecall.Snapshot) string {
	var b strings.Builder
	for st := range s.Statements() {
		b.WriteString(st.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// A process is killed in the middle of its commits: nothing is half there, nothing that was acknowledged is lost.
func TestAKilledProcessLeavesNothingHalf(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
		update(t, openResolver(t, s, nil), reader)
		const kills = 6
		for kill := range kills {
			acknowledged := runAndKill(t, d, tenant, 1+kill*5)
			if got := whole(t, s); got < acknowledged {
				t.Errorf("after kill %d the store is at revision %d, but %d was acknowledged", kill, got, acknowledged)
			}
		}
		injected(t, "kills of a process that commits", kills)
	})
}

// runAndKill returns the last revision that a child told of before it died.
func runAndKill(t *testing.T, d database, tenant string, after int) (last rolecall.Revision) {
	t.Helper()
	c := startChild(t, d, tenant, "child")
	told := 0
	for last = range c.revisions(t) {
		if told++; told == after {
			c.kill(t)
		}
	}
	c.wait(t, told, after)
	return last
}

// A child is a process that commits for ever.
type child struct {
	command    *exec.Cmd
	out        io.Reader
	complaints strings.Builder
}

func startChild(t *testing.T, d database, tenant, who string) *child {
	t.Helper()
	c := &child{command: exec.CommandContext(t.Context(), os.Args[0])}
	c.command.Env = append(os.Environ(), "ROLECALL_TEST_CHILD="+strings.Join([]string{string(d.dialect), d.driver, d.dsn, tenant, who}, "\n"))
	c.command.Stderr = &c.complaints
	var err error
	if c.out, err = c.command.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// revisions yields what the child says was acknowledged, until it is dead. A line that was cut by the kill is the last.
func (c *child) revisions(t *testing.T) iter.Seq[rolecall.Revision] {
	return func(yield func(rolecall.Revision) bool) {
		lines := bufio.NewReader(c.out)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			n, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
			if err != nil {
				t.Errorf("the child printed %q, want a revision", line)
			}
			if !yield(rolecall.Revision(n)) {
				return
			}
		}
	}
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.command.Process.Kill(); err != nil {
		t.Errorf("kill the child: %v", err)
	}
}

func (c *child) wait(t *testing.T, told, want int) {
	t.Helper()
	if err := c.command.Wait(); err == nil || told < want {
		t.Fatalf("the child ended with %v after %d of %d commits: %s", err, told, want, c.complaints.String())
	}
}

// Two processes commit to one policy for ever, each as fast as it can, while a replica follows. Both get on, in turns;
// every acknowledged revision is one process's alone, and the replica is told of each once.
func TestTwoProcessesCommitForEver(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		s := openStore(t, d, db, sqlstore.Options{Tenant: tenant, Poll: 10 * time.Millisecond})
		replica := openResolver(t, s, nil)
		update(t, replica, reader)
		const each, turns = 20, 4
		names := []string{"left", "right"}
		acknowledged := make([][]rolecall.Revision, len(names))
		var children []*child
		var all sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		for i, name := range names {
			c := startChild(t, d, tenant, name)
			children = append(children, c)
			all.Go(func() { acknowledged[i] = slices.Collect(c.revisions(t)); stop() })
		}
		by, made, turned := []string{"", ""}, map[string]int{}, 0
		for e, err := range replica.Changes(ctx, 1) {
			if err != nil || int(e.Revision) != len(by) {
				t.Fatalf("Changes: got entry %d, %v, want %d", e.Revision, err, len(by))
			}
			_, who, _ := strings.Cut(e.Reason, "-")
			if made[who]++; who != by[len(by)-1] {
				turned++
			}
			by = append(by, who)
			if made["left"] >= each && made["right"] >= each && turned >= turns {
				break
			}
		}
		for _, c := range children {
			c.kill(t)
		}
		all.Wait()
		for i, c := range children {
			c.wait(t, made[names[i]], each)
			for _, r := range acknowledged[i] {
				if int(r) < len(by) && by[r] != names[i] {
					t.Errorf("revision %d was acknowledged to %s, the feed says that it is of %q", r, names[i], by[r])
				}
			}
		}
		if got, last := whole(t, s), max(slices.Max(acknowledged[0]), slices.Max(acknowledged[1])); got < last {
			t.Errorf("the store is at revision %d, but %d was acknowledged", got, last)
		}
		injected(t, "commits of two processes at once", len(by)-2)
		t.Logf("%v, in %d turns", made, turned)
	})
}

// PostgreSQL crashes and comes back, while one writes and a replica follows.
func TestPostgreSQLIsKilledAndRestarted(t *testing.T) {
	server := dbserver.Own(t, dbserver.StartPostgreSQL)
	d := postgresOf(server)
	db := d.migrated(t)
	writer := openResolver(t, openStore(t, d, db, sqlstore.Options{}), nil)
	update(t, writer, reader)
	replica := openResolver(t, openStore(t, d, db, sqlstore.Options{}), nil)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- replica.Run(ctx) }()

	const kills = 3
	failed := 0
	var last rolecall.Revision
	for kill := range kills {
		died := make(chan error, 1)
		for i := 0; ; i++ {
			if i == 10 {
				go func() { died <- server.Kill() }()
			}
			user := fmt.Sprintf("%d-%d", kill, i)
			revision, err := writer.Edit(t.Context(), rolecall.Meta{}, rolecall.Put(grant(user)))
			if err != nil {
				failed++
				break
			}
			last = revision
		}
		if err := <-died; err != nil {
			t.Fatalf("kill PostgreSQL: %v", err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		for writer.Refresh(t.Context()) != nil { // connections of the pool that are dead
			failed++
		}
		if got := whole(t, openStore(t, d, db, sqlstore.Options{})); got < last {
			t.Errorf("after kill %d the store is at revision %d, but %d was acknowledged", kill, got, last)
		}
	}
	last = update(t, writer, grant("last"))
	for e, err := range replica.Changes(t.Context(), last-1) {
		if err != nil || e.Revision != last {
			t.Errorf("the replica after %d kills: got entry %d, %v, want %d", kills, e.Revision, err, last)
		}
		break
	}
	may(t, replica, "last", nil)
	stop()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: got %v, want the error of ctx", err)
	}
	injected(t, "kills of PostgreSQL", kills)
	t.Logf("%d calls failed meanwhile", failed)
}

// The disk is full: commits fail and leave nothing behind, and go on when there is room again.
func TestADiskThatIsFull(t *testing.T) {
	d := sqliteFile(t)
	db := d.migrated(t)
	db.SetMaxOpenConns(2)
	s := openStore(t, d, db, sqlstore.Options{})
	r := openResolver(t, s, nil)
	update(t, r, reader)
	limit := func(pages string) {
		t.Helper()
		for range 2 { // every connection of the pool
			c, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.ExecContext(t.Context(), "PRAGMA max_page_count = "+pages); err != nil {
				t.Fatal(err)
			}
		}
	}
	limit("80")
	var last rolecall.Revision
	failed := 0
	for i := 0; failed < 3; i++ {
		name := fmt.Sprint("at", i)
		p := proposal(t, r, grant("a"+name+strings.Repeat("x", 200)), grant("b"+name))
		switch err := s.Commit(t.Context(), p); err {
		case nil:
			last = p.Next().Revision()
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		default:
			failed++
		}
		if i > 10_000 {
			t.Fatal("10000 commits went into 80 pages")
		}
	}
	if got := whole(t, s); got != last {
		t.Errorf("after commits failed the store is at revision %d, want %d", got, last)
	}
	limit("1000000")
	update(t, r, grant("again"))
	injected(t, "commits on a full disk", failed)
}

// A server cannot make its files larger: PostgreSQL says so for each of them as it does for a disk. Commits fail and
// leave nothing behind, what is there can be read, and commits go on when there is room again.
func TestPostgreSQLWithoutRoom(t *testing.T) {
	server := dbserver.Own(t, dbserver.StartPostgreSQL)
	d := postgresOf(server)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start("sh", "-c", `ulimit -f 32768; exec "$0" "$@"`); err != nil {
		t.Fatal(err)
	}
	db := d.migrated(t)
	s := openStore(t, d, db, sqlstore.Options{})
	r := openResolver(t, s, nil)
	update(t, r, reader)
	for i := 0; ; i++ { // rows of nobody's, which fill the file
		if _, err := db.ExecContext(t.Context(), `INSERT INTO rolecall_delta (policy, revision, ordinal, hash, before)
			SELECT -1, $1, n, '', repeat('x', 1500) FROM generate_series(1, 500) n`, int64(i)); err != nil {
			break
		}
		if i > 1000 {
			t.Fatal("500000 rows of 1500 bytes went into 32 MB")
		}
	}
	last := r.Revision()
	failed := 0
	for i := 0; failed < 3; i++ { // the last pages have room for some more
		grants := make([]rolecall.Statement, 20)
		for n := range grants {
			grants[n] = grant(fmt.Sprintf("%d-%d", i, n))
		}
		p := proposal(t, r, grants...)
		switch err := s.Commit(t.Context(), p); {
		case err == nil:
			last = p.Next().Revision()
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		case errors.Is(err, rolecall.ErrConflict):
			t.Fatalf("Commit without room: got %v, want an error that is not a conflict", err)
		default:
			failed++
		}
	}
	if got := whole(t, s); got != last {
		t.Errorf("after commits failed the store is at revision %d, want %d", got, last)
	}
	injected(t, "commits on a full disk", failed)
	if err := errors.Join(server.Kill(), server.Start()); err != nil {
		t.Fatal(err)
	}
	for r.Refresh(t.Context()) != nil { // connections of the pool that are dead
	}
	update(t, r, grant("again"))
	if got := whole(t, s); got != last+1 {
		t.Errorf("with room again the store is at revision %d, want %d", got, last+1)
	}
}
