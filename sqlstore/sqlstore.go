// Package sqlstore keeps a policy and its history in a SQL database, SQLite, PostgreSQL or MariaDB, through database/sql. The
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
	"time"
)

// A Dialect is a kind of database.
type Dialect string

// The dialects.
const (
	SQLite     Dialect = "sqlite"     // from 3.35 on
	PostgreSQL Dialect = "postgresql" // from 12 on, with the encoding UTF8
	MariaDB    Dialect = "mariadb"    // from 10.6 on, by go-sql-driver/mysql
)

// Options configure a Store. Nil options are the zero Options. Migrate, Migrations and Open must be given the same
// Schema and Prefix.
type Options struct {
	// Tenant names one of several policies in the same tables. Each has its own revisions and history.
	Tenant string
	// Schema is where the tables are, for PostgreSQL, where empty is the current schema (the first one of the search path
	// that there is, and no other), and for MariaDB, where it is the name of a database.
	Schema string
	// Prefix starts the names of the tables. Empty is "rolecall_".
	Prefix string
	// History is the number of changes to keep, the latest ones. Zero keeps all. What is older is deleted by the next
	// commit; Changes answers ErrCompacted for it. Of the change before the kept ones stays who made it, when and why, not
	// what it did. A negative number keeps none. The history is the audit log: bound it only where that is kept elsewhere.
	History int
	// Poll is how often Wait looks for a later revision by itself. Zero is half a second. Wake makes it look at once.
	Poll time.Duration
	// Channel is where PostgreSQL notifies of each commit, with the tenant as payload; empty is nowhere. It has up to 63
	// bytes. Listeners call Wake. Nothing depends on a notification but how soon a change is seen.
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
	memory  memory
	bell    bell
}

// Open returns the store of one tenant. The tables must be there in the version that this package needs: Open never
// migrates. It gives a tenant that is new its row.
func Open(ctx context.Context, db *sql.DB, d Dialect, o *Options) (*Store, error) {
	tables, options, err := prepare(d, o)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{db: db, dialect: tables, options: options, bell: newBell()}
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
	if err := s.dialect.checkSession(ctx, s.pool()); err != nil {
		return err
	}
	_, err = s.look(ctx)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	err = s.pool().Exec(ctx, s.dialect.sql(`INSERT INTO {policy} (tenant, history, revision, stamp, oldest, forgotten)
		VALUES (?, ?, 0, ?, 0, '') {unlessTenant}`), s.options.Tenant, rand.Text(), rand.Text())
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

// explain puts the error of ctx before what a driver makes of it.
func explain(ctx context.Context, err error) error {
	if cause := ctx.Err(); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
