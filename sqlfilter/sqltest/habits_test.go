package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlfilter"
	"github.com/rolecall-go/rolecall/sqlfilter/sqltest/internal/sqlc/mysql"
	"github.com/rolecall-go/rolecall/sqlfilter/sqltest/internal/sqlc/postgresql"
	"github.com/rolecall-go/rolecall/sqlfilter/sqltest/internal/sqlc/sqlite"
	"pgregory.net/rapid"
)

// A page of versions as hosts fetch it: the number to begin at, the filter, the newest first, at most so many.

type card struct {
	ID      string `db:"id"`
	Project string `db:"project_id"`
	Number  int64  `db:"number"`
}

const (
	pageBegin = "SELECT v.id, v.project_id, v.number FROM version v WHERE v.number >= "
	pageEnd   = " ORDER BY v.number DESC LIMIT "
	pageFrom  = 3
	pageSize  = 7
)

// A habit fetches a page of what is in a set in the way of one library.
type habit func(context.Context, *rolecall.ScopeSet) ([]card, error)

// filter is what every habit asks for, each with its own numbering of arguments.
func filter(set *rolecall.ScopeSet, d sqlfilter.Dialect, argsBefore int, unnumbered bool) (sqlfilter.Fragment, error) {
	of := maps.Clone(conditions)
	if unnumbered { // there is no place for other question marks then
		of["assigned"] = sqlfilter.Expr{SQL: strings.ReplaceAll(of["assigned"].SQL, "??", "!"), Args: of["assigned"].Args}
	}
	return sqlfilter.Where(set, &sqlfilter.Table{
		Dialect: d, Conditions: of, Facts: everyRow, ArgsBefore: argsBefore, Unnumbered: unnumbered,
		Path: []sqlfilter.Level{{Kind: "project", ID: "v.project_id"}, {Kind: "version", ID: "v.id"}},
	})
}

func argsOf(where sqlfilter.Fragment) []any {
	return slices.Concat([]any{pageFrom}, where.Args, []any{pageSize})
}

// numbered returns the placeholders of the first and the last argument of a page.
func numbered(d sqlfilter.Dialect, where sqlfilter.Fragment) (first, last string) {
	if d == sqlfilter.PostgreSQL {
		return "$1", fmt.Sprintf("$%d", len(where.Args)+2)
	}
	return "?", "?"
}

func plainly(db database) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, db.dialect, 1, false)
		if err != nil {
			return nil, err
		}
		first, last := numbered(db.dialect, where)
		rows, err := db.QueryContext(ctx, pageBegin+first+" AND "+where.SQL+pageEnd+last, argsOf(where)...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		var page []card
		for rows.Next() {
			var c card
			if err := rows.Scan(&c.ID, &c.Project, &c.Number); err != nil {
				return nil, err
			}
			page = append(page, c)
		}
		return page, rows.Err()
	}
}

func byPgx(pool *pgxpool.Pool) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, sqlfilter.PostgreSQL, 1, false)
		if err != nil {
			return nil, err
		}
		first, last := numbered(sqlfilter.PostgreSQL, where)
		rows, err := pool.Query(ctx, pageBegin+first+" AND "+where.SQL+pageEnd+last, argsOf(where)...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByName[card])
	}
}

// bySqlx writes ? everywhere and binds the whole text, as users of sqlx do.
func bySqlx(db *sqlx.DB, d sqlfilter.Dialect) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, d, 0, true)
		if err != nil {
			return nil, err
		}
		var page []card
		return page, db.SelectContext(ctx, &page, db.Rebind(pageBegin+"? AND "+where.SQL+pageEnd+"?"), argsOf(where)...)
	}
}

// bySqlxIn has a list of its own in the query, which sqlx spreads out before it binds the text.
func bySqlxIn(db *sqlx.DB, d sqlfilter.Dialect) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, d, 0, true)
		if err != nil {
			return nil, err
		}
		text, args, err := sqlx.In(pageBegin+"? AND v.owner IN (?) AND "+where.SQL+pageEnd+"?",
			slices.Concat([]any{pageFrom, []string{"ada", "ben"}}, where.Args, []any{pageSize})...)
		if err != nil {
			return nil, err
		}
		var page []card
		return page, db.SelectContext(ctx, &page, db.Rebind(text), args...)
	}
}

