package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlfilter"
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

// A habit fetches a page in the way of one library. args are all of them: of the beginning, of the filter, of the end.
type habit func(ctx context.Context, where sqlfilter.Fragment) ([]card, error)

// after is the placeholder that follows those of the filter, which follow one more.
func after(where sqlfilter.Fragment) string { return fmt.Sprintf("$%d", len(where.Args)+2) }

func argsOf(where sqlfilter.Fragment) []any {
	return slices.Concat([]any{pageFrom}, where.Args, []any{pageSize})
}

func plainly(db *sql.DB, first string, last func(sqlfilter.Fragment) string) habit {
	return func(ctx context.Context, where sqlfilter.Fragment) ([]card, error) {
		rows, err := db.QueryContext(ctx, pageBegin+first+" AND "+where.SQL+pageEnd+last(where), argsOf(where)...)
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
	return func(ctx context.Context, where sqlfilter.Fragment) ([]card, error) {
		rows, err := pool.Query(ctx, pageBegin+"$1 AND "+where.SQL+pageEnd+after(where), argsOf(where)...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByName[card])
	}
}

// bySqlx writes ? and binds the text again, as users of sqlx do. With PostgreSQL the filter is numbered already, so a ?
// stands only before it.
func bySqlx(db *sqlx.DB, last func(sqlfilter.Fragment) string) habit {
	return func(ctx context.Context, where sqlfilter.Fragment) ([]card, error) {
		var page []card
		query := db.Rebind(pageBegin+"?") + " AND " + where.SQL + pageEnd + last(where)
		return page, db.SelectContext(ctx, &page, query, argsOf(where)...)
	}
}

// Queries is what sqlc makes of a file of queries, in its shape. ListVisible is written by hand beside it, on the same DBTX
// and with the same row type.
type Queries struct{ db DBTX }

// DBTX is what sqlc's queries run on.
type DBTX interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func (q *Queries) ListVisible(ctx context.Context, where sqlfilter.Fragment, first string, last func(sqlfilter.Fragment) string) ([]card, error) {
	rows, err := q.db.QueryContext(ctx, pageBegin+first+" AND "+where.SQL+pageEnd+last(where), argsOf(where)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []card
	for rows.Next() {
		var i card
		if err := rows.Scan(&i.ID, &i.Project, &i.Number); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

func questionMark(sqlfilter.Fragment) string { return "?" }

func habits(t *testing.T, db database) map[string]habit {
	q := &Queries{db.DB}
	if db.dialect == sqlfilter.SQLite {
		return map[string]habit{
			"database/sql": plainly(db.DB, "?", questionMark),
			"sqlx":         bySqlx(sqlx.NewDb(db.DB, "sqlite3"), questionMark),
			"sqlc": func(ctx context.Context, where sqlfilter.Fragment) ([]card, error) {
				return q.ListVisible(ctx, where, "?", questionMark)
			},
		}
	}
	pool, err := pgxpool.New(t.Context(), db.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return map[string]habit{
		"database/sql": plainly(db.DB, "$1", after),
		"pgx":          byPgx(pool),
		"sqlx":         bySqlx(sqlx.NewDb(db.DB, "pgx"), after),
		"sqlc": func(ctx context.Context, where sqlfilter.Fragment) ([]card, error) {
			return q.ListVisible(ctx, where, "$1", after)
		},
	}
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
			where, err := sqlfilter.Where(set, &sqlfilter.Table{
				Dialect: db.dialect, Conditions: conditions, Facts: everyRow, ArgsBefore: 1,
				Path: []sqlfilter.Level{{Kind: "project", ID: "v.project_id"}, {Kind: "version", ID: "v.id"}},
			})
			if err != nil {
				r.Fatalf("Where: %v, want no error", err)
			}
			want := pageOf(v, versions)
			for name, fetch := range ways {
				got, err := fetch(t.Context(), where)
				if err != nil {
					r.Fatalf("%s, %s: %v\nWHERE %s %v", db.dialect, name, err, where.SQL, where.Args)
				}
				if !slices.Equal(got, want) {
					r.Fatalf("%s, %s: page %v, want %v\nWHERE %s %v\npolicy:\n%s", db.dialect, name, got, want, where.SQL, where.Args, text(statements))
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
