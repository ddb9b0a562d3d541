package sqltest

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlfilter"
	"pgregory.net/rapid"
)

// The host: projects with versions. A version has an owner and assignees, and is published, not published, or nobody
// has said (NULL).

type project struct {
	id      string
	private bool
}

type version struct {
	id, project, owner string
	number             int64 // another id, of which the policy may know spellings that are none
	assigned           bool  // to ada
	published          sql.NullBool
	private            bool
}

// Ids that a careless filter mixes up.
var projectIDs = []string{"alpha", "Alpha", "a'; DROP TABLE version; --", "a%", "alpha ", "ä", "?", "$1"}

func newRows() (projects []*project, versions []*version) {
	for i, id := range projectIDs {
		projects = append(projects, &project{id: id})
		for n := range 4 {
			v := &version{id: fmt.Sprintf("v%d", n), project: id, number: int64(10*i + n), owner: []string{"ada", "ben"}[n%2], assigned: (i+n)%3 == 0}
			v.published = sql.NullBool{Bool: i%2 == 0, Valid: n != 2}
			versions = append(versions, v)
		}
	}
	return projects, versions
}

func (p *project) scope() rolecall.Scope { return rolecall.In("project", p.id) }
func (v *version) scope() rolecall.Scope {
	return rolecall.In("project", v.project).In("version", v.id)
}

// Holds answers a condition as the database does.
func (v *version) Holds(c rolecall.Condition) (bool, error) {
	switch c {
	case "own":
		return v.owner == "ada", nil
	case "assigned":
		return v.assigned, nil
	case "published":
		if !v.published.Valid {
			return false, errors.New("nobody has said")
		}
		return v.published.Bool, nil
	case "office-hours":
		return true, nil
	}
	return false, errors.New("nobody knows")
}

// conditions are those of the rows; office-hours and strike are the same for all.
var conditions = map[rolecall.Condition]sqlfilter.Expr{
	"own":       {SQL: "v.owner = ?", Args: []any{"ada"}},
	"assigned":  {SQL: "EXISTS (SELECT 1 FROM assignment a WHERE a.number = v.number AND a.who = ? AND a.note <> '??')", Args: []any{"ada"}},
	"published": {SQL: "v.published"},
}

var everyRow = rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
	if c == "office-hours" {
		return true, nil
	}
	return false, errors.New("nobody knows")
})

var (
	see  = rolecall.NewPermission("version.view")
	edit = rolecall.NewPermission("version.update")
	at   = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ada  = rolecall.User("ada")
	sees = rolecall.Role{Name: "sees", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*"}}}}
)

func newCatalog() *rolecall.Catalog {
	d := rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: see}, {Permission: edit}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "project"}, {Kind: "version"}},
	}
	for _, c := range []rolecall.Condition{"own", "assigned", "published", "office-hours", "strike"} {
		d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: c})
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		panic(err)
	}
	return c
}

var catalog = newCatalog()

// createTables fills the host's tables. SQLite gets collations that compare loosely, and MySQL has some; there the ids of
// versions are stored in another character set too.
func createTables(t *testing.T, db database, projects []*project, versions []*version) {
	loose := map[sqlfilter.Dialect]string{sqlfilter.SQLite: " COLLATE NOCASE", sqlfilter.MySQL: " CHARACTER SET latin1"}[db.dialect]
	db.exec(t, "CREATE TABLE project (id TEXT"+strings.ReplaceAll(loose, "latin1", "utf8mb4")+", private BOOLEAN NOT NULL)")
	db.exec(t, "CREATE TABLE version (id TEXT"+loose+", project_id TEXT"+loose+", number BIGINT, owner TEXT, published BOOLEAN, private BOOLEAN NOT NULL)")
	db.exec(t, "CREATE TABLE assignment (number BIGINT, who TEXT, note TEXT)")
	for _, p := range projects {
		db.exec(t, "INSERT INTO project VALUES (?, ?)", p.id, p.private)
	}
	for _, v := range versions {
		db.exec(t, "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?)", v.id, v.project, v.number, v.owner, v.published, v.private)
		if v.assigned {
			db.exec(t, "INSERT INTO assignment VALUES (?, 'ada', 'now')", v.number)
		}
	}
	db.exec(t, "INSERT INTO version VALUES ('v0', NULL, 998, 'ada', ?, ?)", true, false)    // in no project
	db.exec(t, "INSERT INTO version VALUES (NULL, 'alpha', 999, 'ada', ?, ?)", true, false) // no version
}

