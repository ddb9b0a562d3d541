package sqlfilter_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlfilter"
)

var (
	see     = rolecall.NewPermission("version.view")
	ada     = rolecall.User("ada")
	alpha   = rolecall.In("project", "alpha")
	beta    = rolecall.In("project", "beta")
	v1      = alpha.In("version", "1")
	morning = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	viewer  = rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*.view"}}}}
)

func newCatalog(conditions ...rolecall.Condition) *rolecall.Catalog {
	d := rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: see}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "project"}, {Kind: "version"}},
	}
	for _, c := range conditions {
		d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: c})
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		panic(err)
	}
	return c
}

func setOf(t testing.TB, c *rolecall.Catalog, kind rolecall.ScopeKind, statements ...rolecall.Statement) *rolecall.ScopeSet {
	t.Helper()
	s, err := rolecall.NewSnapshot(c, append(statements, viewer)...)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.At(morning).For(ada, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := v.Scopes(kind, see)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func grant(at rolecall.Scope, when rolecall.Condition) rolecall.Grant {
	return rolecall.Grant{Subject: ada, Role: "viewer", Scope: at, When: when}
}

func deny(at rolecall.Scope, when rolecall.Condition) rolecall.Override {
	return rolecall.Override{Subject: ada, Effect: rolecall.Deny, Pattern: "*", Scope: at, When: when}
}

// The text of fragments: short where the answer is, arguments always bound.
func TestWhereText(t *testing.T) {
	projects := sqlfilter.Table{Dialect: sqlfilter.PostgreSQL, Path: []sqlfilter.Level{{Kind: "project", ID: "p.id"}}, ArgsBefore: 2}
	versions := sqlfilter.Table{
		Dialect: sqlfilter.PostgreSQL,
		Path:    []sqlfilter.Level{{Kind: "project", ID: "v.project_id", Private: "p.private"}, {Kind: "version", ID: "v.id"}},
		Conditions: map[rolecall.Condition]sqlfilter.Expr{
			"assigned": {SQL: "EXISTS (SELECT 1 FROM a WHERE a.v = v.id AND a.who = ?)", Args: []any{"ada"}},
			"flagged":  {SQL: "v.flags ?? 'x'"},
		},
		Facts: rolecall.Given{"office-hours"},
	}
	flagged := sqlfilter.Table{Dialect: sqlfilter.PostgreSQL, Path: []sqlfilter.Level{{Kind: "project", ID: "v.id", Private: "v.flags ? 'private'"}}}
	unnumbered := func(table sqlfilter.Table) sqlfilter.Table { table.Unnumbered = true; return table }
	in := func(table sqlfilter.Table, d sqlfilter.Dialect) sqlfilter.Table { table.Dialect = d; return table }
	private := rolecall.PrivateScope{Scope: beta}
	all := rolecall.Grant{Subject: ada, Role: "viewer", Scope: rolecall.Global(), Pierce: true}
	for name, c := range map[string]struct {
		table sqlfilter.Table
		says  []rolecall.Statement
		sql   string
		args  []any
	}{
		"nothing":                        {projects, nil, "1 = 0", nil},
		"everything":                     {projects, []rolecall.Statement{all}, "p.id IS NOT NULL", nil},
		"one":                            {projects, []rolecall.Statement{grant(alpha, "")}, "p.id = $3", []any{"alpha"}},
		"these":                          {projects, []rolecall.Statement{grant(alpha, ""), grant(beta, "")}, "p.id IN ($3, $4)", []any{"alpha", "beta"}},
		"all but one":                    {projects, []rolecall.Statement{all, deny(alpha, "")}, "p.id <> $3", []any{"alpha"}},
		"everything open":                {projects, []rolecall.Statement{grant(rolecall.Global(), ""), private}, "p.id <> $3", []any{"beta"}},
		"open by column":                 {versions, []rolecall.Statement{grant(rolecall.Global(), ""), private}, "(v.project_id IS NOT NULL AND (v.id IS NOT NULL AND NOT (p.private)))", nil},
		"an operator in what is private": {flagged, []rolecall.Statement{grant(rolecall.Global(), ""), private}, "(v.id IS NOT NULL AND NOT (v.flags ? 'private'))", nil},
		"a project but one version": {versions, []rolecall.Statement{grant(alpha, ""), deny(v1, "")},
			"(v.project_id = $1 AND v.id <> $2)", []any{"alpha", "1"}},
		"where a condition holds": {versions, []rolecall.Statement{grant(alpha, "assigned")},
			"(v.project_id = $1 AND (v.id IS NOT NULL AND (EXISTS (SELECT 1 FROM a WHERE a.v = v.id AND a.who = $2))))", []any{"alpha", "ada"}},
		"unless a condition holds": {versions, []rolecall.Statement{grant(alpha, ""), deny(alpha, "flagged")}, "(v.project_id = $1 AND (v.id IS NOT NULL AND NOT (v.flags ? 'x')))", []any{"alpha"}},
		"nearer unless a condition holds": {versions, []rolecall.Statement{grant(alpha, ""), deny(v1, "flagged")},
			"(v.project_id = $1 AND ((v.id = $2 AND NOT (v.flags ? 'x')) OR v.id <> $3))", []any{"alpha", "1", "1"}},
		"a fact that is the same for all": {versions, []rolecall.Statement{grant(alpha, "office-hours")}, "(v.project_id = $1 AND v.id IS NOT NULL)", []any{"alpha"}},
		"unnumbered":                      {unnumbered(projects), []rolecall.Statement{grant(alpha, "")}, "p.id = ?", []any{"alpha"}},
		"SQLite compares byte for byte":   {in(projects, sqlfilter.SQLite), []rolecall.Statement{grant(alpha, "")}, "p.id COLLATE BINARY = ?", []any{"alpha"}},
		"MySQL compares byte for byte, and by an index": {in(projects, sqlfilter.MySQL), []rolecall.Statement{grant(alpha, "")},
			"(p.id = ? AND CAST(CONVERT(p.id USING utf8mb4) AS BINARY) = ?)", []any{"alpha", "alpha"}},
	} {
		t.Run(name, func(t *testing.T) {
			kind := c.table.Path[len(c.table.Path)-1].Kind
			got, err := sqlfilter.Where(setOf(t, newCatalog("assigned", "flagged", "office-hours"), kind, c.says...), &c.table)
			if err != nil {
				t.Fatalf("Where: %v, want no error", err)
			}
			if diff := cmp.Diff(sqlfilter.Fragment{SQL: c.sql, Args: c.args}, got); diff != "" {
				t.Errorf("Where: -want +got:\n%s", diff)
			}
		})
	}
}

// TestWhereOfManyConditions: of a set that any one of many conditions opens, the filter names each a few times.
func TestWhereOfManyConditions(t *testing.T) {
	conditions := make([]rolecall.Condition, 30)
	columns := map[rolecall.Condition]sqlfilter.Expr{}
	for i := range conditions {
		conditions[i] = rolecall.Condition(fmt.Sprint("c", i))
		columns[conditions[i]] = sqlfilter.Expr{SQL: fmt.Sprint("column", i)}
	}
	var statements []rolecall.Statement
	for _, c := range conditions {
		statements = append(statements, grant(rolecall.Global(), c))
	}
	set := setOf(t, newCatalog(conditions...), "project", statements...)
	got, err := sqlfilter.Where(set, &sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: "project", ID: "id"}}, Conditions: columns})
	if n := strings.Count(got.SQL, "column"); err != nil || n > 2*len(conditions) {
		t.Errorf("Where of a set that %d conditions open: %v, %d mentions of conditions; want at most two each", len(conditions), err, n)
	}
}

