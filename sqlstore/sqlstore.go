// Package sqlstore keeps a policy and its history in a SQL database, SQLite or PostgreSQL, through database/sql. The
// host owns the database, its driver and its pool:
//
//	db, err := sql.Open("pgx", dsn)
//	…
//	err = sqlstore.Migrate(ctx, db, sqlstore.PostgreSQL, nil) // or with the host's own tool, see Migrations
//	…
//	store, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL, nil)
//	…
//	r, err := rolecall.Open(ctx, store, catalog, nil)
//
// A change of the policy can be part of a transaction of the host, so that business rows, the change and its entry in
// the history are kept together or not at all: see Store.In and Store.Update.
//
// Commits of one tenant happen one after another: each first updates the tenant's row in the policy table, where it is
// still at the revision that the proposal is based on. So revisions are in the order in which transactions commit, and
// whoever follows the history misses nothing.
package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A Dialect is a kind of database.
type Dialect string

// The dialects.
const (
	SQLite     = Dialect("sqlite")     // from 3.35 on
	PostgreSQL = Dialect("postgresql") // from 12 on, with the encoding UTF8
)

// Options configure a Store. Nil options are the zero Options. Migrate, Migrations and Open must be given the same
// Schema and Prefix.
type Options struct {
	// Tenant names one of several policies in the same tables. Each has its own revisions and history.
	Tenant string
	// Schema is where the tables are, for PostgreSQL. Empty leaves it to the search path.
	Schema string
	// Prefix starts the names of the tables. Empty is "rolecall_".
	Prefix string
	// History is the number of changes to keep, the latest ones. Zero keeps all. What is older is deleted by the next
	// commit; Changes answers ErrCompacted for it. A negative number keeps none. The history is the audit log: bound it
	// only where that is kept elsewhere.
	History int
	// Poll is how often Wait looks for a later revision by itself. Zero is half a second. Wake makes it look at once.
	Poll time.Duration
	// Channel is where PostgreSQL notifies of each commit, with the tenant as payload; empty is nowhere. Listeners call
	// Wake. Nothing depends on a notification but how soon a change is seen.
	Channel string
}

const (
	defaultPrefix = "rolecall_"
	defaultPoll   = 500 * time.Millisecond
)

// A Store is a rolecall.Store, and a rolecall.HistoryStore, in a database. It is safe for concurrent use and must not
// be copied. It remembers nothing of the policy, only where the history was when it last looked.
type Store struct {
	db      *sql.DB
	dialect dialect
	options Options
	looking chan struct{} // held by the one who looks where the policy stands
	seen    head          // what was there then; whoever holds looking may use it
	bell    bell
}

// Open returns the store of one tenant. The tables must be there in the version that this package needs: Open never
// migrates. It gives a tenant that is new its row.
func Open(ctx context.Context, db *sql.DB, d Dialect, o *Options) (*Store, error) {
	tables, options, err := prepare(d, o)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{db: db, dialect: tables, options: options, looking: make(chan struct{}, 1), bell: newBell()}
	if err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// pool is the session of what needs no transaction.
func (s *Store) pool() Session { return through{s.db} }

// begin checks the tables and makes the tenant's row.
func (s *Store) begin(ctx context.Context) error {
	have, err := s.dialect.version(ctx, s.pool())
	if err != nil {
		return err
	}
	if want := s.dialect.latest(); have < want {
		return fmt.Errorf("the tables are at version %d, this package needs %d: call Migrate, or apply Migrations", have, want)
	}
	if err := s.dialect.checkEncoding(ctx, s.pool()); err != nil {
		return err
	}
	_, err = s.look(ctx)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	err = s.pool().Exec(ctx, s.dialect.sql(`INSERT INTO {policy} (tenant, history, revision, stamp, oldest, forgotten)
		VALUES (?, ?, 0, ?, 0, '') ON CONFLICT (tenant) DO NOTHING`), s.options.Tenant, rand.Text(), rand.Text())
	if err != nil {
		return err
	}
	_, err = s.look(ctx)
	return err
}

// prepare checks what the caller gave and fills in what is missing.
func prepare(d Dialect, o *Options) (dialect, Options, error) {
	var options Options
	if o != nil {
		options = *o
	}
	if options.Prefix == "" {
		options.Prefix = defaultPrefix
	}
	if options.Poll == 0 {
		options.Poll = defaultPoll
	}
	tables, err := newDialect(d, options)
	return tables, options, err
}

// A dialect writes SQL for one kind of database and one set of names.
type dialect struct {
	kind   Dialect
	names  *strings.Replacer
	schema string
	prefix string
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

func newDialect(kind Dialect, o Options) (dialect, error) {
	var problems []error
	if kind != SQLite && kind != PostgreSQL {
		problems = append(problems, fmt.Errorf("dialect %q is not one of %q, %q", kind, SQLite, PostgreSQL))
	}
	if !plainName.MatchString(o.Prefix) {
		problems = append(problems, fmt.Errorf("prefix %q is not up to 40 lower-case letters, digits and _", o.Prefix))
	}
	if o.Schema != "" && !plainName.MatchString(o.Schema) {
		problems = append(problems, fmt.Errorf("schema %q is not up to 40 lower-case letters, digits and _", o.Schema))
	}
	if kind == SQLite && (o.Schema != "" || o.Channel != "") {
		problems = append(problems, errors.New("a schema and a channel are for PostgreSQL only"))
	}
	if o.Poll < 0 {
		problems = append(problems, fmt.Errorf("poll %v is negative", o.Poll))
	}
	if strings.Contains(o.Tenant, "\x00") {
		problems = append(problems, fmt.Errorf("tenant %q contains NUL", o.Tenant))
	}
	schema := ""
	if o.Schema != "" {
		schema = o.Schema + "."
	}
	var pairs []string
	for _, table := range []string{"policy", "statement", "entry", "delta"} {
		pairs = append(pairs, "{"+table+"}", schema+o.Prefix+table)
	}
	pairs = append(pairs, "{schema}", schema, "{prefix}", o.Prefix)
	return dialect{kind, strings.NewReplacer(pairs...), schema, o.Prefix}, errors.Join(problems...)
}

// sql puts in the names, and the numbers of arguments where the database wants them.
func (d dialect) sql(text string) string {
	text = d.names.Replace(text)
	if d.kind != PostgreSQL {
		return text
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String()
}

// explain puts the error of ctx before what a driver makes of it.
func explain(ctx context.Context, err error) error {
	if cause := ctx.Err(); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// overtaken says that the database refused because another transaction came first, so that this one has done nothing.
func overtaken(err error) bool {
	var state interface{ SQLState() string } // of both usual drivers of PostgreSQL
	if errors.As(err, &state) {
		return state.SQLState() == "40001" || state.SQLState() == "40P01" // serialization failure, deadlock
	}
	const busySnapshot = 5 | 2<<8
	var code interface{ Code() int } // of modernc.org/sqlite
	return errors.As(err, &code) && code.Code() == busySnapshot
}

func conflict(err error) error {
	if overtaken(err) {
		return fmt.Errorf("%w: %w", rolecall.ErrConflict, err)
	}
	return err
}