// Random policies over the rows.

func pick[E any](t *rapid.T, from []E, label string) E { return rapid.SampledFrom(from).Draw(t, label) }

func drawScope(t *rapid.T, projects []*project, versions []*version) rolecall.Scope {
	switch rapid.IntRange(0, 9).Draw(t, "depth") {
	case 0, 1:
		return rolecall.Global()
	case 2, 3, 4, 5:
		return pick(t, projects, "project").scope()
	case 6, 7, 8:
		return pick(t, versions, "version").scope()
	}
	return pick(t, []rolecall.Scope{
		rolecall.In("project", "gone"), rolecall.In("project", "alpha").In("version", "gone"), rolecall.In("version", "v1"),
		rolecall.In("project", "alpha").In("project", "alpha"), rolecall.In("project", "alpha").In("version", "v1").In("version", "v1"),
	}, "elsewhere")
}

func drawWhen(t *rapid.T) rolecall.Condition {
	return pick(t, []rolecall.Condition{"", "", "", "", "own", "assigned", "published", "office-hours", "strike"}, "when")
}

func drawStatements(t *rapid.T, projects []*project, versions []*version) []rolecall.Statement {
	byKey := map[rolecall.StatementKey]rolecall.Statement{}
	put := func(s rolecall.Statement) { byKey[rolecall.KeyOf(s)] = s }
	put(rolecall.Membership{Member: ada, Group: rolecall.Group("team")})
	names := []rolecall.RoleName{"one", "two"}
	for i, name := range names {
		r := rolecall.Role{Name: name}
		if i == 0 && rapid.Bool().Draw(t, "inherits") {
			r.Inherits = names[1:]
		}
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			effect := pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Allow, rolecall.Allow, rolecall.Except, rolecall.Deny}, "effect")
			r.Rules = append(r.Rules, rolecall.Rule{Effect: effect, Patterns: []rolecall.Pattern{pick(t, []rolecall.Pattern{"*", "version.view"}, "pattern")}, When: drawWhen(t)})
		}
		put(r)
	}
	holders := []rolecall.Subject{ada, ada, rolecall.Group("team"), rolecall.Everyone()}
	for range rapid.IntRange(0, 8).Draw(t, "grants") {
		put(rolecall.Grant{
			Subject: pick(t, holders, "holder"), Role: pick(t, names, "role"), Scope: drawScope(t, projects, versions), When: drawWhen(t),
			Replace: rapid.IntRange(0, 7).Draw(t, "replace") == 0, Pierce: rapid.IntRange(0, 2).Draw(t, "pierce") == 0,
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, "overrides") {
		effect := pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Deny, rolecall.Deny, rolecall.Forbid}, "effect")
		put(rolecall.Override{Subject: pick(t, holders, "holder"), Effect: effect, Pattern: "version.*", Scope: drawScope(t, projects, versions), When: drawWhen(t)})
	}
	for range rapid.IntRange(0, 3).Draw(t, "private scopes") {
		if s := drawScope(t, projects, versions); !s.IsGlobal() {
			put(rolecall.PrivateScope{Scope: s})
		}
	}
	var all []rolecall.Statement
	for _, s := range byKey {
		all = append(all, s)
	}
	return all
}

