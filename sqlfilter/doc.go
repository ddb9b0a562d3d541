// Package sqlfilter turns a set of scopes into a condition of SQL, so that a page of things that somebody may see is
// one query over the host's own table, exact and with its own order and limit:
//
//	view, err := snapshot.For(user, nil)
//	…
//	set, err := view.Scopes("version", VersionView)
//	…
//	where, err := sqlfilter.Where(set, &sqlfilter.Table{
//		Dialect: sqlfilter.PostgreSQL,
//		Path: []sqlfilter.Level{
//			{Kind: "project", ID: "v.project_id", Private: "p.private"},
//			{Kind: "version", ID: "v.id"},
//		},
//		Conditions: map[rolecall.Condition]sqlfilter.Expr{
//			"assigned": {SQL: "EXISTS (SELECT 1 FROM assignment a WHERE a.version_id = v.id AND a.user_id = ?)", Args: []any{user.ID()}},
//		},
//	})
//	…
//	rows, err := db.QueryContext(ctx, "SELECT v.id, v.name FROM version v JOIN project p ON p.id = v.project_id WHERE "+
//		where.SQL+" ORDER BY v.created DESC LIMIT 50", where.Args...)
//
// The rows are exactly those whose scope the check allows. The scope of a row is read from its columns: one column
// for each level of the path, below a parent that is the same for all rows.
//
// # What the host promises
//
// Columns named in a Level hold the ids that scopes are built with, byte for byte; a row with NULL in one of them has no
// scope and does not come. A Private expression is true for exactly those scopes that are private in the policy; what it
// cannot tell (NULL) counts as private. A condition's expression says of a row what the host's Facts would say of its scope;
// NULL means that it cannot be said.
//
// # What is bound and what is not
//
// The ids of scopes, which come from the policy, are always bound arguments. The SQL of columns and conditions comes
// from the host and stands in the query as it is: write it in your program, never take it from a request.
//
// # What it does not do
//
// It does not compare without regard to case, and does not follow a path of changing length. A set with an opaque rule,
// or with more exceptions than the database takes arguments, is refused: page through candidates with ScopeSet.Among.
package sqlfilter