// TestWhereOfSharedRules: what is left of a rule after each of many conditions is the same however they turn out, so that
// the ways through it are too many to write one by one.
func TestWhereOfSharedRules(t *testing.T) {
	const pairs = 40
	var conditions []rolecall.Condition
	var facts rolecall.Given
	var statements []rolecall.Statement
	columns := map[rolecall.Condition]sqlfilter.Expr{}
	for i := range pairs {
		row, same := rolecall.Condition(fmt.Sprintf("c%02d-row", i)), rolecall.Condition(fmt.Sprintf("c%02d-same", i))
		conditions, facts = append(conditions, row, same), append(facts, same)
		columns[row] = sqlfilter.Expr{SQL: fmt.Sprint("column", i)}
		role := rolecall.Role{Name: rolecall.RoleName(fmt.Sprint("role", i)), Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*"}, When: row}}}
		statements = append(statements, role, rolecall.Grant{Subject: ada, Role: role.Name, Scope: rolecall.Global(), When: same})
	}
	set := setOf(t, newCatalog(conditions...), "project", statements...)
	for _, c := range []struct {
		facts   rolecall.Given
		columns int
	}{{rolecall.Given{}, 0}, {facts[:1], 1}, {facts, pairs}} {
		got, err := sqlfilter.Where(set, &sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: "project", ID: "id"}}, Conditions: columns, Facts: c.facts})
		if n := strings.Count(got.SQL, "column"); err != nil || n != c.columns {
			t.Errorf("Where of %d pairs of conditions, %d of them open: got %d mentions of columns and %v, want %d", pairs, len(c.facts), n, err, c.columns)
		}
	}
}