// markPrivate makes the host's columns agree with the policy.
func markPrivate(t testing.TB, db database, s *rolecall.Snapshot, projects []*project, versions []*version) {
	is := func(at rolecall.Scope) bool {
		_, found := s.Find(rolecall.KeyOf(rolecall.PrivateScope{Scope: at}))
		return found
	}
	for _, p := range projects {
		if now := is(p.scope()); now != p.private {
			p.private = now
			db.exec(t, "UPDATE project SET private = ? WHERE "+db.same("id", "?"), now, p.id)
		}
	}
	for _, v := range versions {
		if now := is(v.scope()); now != v.private {
			v.private = now
			db.exec(t, "UPDATE version SET private = ? WHERE number = ?", now, v.number)
		}
	}
}

// query returns what the rows of a query say, sorted.
func (d database) query(t testing.TB, query string, args ...any) []string {
	t.Helper()
	rows, err := d.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %s %v: %v", d.dialect, query, args, err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %s %v: %v", d.dialect, query, args, err)
	}
	slices.Sort(got)
	return got
}

const fromVersions = "SELECT CONCAT(v.project_id, '/', v.id) FROM version v LEFT JOIN project p ON {join} WHERE v.number >= {first} AND "

// A shape is a way in which a host lays its rows out.
type shape struct {
	name  string
	kind  rolecall.ScopeKind
	query string
	args  int // of the query before the filter
	table sqlfilter.Table
	all   func(projects []*project, versions []*version) map[string]rolecall.Scope
	facts func(versions []*version, at rolecall.Scope) rolecall.Facts
}

func shapes() []shape {
	allVersions := func(_ []*project, versions []*version) map[string]rolecall.Scope {
		all := map[string]rolecall.Scope{}
		for _, v := range versions {
			all[v.project+"/"+v.id] = v.scope()
		}
		return all
	}
	ofVersion := func(versions []*version, at rolecall.Scope) rolecall.Facts {
		for _, v := range versions {
			if v.scope() == at {
				return v
			}
		}
		return nil
	}
	versionPath := []sqlfilter.Level{{Kind: "project", ID: "v.project_id"}, {Kind: "version", ID: "v.id"}}
	withColumns := []sqlfilter.Level{{Kind: "project", ID: "v.project_id", Private: "p.private"}, {Kind: "version", ID: "v.id", Private: "v.private"}}
	oneColumn := []sqlfilter.Level{{Kind: "project", ID: "v.project_id", Private: "p.private"}, {Kind: "version", ID: "v.id"}}
	return []shape{
		{name: "versions", kind: "version", query: fromVersions, args: 1, table: sqlfilter.Table{Path: versionPath}, all: allVersions, facts: ofVersion},
		{name: "versions with private columns", kind: "version", query: fromVersions, args: 1, table: sqlfilter.Table{Path: withColumns}, all: allVersions, facts: ofVersion},
		{name: "versions with a private column of projects", kind: "version", query: fromVersions, args: 1, table: sqlfilter.Table{Path: oneColumn}, all: allVersions, facts: ofVersion},
		{
			name: "versions of one project", kind: "version", query: fromVersions + "{in alpha} AND ", args: 1,
			table: sqlfilter.Table{Parent: rolecall.In("project", "alpha"), Path: versionPath[1:]}, facts: ofVersion,
			all: func(_ []*project, versions []*version) map[string]rolecall.Scope {
				all := map[string]rolecall.Scope{}
				for _, v := range versions {
					if v.project == "alpha" {
						all[v.project+"/"+v.id] = v.scope()
					}
				}
				return all
			},
		},
		{
			name: "projects", kind: "project", query: "SELECT p.id FROM project p CROSS JOIN (SELECT 'ada' AS owner, 0 AS number, NOT (1 = 0) AS published) v WHERE ",
			table: sqlfilter.Table{Path: []sqlfilter.Level{{Kind: "project", ID: "p.id", Private: "p.private"}}},
			all: func(projects []*project, _ []*version) map[string]rolecall.Scope {
				all := map[string]rolecall.Scope{}
				for _, p := range projects {
					all[p.id] = p.scope()
				}
				return all
			},
			facts: func(versions []*version, _ rolecall.Scope) rolecall.Facts {
				return &version{owner: "ada", assigned: versions[0].assigned, published: sql.NullBool{Bool: true, Valid: true}}
			},
		},
	}
}

