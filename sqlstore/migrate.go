package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"strings"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the tables to the version that this package needs, in one transaction. Several processes may call it
// at once. Nothing else in this package changes the schema, and a migration only ever adds, so that the version before
// goes on working beside it.
func Migrate(ctx context.Context, db *sql.DB, d Dialect, o *Options) error {
	tables, _, err := prepare(d, o)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	if err := tables.migrate(ctx, conn); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Version returns the version that the tables have, 0 where there are none, and the one that this package needs.
func Version(ctx context.Context, db *sql.DB, d Dialect, o *Options) (have, need int, err error) {
	tables, _, err := prepare(d, o)
	if err != nil {
		return 0, 0, err
	}
	have, err = tables.version(ctx, through{db})
	return have, tables.latest(), err
}

// Migrations returns the migrations as numbered .sql files, with the names of the tables put in, for a migration tool
// of the host. Each records its version itself, so that Open and Migrate see it.
func Migrations(d Dialect, o *Options) (fs.FS, error) {
	tables, _, err := prepare(d, o)
	if err != nil {
		return nil, err
	}
	sub, err := fs.Sub(migrations, "migrations/"+string(d))
	return named{sub, tables}, err
}

func (d dialect) migrate(ctx context.Context, conn *sql.Conn) (err error) {
	begin, commit, undo := d.alone()
	begun := false
	defer func() {
		if err != nil && begun {
			_, failure := conn.ExecContext(context.WithoutCancel(ctx), undo)
			err = errors.Join(err, failure)
		}
	}()
	for _, step := range begin {
		if err := step.run(ctx, conn); err != nil {
			return err
		}
		begun = true
	}
	have, err := d.version(ctx, through{conn})
	if err != nil {
		return err
	}
	for number, file := range d.files() {
		if number < have {
			continue
		}
		if err := d.apply(ctx, conn, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	_, err = conn.ExecContext(ctx, commit)
	return err
}

// alone returns what begins and ends a migration, which no other process does at the same time. MariaDB commits every
// change of the schema by itself; there the files can be run again. One who waited for another sees what that one did,
// whatever the default isolation.
func (d dialect) alone() (begin []step, commit, undo string) {
	switch d.kind {
	case PostgreSQL:
		return []step{{sql: "BEGIN ISOLATION LEVEL READ COMMITTED"}, {sql: fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", d.lockNumber())}}, "COMMIT", "ROLLBACK"
	case MariaDB:
		const aWeek = 7 * 24 * 60 * 60
		release := fmt.Sprintf("DO release_lock('rolecall %d')", d.lockNumber())
		lock := fmt.Sprintf("SELECT coalesce(get_lock('rolecall %d', %d), 0)", d.lockNumber(), aWeek)
		return []step{{sql: lock, answers: true}}, release, release
	default:
		return []step{{sql: "BEGIN IMMEDIATE"}}, "COMMIT", "ROLLBACK"
	}
}

// A step begins a migration. One that answers has to answer 1: a lock of MariaDB that is not granted is no error there.
type step struct {
	sql     string
	answers bool
}

func (s step) run(ctx context.Context, conn *sql.Conn) error {
	if !s.answers {
		_, err := conn.ExecContext(ctx, s.sql)
		return err
	}
	var granted int64
	if err := one(ctx, through{conn}, []any{&granted}, s.sql); err != nil {
		return err
	}
	if granted != 1 {
		return fmt.Errorf("the database answers %d to %s, want 1", granted, s.sql)
	}
	return nil
}

// apply runs the statements of a file one by one, since not every driver takes several at once.
func (d dialect) apply(ctx context.Context, conn *sql.Conn, file string) error {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	for one := range strings.SplitSeq(d.names.Replace(string(text)), ";\n") {
		if strings.TrimSpace(one) == "" {
			continue
		}
		if _, err := conn.ExecContext(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// lockNumber differs between sets of tables.
func (d dialect) lockNumber() int64 {
	h := fnv.New64a()
	h.Write([]byte("rolecall " + d.schema + d.prefix))
	return int64(h.Sum64())
}

// files returns the migrations, the first one making version 1.
func (d dialect) files() []string {
	list, err := fs.Glob(migrations, "migrations/"+string(d.kind)+"/*.sql")
	if err != nil {
		panic(err) // the pattern is malformed
	}
	return list
}

func (d dialect) latest() int { return len(d.files()) }

func (d dialect) version(ctx context.Context, x Session) (int, error) {
	exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
	args := []any{d.schema + d.prefix + "schema"}
	switch d.kind {
	case PostgreSQL:
		exists = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = coalesce(nullif($1, ''), current_schema()) AND tablename = $2"
		args = []any{strings.TrimSuffix(d.schema, "."), d.prefix + "schema"}
	case MariaDB:
		exists = "SELECT count(*) FROM information_schema.tables WHERE table_schema = coalesce(nullif(?, ''), database()) AND table_name = ?"
		args = []any{strings.TrimSuffix(d.schema, "."), d.prefix + "schema"}
	}
	var there, version int64
	if err := one(ctx, x, []any{&there}, exists, args...); err != nil || there == 0 {
		return 0, explain(ctx, err)
	}
	err := one(ctx, x, []any{&version}, d.sql("SELECT coalesce(max(version), 0) FROM {schema}{prefix}schema"))
	return int(version), explain(ctx, err)
}

// demands are what a session must answer, so that every id is kept as it is and nothing is seen before it is committed.
var demands = map[Dialect][]struct{ question, want string }{
	PostgreSQL: {{"SHOW server_encoding", "UTF8"}},
	MariaDB: {
		{"SELECT @@character_set_client", "utf8mb4"},
		{"SELECT @@character_set_connection", "utf8mb4"},
		{"SELECT @@character_set_results", "utf8mb4"},
		{"SELECT @@autocommit", "1"},
		{"SELECT @@tx_isolation <> 'READ-UNCOMMITTED'", "1"},
	},
}

// checkSession refuses a database that could not keep the contract.
func (d dialect) checkSession(ctx context.Context, x Session) error {
	for _, demand := range demands[d.kind] {
		var answer string
		if err := one(ctx, x, []any{&answer}, demand.question); err != nil {
			return explain(ctx, err)
		}
		if answer != demand.want {
			return fmt.Errorf("the database answers %q to %s, want %q", answer, demand.question, demand.want)
		}
	}
	return nil
}

// named is a file system of SQL files with the names of the tables put in.
type named struct {
	fs.FS
	dialect dialect
}

// ReadDir lists the files.
func (n named) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(n.FS, name)
	return n.sized(entries), err
}

func (n named) sized(entries []fs.DirEntry) []fs.DirEntry {
	for i, e := range entries {
		entries[i] = namedEntry{e, n}
	}
	return entries
}

// ReadFile returns the text of a file.
func (n named) ReadFile(name string) ([]byte, error) {
	data, err := fs.ReadFile(n.FS, name)
	return []byte(n.dialect.names.Replace(string(data))), err
}

// Open opens a file or the directory.
func (n named) Open(name string) (fs.File, error) {
	f, err := n.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if dir, ok := f.(fs.ReadDirFile); ok {
		return namedDir{dir, n}, nil
	}
	text, err := n.ReadFile(name)
	return &namedFile{f, bytes.NewReader(text), int64(len(text))}, err
}

type namedDir struct {
	fs.ReadDirFile
	in named
}

// ReadDir lists the next files.
func (d namedDir) ReadDir(n int) ([]fs.DirEntry, error) {
	entries, err := d.ReadDirFile.ReadDir(n)
	return d.in.sized(entries), err
}

type namedEntry struct {
	fs.DirEntry
	in named
}

// Info tells the size of the text with the names in it.
func (e namedEntry) Info() (fs.FileInfo, error) { return fs.Stat(e.in, e.Name()) }

type namedFile struct {
	fs.File
	*bytes.Reader
	size int64
}

// Read reads the text with the names in it.
func (f *namedFile) Read(b []byte) (int, error) { return f.Reader.Read(b) }

// Stat tells the size of that.
func (f *namedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return sized{info, f.size}, err
}

type sized struct {
	fs.FileInfo
	size int64
}

// Size returns the size of the text with the names in it.
func (s sized) Size() int64 { return s.size }