// bySqlxNamed gives the query's own arguments by name.
func bySqlxNamed(db *sqlx.DB, d sqlfilter.Dialect) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, d, 0, true)
		if err != nil {
			return nil, err
		}
		begin, args, err := sqlx.Named(pageBegin+":first", map[string]any{"first": pageFrom})
		if err != nil {
			return nil, err
		}
		var page []card
		return page, db.SelectContext(ctx, &page, db.Rebind(begin+" AND "+where.SQL+pageEnd+"?"), slices.Concat(args, where.Args, []any{pageSize})...)
	}
}

// What sqlc makes of the queries in internal/sqlc runs on a DBTX. Theirs is one that puts the filter where a query has its
// mark, which is true of no row: a query that nobody has filtered returns nothing.

const visible = "1 = 0 /* visible */"

var errNoMark = errors.New("the query has no place for a filter")

type filtered struct {
	*sql.DB
	where sqlfilter.Fragment
}

func (f filtered) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	before, after, found := strings.Cut(query, visible)
	if !found {
		return nil, errNoMark
	}
	n := strings.Count(before, "?")
	return f.DB.QueryContext(ctx, before+f.where.SQL+after, slices.Concat(args[:n], f.where.Args, args[n:])...)
}

type filteredPgx struct {
	*pgxpool.Pool
	where sqlfilter.Fragment // numbered after the arguments of the query
}

func (f filteredPgx) Query(ctx context.Context, query string, args ...any) (pgx.Rows, error) {
	before, after, found := strings.Cut(query, visible)
	if !found {
		return nil, errNoMark
	}
	return f.Pool.Query(ctx, before+f.where.SQL+after, slices.Concat(args, f.where.Args)...)
}

func bySqlcPgx(pool *pgxpool.Pool) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, sqlfilter.PostgreSQL, 2, false)
		if err != nil {
			return nil, err
		}
		q := postgresql.New(filteredPgx{pool, where})
		return cards(q.ListVersions(ctx, postgresql.ListVersionsParams{First: pageFrom, Most: pageSize}))
	}
}

func bySqlcSQLite(db *sql.DB) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, sqlfilter.SQLite, 0, false)
		if err != nil {
			return nil, err
		}
		q := sqlite.New(filtered{db, where})
		return cards(q.ListVersions(ctx, sqlite.ListVersionsParams{Number: pageFrom, Limit: pageSize}))
	}
}

func bySqlcMySQL(db *sql.DB) habit {
	return func(ctx context.Context, set *rolecall.ScopeSet) ([]card, error) {
		where, err := filter(set, sqlfilter.MySQL, 0, false)
		if err != nil {
			return nil, err
		}
		q := mysql.New(filtered{db, where})
		return cards(q.ListVersions(ctx, mysql.ListVersionsParams{Number: pageFrom, Limit: pageSize}))
	}
}

// cards takes the rows of any of the generated packages.
func cards[V postgresql.Version | sqlite.Version | mysql.Version](rows []V, err error) ([]card, error) {
	var page []card
	for _, r := range rows {
		v := postgresql.Version(r)
		page = append(page, card{v.ID, v.ProjectID, v.Number})
	}
	return page, err
}

func habits(t *testing.T, db database) map[string]habit {
	x := sqlx.NewDb(db.DB, db.driver)
	ways := map[string]habit{"database/sql": plainly(db), "sqlx": bySqlx(x, db.dialect), "sqlx.In": bySqlxIn(x, db.dialect), "sqlx.Named": bySqlxNamed(x, db.dialect)}
	switch db.dialect {
	case sqlfilter.SQLite:
		ways["sqlc"] = bySqlcSQLite(db.DB)
	case sqlfilter.MySQL:
		ways["sqlc"] = bySqlcMySQL(db.DB)
	case sqlfilter.PostgreSQL:
		pool := newPool(t, db)
		ways["pgx"], ways["sqlc"] = byPgx(pool), bySqlcPgx(pool)
	}
	return ways
}