// text fills in what differs between databases.
func (s shape) text(db database) string {
	first := "?"
	if db.dialect == sqlfilter.PostgreSQL {
		first = "$1"
	}
	return strings.NewReplacer(
		"{join}", db.same("p.id", "v.project_id"), "{first}", first, "{in alpha}", db.same("v.project_id", "'alpha'"),
	).Replace(s.query)
}

// TestRowsAreWhatTheCheckAllows compares, over random policies, the rows of a filtered query with the check of each row.
func TestRowsAreWhatTheCheckAllows(t *testing.T) {
	databases(t, func(t *testing.T, db database) {
		projects, versions := newRows()
		createTables(t, db, projects, versions)
		var some, all, none int
		rapid.Check(t, func(r *rapid.T) {
			statements := drawStatements(r, projects, versions)
			s, err := rolecall.NewSnapshot(catalog, statements...)
			if err != nil {
				r.Fatalf("NewSnapshot: %v, want no error", err)
			}
			s = s.At(at)
			markPrivate(t, db, s, projects, versions)
			v, err := s.For(ada, nil)
			if err != nil {
				r.Fatalf("For(%s): %v, want no error", ada, err)
			}
			for _, shape := range shapes() {
				set, err := v.Scopes(shape.kind, see)
				if err != nil {
					r.Fatalf("Scopes: %v, want no error", err)
				}
				table := shape.table
				table.Dialect, table.Conditions, table.Facts, table.ArgsBefore = db.dialect, conditions, everyRow, shape.args
				where, err := sqlfilter.Where(set, &table)
				if err != nil {
					r.Fatalf("Where: %v, want no error", err)
				}
				args := slices.Concat([]any{-1}[:shape.args], where.Args)
				got := db.query(t, shape.text(db)+where.SQL, args...)
				var want []string
				rows := shape.all(projects, versions)
				for name, scope := range rows {
					if v.Check(see, scope, shape.facts(versions, scope)) == nil {
						want = append(want, name)
					}
				}
				slices.Sort(want)
				if !slices.Equal(got, want) {
					r.Fatalf("%s, %s: rows %q, want %q\nWHERE %s %v\npolicy:\n%s", db.dialect, shape.name, got, want, where.SQL, where.Args, text(statements))
				}
				switch len(want) {
				case 0:
					none++
				case len(rows):
					all++
				default:
					some++
				}
			}
		})
		t.Logf("%d filters with no rows, %d with all, %d with some", none, all, some)
		if some*4 < none+all {
			t.Errorf("%d filters with some rows of %d, want a fifth of them at least", some, none+all+some)
		}
	})
}