// A table that does not fit, and a set that does not fit into a query, are refused.
func TestWhereRefuses(t *testing.T) {
	many := []rolecall.Condition{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"}
	c := newCatalog(many...)
	plain := setOf(t, c, "project", grant(alpha, "c0"))
	var crowded []rolecall.Statement
	for _, one := range many {
		crowded = append(crowded, grant(alpha, one), deny(alpha, one))
	}
	var wide []rolecall.Statement
	for i := range 40_000 {
		wide = append(wide, grant(rolecall.In("project", fmt.Sprint(i)), ""))
	}
	path := []sqlfilter.Level{{Kind: "project", ID: "id"}}
	answered := map[rolecall.Condition]sqlfilter.Expr{"c0": {SQL: "open"}}
	for name, x := range map[string]struct {
		set   *rolecall.ScopeSet
		table sqlfilter.Table
		code  rolecall.Code
	}{
		"no set":                                     {nil, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path}, rolecall.ErrInvalid},
		"no dialect":                                 {plain, sqlfilter.Table{Path: path, Conditions: answered}, rolecall.ErrInvalid},
		"another kind":                               {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: "version", ID: "id"}}}, rolecall.ErrInvalid},
		"a misspelled level":                         {setOf(t, c, "version", grant(alpha, "")), sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: "projct", ID: "p"}, {Kind: "version", ID: "id"}}}, rolecall.ErrUnknown},
		"a level without a kind":                     {setOf(t, c, "version", grant(alpha, "")), sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{ID: "p"}, {Kind: "version", ID: "id"}}}, rolecall.ErrUnknown},
		"the whole instance as a level":              {setOf(t, c, "version", grant(alpha, "")), sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: rolecall.GlobalKind, ID: "p"}, {Kind: "version", ID: "id"}}}, rolecall.ErrUnknown},
		"a misspelled condition":                     {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path, Conditions: map[rolecall.Condition]sqlfilter.Expr{"c00": {SQL: "open"}}, Facts: rolecall.Given{"c0"}}, rolecall.ErrUnknown},
		"no column":                                  {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: "project"}}}, rolecall.ErrInvalid},
		"a condition that nobody answers":            {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path}, rolecall.ErrUnknown},
		"a misspelled fact":                          {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path, Facts: rolecall.Given{"c00"}}, rolecall.ErrUnknown},
		"a question mark among unnumbered arguments": {plain, sqlfilter.Table{Dialect: sqlfilter.PostgreSQL, Path: path, Unnumbered: true, Conditions: map[rolecall.Condition]sqlfilter.Expr{"c0": {SQL: "flags ?? 'x'"}}}, rolecall.ErrInvalid},
		"an unnumbered argument in an id":            {plain, sqlfilter.Table{Dialect: sqlfilter.PostgreSQL, Unnumbered: true, Path: []sqlfilter.Level{{Kind: "project", ID: "p.id = ?"}}, Conditions: answered}, rolecall.ErrInvalid},
		"an unnumbered argument in what is private":  {plain, sqlfilter.Table{Dialect: sqlfilter.PostgreSQL, Unnumbered: true, Path: []sqlfilter.Level{{Kind: "project", ID: "id", Private: "flags ? 'x'"}}, Conditions: answered}, rolecall.ErrInvalid},
		"an argument in an id for SQLite":            {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: "project", ID: "coalesce(id, ?)"}}, Conditions: answered}, rolecall.ErrInvalid},
		"an argument in what is private for MySQL":   {plain, sqlfilter.Table{Dialect: sqlfilter.MySQL, Path: []sqlfilter.Level{{Kind: "project", ID: "id", Private: "owner <> ?"}}, Conditions: answered}, rolecall.ErrInvalid},
		"an argument too few":                        {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path, Conditions: map[rolecall.Condition]sqlfilter.Expr{"c0": {SQL: "a = ?"}}}, rolecall.ErrInvalid},
		"an undeclared parent":                       {plain, sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path, Parent: rolecall.In("shelf", "x"), Conditions: answered}, rolecall.ErrUnknown},
		"too many conditions":                        {setOf(t, c, "project", crowded...), sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path, Facts: rolecall.Given{}}, rolecall.ErrLimit},
		"too many arguments":                         {setOf(t, c, "project", wide...), sqlfilter.Table{Dialect: sqlfilter.SQLite, Path: path}, rolecall.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sqlfilter.Where(x.set, &x.table)
			if !errors.Is(err, x.code) || got.SQL != "" {
				t.Errorf("Where = %q, %v; want nothing and %s", got.SQL, err, x.code)
			}
		})
	}
}