func newPool(t *testing.T, db database) *pgxpool.Pool {
	pool, err := pgxpool.New(t.Context(), db.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TestPagesByEveryHabit fetches pages by every library, over random policies, and compares them with the check of each row.
func TestPagesByEveryHabit(t *testing.T) {
	databases(t, func(t *testing.T, db database) {
		projects, versions := newRows()
		createTables(t, db, projects, versions)
		ways := habits(t, db)
		rapid.Check(t, func(r *rapid.T) {
			statements := drawStatements(r, projects, versions)
			s, err := rolecall.NewSnapshot(catalog, statements...)
			if err != nil {
				r.Fatalf("NewSnapshot: %v, want no error", err)
			}
			v, err := s.At(at).For(ada, nil)
			if err != nil {
				r.Fatalf("For(%s): %v, want no error", ada, err)
			}
			set, err := v.Scopes("version", see)
			if err != nil {
				r.Fatalf("Scopes: %v, want no error", err)
			}
			want := pageOf(v, versions)
			for name, fetch := range ways {
				got, err := fetch(t.Context(), set)
				if err != nil {
					r.Fatalf("%s, %s: %v\npolicy:\n%s", db.dialect, name, err, text(statements))
				}
				if !slices.Equal(got, want) {
					r.Fatalf("%s, %s: page %v, want %v\npolicy:\n%s", db.dialect, name, got, want, text(statements))
				}
			}
		})
	})
}

// pageOf makes the page by checking each version.
func pageOf(v *rolecall.View, versions []*version) []card {
	var page []card
	for _, one := range versions {
		if one.number >= pageFrom && v.Check(see, one.scope(), one) == nil {
			page = append(page, card{one.id, one.project, one.number})
		}
	}
	slices.SortFunc(page, func(a, b card) int { return int(b.Number - a.Number) })
	return page[:min(len(page), pageSize)]
}

// A generated query without its filter, or with a filter and no place for it, returns no rows.
func TestUnfilteredSqlcReturnsNothing(t *testing.T) {
	db := openSQLite(t)
	projects, versions := newRows()
	createTables(t, db, projects, versions)
	page, err := sqlite.New(db).ListVersions(t.Context(), sqlite.ListVersionsParams{Limit: 10})
	if len(page) > 0 || err != nil {
		t.Errorf("ListVersions without a filter: %v, %v; want no rows", page, err)
	}
	page, err = sqlite.New(filtered{db.DB, sqlfilter.Fragment{SQL: "1 = 1"}}).ListVersionsOf(t.Context(), []string{"alpha"})
	if len(page) > 0 || !errors.Is(err, errNoMark) {
		t.Errorf("ListVersionsOf with a filter: %v, %v; want no rows and %v", page, err, errNoMark)
	}
}

// Where a list reads "these", a generated query takes them as they are.
func TestListsInGeneratedQueries(t *testing.T) {
	alpha, beta := rolecall.In("project", "alpha"), rolecall.In("project", "beta")
	set := setOf(t, "project", sees, rolecall.Grant{Subject: ada, Role: "sees", Scope: alpha}, rolecall.Grant{Subject: ada, Role: "sees", Scope: beta})
	list, err := set.In(rolecall.Global())
	if err != nil {
		t.Fatal(err)
	}
	var these []string
	for project := range list.Included(rolecall.Scope{}) {
		these = append(these, project.ID())
	}
	databases(t, func(t *testing.T, db database) {
		db.exec(t, "CREATE TABLE version (id VARCHAR(9) NOT NULL, project_id VARCHAR(9) NOT NULL, number BIGINT NOT NULL)")
		for n, id := range []string{"gamma", "alpha", "delta", "beta", "alpha"} {
			db.exec(t, "INSERT INTO version VALUES ('v', ?, ?)", id, n)
		}
		var got []card
		var err error
		switch db.dialect {
		case sqlfilter.SQLite:
			got, err = cards(sqlite.New(db).ListVersionsOf(t.Context(), these))
		case sqlfilter.MySQL:
			got, err = cards(mysql.New(db).ListVersionsOf(t.Context(), these))
		case sqlfilter.PostgreSQL:
			got, err = cards(postgresql.New(newPool(t, db)).ListVersionsOf(t.Context(), these))
		}
		if want := []card{{"v", "alpha", 1}, {"v", "beta", 3}, {"v", "alpha", 4}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("ListVersionsOf(%q): %v, %v; want %v", these, got, err, want)
		}
	})
}
