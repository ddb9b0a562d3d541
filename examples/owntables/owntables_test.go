package main

import (
	"bufio"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/dbserver"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/sqlsource"
)

//go:embed schema.sql
var schema string

const rows = `
INSERT INTO users (id, name) VALUES ('ada', 'Ada'), ('bob', 'Bob'), ('pia', 'Pia'), ('zoe', 'Zoe');
INSERT INTO teams (id, parent) VALUES ('production', NULL), ('animation', NULL), ('creatures', 'animation');
INSERT INTO team_members (team, "user") VALUES ('creatures', 'ada'), ('production', 'pia');
INSERT INTO team_members (team, "user", until) VALUES ('animation', 'zoe', '2026-01-01');
INSERT INTO projects (id, team, lead, confidential) VALUES ('dragon', 'animation', 'bob', false), ('secret', 'creatures', NULL, true);
`

var server = dbserver.Shared[*dbserver.PostgreSQL]{Start: dbserver.StartPostgreSQL}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := server.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// host returns a database with the host's tables in it.
func host(t *testing.T) (db *sql.DB, dsn string) {
	t.Helper()
	s, err := server.Server()
	if err != nil {
		dbserver.Missing(t, err)
	}
	all, err := sql.Open("pgx", s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ToLower(t.Name())
	exec(t, all, "CREATE DATABASE "+name)
	if err := all.Close(); err != nil {
		t.Fatal(err)
	}
	dsn = s.DSN(name)
	if db, err = sql.Open("pgx", dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	exec(t, db, schema)
	exec(t, db, rows)
	return db, dsn
}

func exec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func vocabulary(t *testing.T) (*policy.File, *rolecall.Catalog) {
	t.Helper()
	roles, err := policy.Parse("roles.rolecall", rolesText)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := roles.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return roles, catalog
}

func opened(t *testing.T, db *sql.DB, o *sqlsource.Options) (*sqlsource.Source, *rolecall.Resolver) {
	t.Helper()
	source, r, err := open(t.Context(), db, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return source, r
}

// allowed lists who may do what at which project, of those that the tables name.
func allowed(t *testing.T, r *rolecall.Resolver) string {
	t.Helper()
	var all []string
	for _, project := range []string{"dragon", "secret"} {
		for _, user := range []string{"ada", "bob", "pia", "zoe"} {
			for _, action := range []string{"view", "edit", "plan"} {
				err := r.Check(t.Context(), rolecall.User(user), rolecall.NewPermission("project."+action), rolecall.In("project", project))
				if err == nil {
					all = append(all, user+" "+action+" "+project)
				} else if !errors.Is(err, rolecall.ErrDenied) {
					t.Fatalf("Check: %v", err)
				}
			}
		}
	}
	return strings.Join(all, ", ")
}

const atFirst = "ada view dragon, ada edit dragon, bob view dragon, bob edit dragon, bob plan dragon, pia view dragon, ada view secret, ada edit secret"

// What the rows say is enforced, and each change of the rows as soon as the resolver has looked again.
func TestTablesAreEnforced(t *testing.T) {
	db, _ := host(t)
	_, r := opened(t, db, nil)
	if got := allowed(t, r); got != atFirst {
		t.Errorf("at first: allowed %s, want %s", got, atFirst)
	}
	for _, step := range []struct{ sql, want string }{
		{"UPDATE users SET disabled = true WHERE id = 'bob'", "ada view dragon, ada edit dragon, pia view dragon, ada view secret, ada edit secret"},
		{"UPDATE projects SET confidential = true", "ada view dragon, ada edit dragon, ada view secret, ada edit secret"},
		{"UPDATE projects SET confidential = false", "ada view dragon, ada edit dragon, pia view dragon, ada view secret, ada edit secret, pia view secret"},
		{"DELETE FROM team_members WHERE \"user\" = 'ada'", "pia view dragon, pia view secret"},
	} {
		exec(t, db, step.sql)
		before := r.Revision()
		if err := r.Refresh(t.Context()); err != nil || r.Revision() != before+1 {
			t.Fatalf("Refresh after %s: %v at revision %d, want %d", step.sql, err, r.Revision(), before+1)
		}
		if got := allowed(t, r); got != step.want {
			t.Errorf("after %s: allowed %s, want %s", step.sql, got, step.want)
		}
	}
	if err := r.Refresh(t.Context()); err != nil || r.Revision() != 5 {
		t.Errorf("Refresh without a change: %v at revision %d, want 5 as before", err, r.Revision())
	}
}

// The program follows what the triggers tell of, long before anybody polls.
func TestTheProgramIsToldOfChanges(t *testing.T) {
	db, dsn := host(t)
	ctx, stop := context.WithCancel(t.Context())
	in, out := io.Pipe()
	ran := make(chan error, 1)
	go func() {
		err := run(ctx, dsn, out)
		ran <- errors.Join(err, out.Close())
	}()
	lines := bufio.NewScanner(in)
	until := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("the program ended without %q: %v", want, <-ran)
	}
	until("private /project:secret")
	exec(t, db, "INSERT INTO team_members VALUES ('animation', 'bob')")
	until("member user:bob of group:animation")
	exec(t, db, "UPDATE users SET disabled = true WHERE id = 'bob'")
	until("suspend user:bob")
	stop()
	go io.Copy(io.Discard, in)
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("run: got %v, want the error of ctx", err)
	}
}

func TestNothingIsWritten(t *testing.T) {
	db, _ := host(t)
	_, r := opened(t, db, nil)
	before := r.Revision()
	_, err := r.Edit(t.Context(), rolecall.Meta{}, rolecall.Put(rolecall.Suspension{Subject: rolecall.User("ada")}))
	if !errors.Is(err, sqlsource.ErrReadOnly) || errors.Is(err, rolecall.ErrDenied) || r.Revision() != before {
		t.Errorf("Edit: got %v at revision %d, want ErrReadOnly at %d", err, r.Revision(), before)
	}
}

// Rows that make no policy are refused as a whole: what was there stays, until the rows are right again.
func TestRowsThatMakeNoPolicy(t *testing.T) {
	db, _ := host(t)
	_, r := opened(t, db, nil)
	for _, step := range []struct{ wrong, right, says string }{
		{"UPDATE teams SET parent = 'creatures' WHERE id = 'animation'", "UPDATE teams SET parent = NULL WHERE id = 'animation'", "cycle"},
		{"INSERT INTO users VALUES (repeat('x', 300), 'Long', true)", "DELETE FROM users WHERE name = 'Long'", "256"},
		{"ALTER TABLE users RENAME TO people", "ALTER TABLE people RENAME TO users", `query "users"`},
	} {
		exec(t, db, step.wrong)
		exec(t, db, "UPDATE projects SET lead = 'zoe' WHERE id = 'dragon'")
		if err := r.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), step.says) || r.Health().Err == nil {
			t.Errorf("Refresh after %s: got %v, want an error about %s, also in Health", step.wrong, err, step.says)
		}
		if got := allowed(t, r); got != atFirst {
			t.Errorf("after %s: allowed %s, want what was before", step.wrong, got)
		}
		if _, _, err := open(t.Context(), db, nil); err == nil || !strings.Contains(err.Error(), step.says) {
			t.Errorf("open after %s: got %v, want an error about %s", step.wrong, err, step.says)
		}
		exec(t, db, step.right)
		exec(t, db, "UPDATE projects SET lead = 'bob' WHERE id = 'dragon'")
		if err := r.Refresh(t.Context()); err != nil || allowed(t, r) != atFirst {
			t.Errorf("Refresh after %s: %v, allowed %s, want all as before", step.right, err, allowed(t, r))
		}
	}
}