// A misspelled condition is told with the declared one.
func TestWhereSuggestsACondition(t *testing.T) {
	c := newCatalog("published")
	_, err := sqlfilter.Where(setOf(t, c, "project", viewer), &sqlfilter.Table{
		Dialect: sqlfilter.SQLite, Path: []sqlfilter.Level{{Kind: "project", ID: "id"}}, Facts: rolecall.Given{"publised"},
	})
	if !errors.Is(err, rolecall.ErrUnknown) || !strings.Contains(err.Error(), `did you mean "published"`) {
		t.Errorf("Where = %v, want unknown, and published", err)
	}
}

// Only canonical spellings become numbers and UUIDs.
func TestValues(t *testing.T) {
	uuid := "0b5f21f4-4cf6-4d3a-9a0e-2f3c1d0e9a77"
	for id, want := range map[string]any{"7": int64(7), "-7": int64(-7), "07": nil, "+7": nil, "7 ": nil, "": nil, "x": nil, "99999999999999999999": nil} {
		if got, ok := sqlfilter.Int64(id); ok != (want != nil) || ok && got != want {
			t.Errorf("Int64(%q) = %v, %t, want %v", id, got, ok, want)
		}
	}
	for id, want := range map[string]bool{uuid: true, strings.ToUpper(uuid): false, "{" + uuid + "}": false, strings.ReplaceAll(uuid, "-", ""): false, "": false} {
		if _, ok := sqlfilter.UUID(id); ok != want {
			t.Errorf("UUID(%q): %t, want %t", id, ok, want)
		}
	}
}

// A page of versions: what Ada may see, newest first, in one query.
func ExampleWhere() {
	catalog := newCatalog("published")
	snapshot, err := rolecall.NewSnapshot(catalog, viewer,
		grant(rolecall.Global(), "published"),
		grant(alpha, ""),
		rolecall.PrivateScope{Scope: beta},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	view, err := snapshot.At(morning).For(ada, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := view.Scopes("version", see)
	if err != nil {
		fmt.Println(err)
		return
	}
	where, err := sqlfilter.Where(set, &sqlfilter.Table{
		Dialect: sqlfilter.PostgreSQL,
		Path: []sqlfilter.Level{
			{Kind: "project", ID: "v.project_id", Private: "p.private"},
			{Kind: "version", ID: "v.id", Private: "v.private"},
		},
		Conditions: map[rolecall.Condition]sqlfilter.Expr{"published": {SQL: "v.published_at < ?", Args: []any{morning}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	query := "SELECT v.id, v.name FROM version v JOIN project p ON p.id = v.project_id WHERE " + where.SQL + " ORDER BY v.created DESC LIMIT 50"
	fmt.Println(len(where.Args), "arguments, to be given to QueryContext with this text:")
	fmt.Println(strings.NewReplacer(" FROM", "\nFROM", " WHERE", "\nWHERE", " OR ", "\n   OR ", " ORDER", "\nORDER").Replace(query))
	// Output:
	// 3 arguments, to be given to QueryContext with this text:
	// SELECT v.id, v.name
	// FROM version v JOIN project p ON p.id = v.project_id
	// WHERE ((v.project_id = $1 AND (v.id IS NOT NULL AND NOT (v.private)))
	//    OR (v.project_id <> $2 AND (v.id IS NOT NULL AND ((NOT (p.private) AND NOT (v.private)) AND (v.published_at < $3)))))
	// ORDER BY v.created DESC LIMIT 50
}
