package sqlfilter

import (
	"strconv"

	"github.com/rolecall-go/rolecall"
)

// A Dialect is a database's way of writing SQL. The zero Dialect is refused.
type Dialect uint8

// The dialects.
const (
	PostgreSQL Dialect = iota + 1 // $1
	SQLite                        // ?
	MySQL                         // ?, MySQL 8 and MariaDB
)

// String returns the name of the database.
func (d Dialect) String() string {
	switch d {
	case PostgreSQL:
		return "PostgreSQL"
	case SQLite:
		return "SQLite"
	case MySQL:
		return "MySQL"
	}
	return "no dialect"
}

// limit is how many arguments one statement may have.
func (d Dialect) limit() int {
	if d == SQLite {
		return 32766
	}
	return 65535
}

// A Table describes the host's table or join, one row a scope.
type Table struct {
	Dialect Dialect
	// Parent is the scope in which all rows are; the zero Parent is Global().
	Parent rolecall.Scope
	// Path tells the segments of a row's scope below Parent, from the top. Their kinds are declared, and that of the last
	// one is the kind of the set.
	Path []Level
	// Conditions answer conditions row by row. All of them are declared.
	Conditions map[rolecall.Condition]Expr
	// Facts answer, once, the conditions that are not in Conditions because they are the same for every row, such as
	// office hours. Where Facts is nil every condition in play must be in Conditions.
	Facts rolecall.Facts
	// ArgsBefore is how many arguments of the query come before those of the fragment. It matters to PostgreSQL, where
	// arguments are numbered.
	ArgsBefore int
	// Unnumbered has arguments written as ? in every dialect, for what numbers them itself once the query is whole, as
	// the Rebind of sqlx and query builders do. ArgsBefore does not matter then.
	Unnumbered bool
}

// numbered says whether arguments are written with their numbers, so that a question mark is none.
func (t *Table) numbered() bool { return t.Dialect == PostgreSQL && !t.Unnumbered }

// A Level is one segment of the scope of a row. Its SQL has no arguments, and no question mark but for PostgreSQL with
// numbered arguments.
type Level struct {
	Kind rolecall.ScopeKind
	// ID is the SQL of the id, usually a column.
	ID string
	// Private is SQL that is true where the scope of this level is private in the policy. Where it is empty, private
	// scopes are listed one by one, which costs a look at each scope that the policy names.
	Private string
	// Value turns an id of the policy into a value of the column, and reports false where no row can have it. A nil
	// Value is for columns of text. Use Int64 and UUID for columns of these types, since such columns hold one value for
	// several spellings.
	Value func(id string) (any, bool)
}

// An Expr is SQL with arguments: each ? is one of them, in every dialect; ?? writes a question mark.
type Expr struct {
	SQL  string
	Args []any
}

// Int64 is the Value of a column of whole numbers: an id counts where it is spelled as strconv.FormatInt would.
func Int64(id string) (any, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == id
}

// UUID is the Value of a column of type uuid: an id counts where it is spelled in lower case with four hyphens, as
// PostgreSQL prints it.
func UUID(id string) (any, bool) {
	if len(id) != 36 {
		return nil, false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return nil, false
			}
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		default:
			return nil, false
		}
	}
	return id, true
}