// All queries see one moment. A transaction that moves Ada from one team to the other commits between two of them.
func TestQueriesSeeOneMoment(t *testing.T) {
	db, _ := host(t)
	roles, catalog := vocabulary(t)
	between := func(row sqlsource.Row) ([]rolecall.Statement, error) {
		exec(t, db, `UPDATE team_members SET team = 'production' WHERE "user" = 'ada'`)
		return nil, nil
	}
	half := func(where string) sqlsource.Query {
		return sqlsource.Query{Name: where, SQL: `SELECT "user", team, until FROM team_members WHERE team = $1`, Args: []any{where}, Map: member}
	}
	source, err := sqlsource.Open(t.Context(), db, catalog, []sqlsource.Query{
		{Name: "roles", Fixed: roles.Statements}, half("creatures"), {Name: "between", SQL: "SELECT 1", Map: between}, half("production"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	state, err := source.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for st, err := range state.Statements {
		if m, ok := st.(rolecall.Membership); err == nil && ok && m.Member == rolecall.User("ada") {
			groups = append(groups, m.Group.String())
		}
	}
	if want := "group:production"; strings.Join(groups, " ") != want {
		t.Errorf("Load after the move: ada is in %v, want %s", groups, want)
	}
	first, err := entries(source.Changes(t.Context(), 1))
	if err != nil || len(first) != 1 || len(first[0].Deltas) != 2 {
		t.Errorf("Changes: %v, %v; want one entry that moves ada, since Open saw the moment before it", first, err)
	}
}

func entries(feed iter.Seq2[rolecall.Entry, error]) (list []rolecall.Entry, err error) {
	for e, err := range feed {
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
	return list, nil
}

// With a version the tables are read only where it has changed.
func TestAVersionSavesReading(t *testing.T) {
	db, _ := host(t)
	exec(t, db, "CREATE TABLE version (n INTEGER); INSERT INTO version VALUES (1)")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	source, r := opened(t, db, &sqlsource.Options{Version: "SELECT n::text FROM version", Clock: func() time.Time { return at }})
	exec(t, db, "UPDATE users SET disabled = true")
	if err := r.Refresh(t.Context()); err != nil || r.Revision() != 1 {
		t.Errorf("Refresh under the same version: %v at revision %d, want 1", err, r.Revision())
	}
	exec(t, db, "UPDATE version SET n = 2")
	if err := r.Refresh(t.Context()); err != nil || r.Revision() != 2 || allowed(t, r) != "" {
		t.Errorf("Refresh under another version: %v at revision %d, allowed %s, want nothing at revision 2", err, r.Revision(), allowed(t, r))
	}
	got, err := entries(source.Changes(t.Context(), 1))
	if err != nil || len(got) != 1 || !got[0].Time.Equal(at) {
		t.Errorf("Changes: %v, %v; want one entry at %v", got, err, at)
	}
}

// The first look reads the tables whatever their version is, even an empty text.
func TestAVersionMayBeEmpty(t *testing.T) {
	db, _ := host(t)
	exec(t, db, "CREATE TABLE version (text text NOT NULL); INSERT INTO version VALUES ('')")
	_, r := opened(t, db, &sqlsource.Options{Version: "SELECT text FROM version"})
	if got := allowed(t, r); got != atFirst {
		t.Errorf("with an empty version: allowed %q, want %q", got, atFirst)
	}
	exec(t, db, "DELETE FROM team_members WHERE \"user\" = 'ada'; UPDATE version SET text = 'changed'")
	const want = "bob view dragon, bob edit dragon, bob plan dragon, pia view dragon"
	if err := r.Refresh(t.Context()); err != nil || allowed(t, r) != want {
		t.Errorf("after a change: %v, allowed %q, want %q", err, allowed(t, r), want)
	}
}

func TestQueriesAreJudged(t *testing.T) {
	db, _ := host(t)
	c, err := rolecall.NewCatalog(rolecall.Declarations{})
	if err != nil {
		t.Fatal(err)
	}
	none := func(sqlsource.Row) ([]rolecall.Statement, error) { return []rolecall.Statement{nil}, nil }
	for _, q := range []struct {
		sqlsource.Query
		o    sqlsource.Options
		says string
	}{
		{Query: sqlsource.Query{Name: "empty"}, says: `"empty"`},
		{Query: sqlsource.Query{Name: "both", SQL: "SELECT 1", Fixed: []rolecall.Statement{}}, says: `"both"`},
		{Query: sqlsource.Query{Name: "unmapped", SQL: "SELECT 1"}, says: `"unmapped"`},
		{Query: sqlsource.Query{Name: "nil", SQL: "SELECT 1", Map: none}, says: `query "nil": row 1`},
		{Query: sqlsource.Query{Name: "misspelled", SQL: "SELEC 1", Map: none}, says: `"misspelled"`},
		{Query: sqlsource.Query{Fixed: []rolecall.Statement{}}, o: sqlsource.Options{Poll: -1}, says: "negative"},
	} {
		if _, err := sqlsource.Open(t.Context(), db, c, []sqlsource.Query{q.Query}, &q.o); err == nil || !strings.Contains(err.Error(), q.says) {
			t.Errorf("Open with query %q: got %v, want an error with %s", q.Name, err, q.says)
		}
	}
}

// Whoever waits is woken. The tables change after the waiting one has looked, and nobody polls.
func TestWaitIsWoken(t *testing.T) {
	db, _ := host(t)
	roles, catalog := vocabulary(t)
	looked := make(chan bool, 10)
	queries := append(queries(roles), sqlsource.Query{Name: "look", SQL: "SELECT 1", Map: func(sqlsource.Row) ([]rolecall.Statement, error) {
		looked <- true
		return nil, nil
	}})
	source, err := sqlsource.Open(t.Context(), db, catalog, queries, &sqlsource.Options{Poll: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	<-looked
	waited := make(chan error)
	go func() { waited <- source.Wait(t.Context(), 1) }()
	<-looked
	exec(t, db, "UPDATE users SET disabled = true WHERE id = 'bob'")
	source.Wake()
	if err := <-waited; err != nil {
		t.Errorf("Wait, woken: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { waited <- source.Wait(ctx, 2) }()
	cancel()
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("Wait, given up: got %v, want the error of ctx", err)
	}
}

// Where one who was woken gives up before it has looked, another one who waits looks in its place. Which one is woken is not
// known, so it is tried some times.
func TestAWakeUpIsNotLostWithItsCaller(t *testing.T) {
	db, _ := host(t)
	roles, catalog := vocabulary(t)
	looked, goOn := make(chan bool, 100), make(chan bool)
	var hold atomic.Bool
	queries := append(queries(roles), sqlsource.Query{Name: "look", SQL: "SELECT 1", Map: func(sqlsource.Row) ([]rolecall.Statement, error) {
		held := hold.Load()
		looked <- true
		if held {
			<-goOn
		}
		return nil, nil
	}})
	source, err := sqlsource.Open(t.Context(), db, catalog, queries, &sqlsource.Options{Poll: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for n := range rolecall.Revision(8) {
		<-looked
		gone, goAway := context.WithCancel(t.Context())
		stays, stop := context.WithTimeout(t.Context(), 10*time.Second)
		left, woken := make(chan error), make(chan error)
		go func() { left <- source.Wait(gone, n+1) }()
		<-looked
		go func() { woken <- source.Wait(stays, n+1) }()
		<-looked
		exec(t, db, "UPDATE users SET disabled = NOT disabled WHERE id = 'bob'")
		hold.Store(true)
		source.Wake()
		<-looked
		goAway()
		hold.Store(false)
		goOn <- true
		<-left
		if err := <-woken; err != nil {
			t.Fatalf("Wait, while another one that was woken gives up: %v, want to be told of the change", err)
		}
		stop()
		for len(looked) > 0 {
			<-looked
		}
		looked <- true
	}
}

// Where nobody tells of a change, whoever waits looks by itself.
func TestWaitPolls(t *testing.T) {
	db, _ := host(t)
	source, _ := opened(t, db, &sqlsource.Options{Poll: time.Millisecond})
	waited := make(chan error)
	go func() { waited <- source.Wait(t.Context(), 1) }()
	exec(t, db, "UPDATE users SET disabled = true WHERE id = 'bob'")
	if err := <-waited; err != nil {
		t.Errorf("Wait: %v", err)
	}
}