func text(statements []rolecall.Statement) string {
	var b strings.Builder
	for _, s := range statements {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// Columns of numbers hold one value for several spellings; only the canonical one is a scope of theirs.
func TestNumbers(t *testing.T) {
	databases(t, func(t *testing.T, db database) {
		db.exec(t, "CREATE TABLE ticket (id BIGINT)")
		for n := range 5 {
			db.exec(t, "INSERT INTO ticket VALUES (?)", n)
		}
		statements := []rolecall.Statement{sees}
		for _, id := range []string{"1", "02", "+3", "4 ", "x"} {
			statements = append(statements, rolecall.Grant{Subject: ada, Role: "sees", Scope: rolecall.In("version", id)})
		}
		set := setOf(t, "version", statements...)
		where, err := sqlfilter.Where(set, &sqlfilter.Table{Dialect: db.dialect, Path: []sqlfilter.Level{{Kind: "version", ID: "id", Value: sqlfilter.Int64}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := db.query(t, "SELECT id FROM ticket WHERE "+where.SQL, where.Args...); !slices.Equal(got, []string{"1"}) {
			t.Errorf("WHERE %s %v: rows %q, want [1]", where.SQL, where.Args, got)
		}
	})
}

// A subject with thousands of single versions is no more than a database bears.
func TestManyExceptions(t *testing.T) {
	const many = 2000
	version := func(n int) rolecall.Scope {
		return rolecall.In("project", fmt.Sprint(n)).In("version", fmt.Sprint("v", n))
	}
	statements := []rolecall.Statement{sees}
	for n := range many {
		statements = append(statements, rolecall.Grant{Subject: ada, Role: "sees", Scope: version(n)})
	}
	set := setOf(t, "version", statements...)
	databases(t, func(t *testing.T, db database) {
		db.exec(t, "CREATE TABLE version (project_id VARCHAR(9), id VARCHAR(9))")
		for _, row := range []string{"'0', 'v0'", "'0', 'v1'", "'1999', 'v1999'", "'2000', 'v2000'"} {
			db.exec(t, "INSERT INTO version VALUES ("+row+")")
		}
		where, err := sqlfilter.Where(set, &sqlfilter.Table{Dialect: db.dialect, Path: []sqlfilter.Level{{Kind: "project", ID: "project_id"}, {Kind: "version", ID: "id"}}})
		if err != nil {
			t.Fatalf("Where of %d versions: %v, want no error", many, err)
		}
		if got, want := db.query(t, "SELECT id FROM version WHERE "+where.SQL, where.Args...), []string{"v0", "v1999"}; !slices.Equal(got, want) {
			t.Errorf("rows %q, want %q", got, want)
		}
	})
}

// setOf returns where ada may see something of a kind.
func setOf(t *testing.T, kind rolecall.ScopeKind, statements ...rolecall.Statement) *rolecall.ScopeSet {
	t.Helper()
	s, err := rolecall.NewSnapshot(catalog, statements...)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.At(at).For(ada, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := v.Scopes(kind, see)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A column of UUIDs holds one value for several spellings; only the one in lower case is a scope of theirs.
func TestUUIDs(t *testing.T) {
	const one, other, third = "0b5f21f4-4cf6-4d3a-9a0e-2f3c1d0e9a77", "0b5f21f4-4cf6-4d3a-9a0e-2f3c1d0e9a78", "0b5f21f4-4cf6-4d3a-9a0e-2f3c1d0e9a79"
	statements := []rolecall.Statement{sees}
	for _, id := range []string{one, strings.ToUpper(other), "{" + third + "}"} {
		statements = append(statements, rolecall.Grant{Subject: ada, Role: "sees", Scope: rolecall.In("version", id)})
	}
	set := setOf(t, "version", statements...)
	databases(t, func(t *testing.T, db database) {
		column := map[sqlfilter.Dialect]string{sqlfilter.PostgreSQL: "UUID", sqlfilter.MySQL: "UUID", sqlfilter.SQLite: "TEXT"}[db.dialect]
		db.exec(t, "CREATE TABLE version (id "+column+")")
		for _, id := range []string{one, other, third} {
			db.exec(t, "INSERT INTO version VALUES (?)", id)
		}
		where, err := sqlfilter.Where(set, &sqlfilter.Table{Dialect: db.dialect, Path: []sqlfilter.Level{{Kind: "version", ID: "id", Value: sqlfilter.UUID}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := db.query(t, "SELECT id FROM version WHERE "+where.SQL, where.Args...); !slices.Equal(got, []string{one}) {
			t.Errorf("WHERE %s %v: rows %q, want [%s]", where.SQL, where.Args, got, one)
		}
	})
}
