// Package sqlsource reads a policy from tables that a host already has: users, teams and projects of its own. The host
// writes the queries and says which statements a row makes; nothing is copied into tables of Rolecall, and nothing is
// ever written:
//
//	member := func(row sqlsource.Row) ([]rolecall.Statement, error) {
//		var person, team string
//		err := row.Scan(&person, &team)
//		return []rolecall.Statement{rolecall.Membership{Member: rolecall.User(person), Group: rolecall.Group(team)}}, err
//	}
//	source, err := sqlsource.Open(ctx, db, catalog, []sqlsource.Query{
//		{Name: "roles", Fixed: roles},
//		{Name: "teams", SQL: "SELECT person, team FROM team_members", Map: member},
//	}, nil)
//	…
//	r, err := rolecall.Open(ctx, source, catalog, &rolecall.Options{MaxStaleness: time.Minute})
//	go r.Run(ctx)
//
// A Source is a rolecall.Store for a resolver, except that its Commit refuses: who wants to change the policy changes
// the tables. It looks at them whenever a resolver catches up, and tells of what is different as a change. Resolver.Run
// catches up at its Options.Poll; Wake makes it do so at once.
//
// A Source suits policies that are read in a second or so, since each look reads all of it, unless Options.Version says
// that nothing changed. It holds the policy in memory beside the resolver's. Where policy is to be managed at run time,
// with a history that outlives the process, keep it in sqlstore and name your rows in it by their ids.
package sqlsource

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// ErrReadOnly is the answer of Commit.
var ErrReadOnly = errors.New("the policy is read from the host's tables: change these instead")

// A Row is one row of a query; a *sql.Rows is one.
type Row interface {
	Scan(dest ...any) error
}

// A Query makes statements of rows, or yields some that are always there.
type Query struct {
	Name string // says in errors which query it is
	// SQL is asked with Args; Map says what a row means, for example a membership, or nothing at all. Ids that come from
	// tables go through rolecall.User and the like, which refuse what cannot be an id.
	SQL  string
	Args []any
	Map  func(Row) ([]rolecall.Statement, error)
	// Fixed is what the policy says beside the tables, for example the roles. A Query has either Fixed or SQL.
	Fixed []rolecall.Statement
}

func (q Query) valid() error {
	switch {
	case q.Fixed != nil && (q.SQL != "" || q.Map != nil):
		return fmt.Errorf("query %q has both Fixed and SQL", q.Name)
	case q.Fixed == nil && (q.SQL == "" || q.Map == nil):
		return fmt.Errorf("query %q needs SQL and Map, or Fixed", q.Name)
	}
	return nil
}

// Options configure a Source. Nil options are the zero Options.
type Options struct {
	// Version is a query for one value, as text, that differs whenever any of the tables has changed: a counter that
	// triggers raise, say. Where it is given and the value is that of the last look, the tables are not read again. A
	// value that stays although a row has changed hides that change.
	Version string
	// Isolation is that of the read-only transaction in which all queries are asked, so that they see one moment. Nil is
	// repeatable read. For SQLite, where every transaction sees one moment, give the zero TxOptions.
	Isolation *sql.TxOptions
	// Poll is how often Wait looks by itself. Zero is five seconds.
	Poll time.Duration
	// History is the number of changes to keep for those who subscribe. Zero is 1000.
	History int
	// Clock tells the times of changes; nil is time.Now.
	Clock func() time.Time
}

const (
	defaultPoll    = 5 * time.Second
	defaultHistory = 1000
)

// prepare checks what the caller gave and fills in what is missing.
func prepare(queries []Query, o *Options) (Options, error) {
	var options Options
	if o != nil {
		options = *o
	}
	var problems []error
	for _, q := range queries {
		problems = append(problems, q.valid())
	}
	if options.Poll < 0 || options.History < 0 {
		problems = append(problems, fmt.Errorf("poll %v and history %d are not negative", options.Poll, options.History))
	}
	if options.Poll == 0 {
		options.Poll = defaultPoll
	}
	if options.History == 0 {
		options.History = defaultHistory
	}
	if options.Isolation == nil {
		options.Isolation = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	return options, errors.Join(problems...)
}

// A Source is a rolecall.Store, and a rolecall.HistoryStore, over a host's tables. It is safe for concurrent use and must
// not be copied. Its revisions count what it has seen change since it was opened: they are its own, and mean nothing to
// another process.
type Source struct {
	db      *sql.DB
	queries []Query
	options Options
	kept    *memstore.Store // what was seen
	woken   chan struct{}
	turn    chan struct{} // held by the one who looks, who alone uses what follows
	seen    *rolecall.Snapshot
	version string
}

// Open reads the tables. Where a query fails, or what the rows say is not a policy, there is no Source.
func Open(ctx context.Context, db *sql.DB, c *rolecall.Catalog, queries []Query, o *Options) (*Source, error) {
	options, err := prepare(queries, o)
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	s := &Source{db: db, queries: slices.Clone(queries), options: options, turn: make(chan struct{}, 1), woken: make(chan struct{}, 1)}
	err = s.read(ctx, func(statements iter.Seq2[rolecall.Statement, error]) error {
		s.seen, err = rolecall.LoadSnapshot(c, rolecall.State{History: rand.Text(), Revision: 1, Statements: statements})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	s.kept = memstore.NewWithOptions(s.seen, &memstore.Options{History: options.History, Line: s.seen.History()})
	return s, nil
}

// Commit returns ErrReadOnly.
func (s *Source) Commit(context.Context, *rolecall.Proposal) error { return ErrReadOnly }

// Load looks at the tables and returns the policy that they make.
func (s *Source) Load(ctx context.Context) (rolecall.State, error) {
	if err := s.look(ctx); err != nil {
		return rolecall.State{}, err
	}
	return s.kept.Load(ctx)
}

// Changes looks at the tables and yields what was seen to change after a revision. All that changed between two looks is
// one entry.
func (s *Source) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return func(yield func(rolecall.Entry, error) bool) {
		if err := s.look(ctx); err != nil {
			yield(rolecall.Entry{}, err)
			return
		}
		s.kept.Changes(ctx, after)(yield)
	}
}

// History returns the name of this Source's line of revisions.
func (s *Source) History(ctx context.Context) (string, error) { return s.kept.History(ctx) }

// Wait returns when something was seen to change after a revision. It looks every Options.Poll, and after Wake.
func (s *Source) Wait(ctx context.Context, after rolecall.Revision) error {
	for woken := false; ; {
		if err := s.look(ctx); err != nil {
			if woken {
				s.Wake() // so that another one who waits looks instead
			}
			return err
		}
		woken = false
		wait, cancel := context.WithTimeout(ctx, s.options.Poll)
		seen := make(chan error, 1)
		go func() { seen <- s.kept.Wait(wait, after) }()
		select {
		case err := <-seen:
			cancel()
			if err == nil || ctx.Err() != nil {
				return err
			}
		case <-s.woken:
			woken = true
			cancel()
			<-seen
		}
	}
}

// Wake makes one who waits look at once. Call it when something tells that the tables have changed: the host's own code
// after a commit, LISTEN, a message bus. A needless call costs one look.
func (s *Source) Wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}
