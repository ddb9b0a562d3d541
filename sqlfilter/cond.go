package sqlfilter

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A cond is a condition of SQL whose arguments are marked. It can be put beside AND and OR as it is. It may be NULL, and
// NULL always means no: nothing here is negated but what the host wrote.
type cond struct {
	sql  string
	args []any
}

// mark stands for an argument until the fragment is finished.
const mark = '\x00'

var (
	always = cond{sql: "1 = 1"}
	never  = cond{sql: "1 = 0"}
)

func (c cond) isAlways() bool { return c.sql == always.sql }
func (c cond) isNever() bool  { return c.sql == never.sql }

func (c cond) equal(other cond) bool {
	return c.sql == other.sql && len(c.args) == len(other.args) && (len(c.args) == 0 || reflect.DeepEqual(c.args, other.args))
}

// key is the same for equal conditions, and mostly different for others.
func (c cond) key() string { return c.sql + fmt.Sprintln(c.args...) }

func (c cond) not() cond { return cond{"NOT " + c.sql, c.args} }

func and(a, b cond) cond {
	switch {
	case a.isNever() || b.isAlways():
		return a
	case b.isNever() || a.isAlways():
		return b
	}
	return cond{"(" + a.sql + " AND " + b.sql + ")", slices.Concat(a.args, b.args)}
}

func or(ways []cond) cond {
	var sql []string
	var args []any
	for _, c := range ways {
		if c.isAlways() {
			return always
		}
		if !c.isNever() {
			sql = append(sql, c.sql)
			args = append(args, c.args...)
		}
	}
	if len(sql) == 0 {
		return never
	}
	return cond{join(sql), args}
}

// together is how many ways stand in one pair of parentheses. Databases bound how deep an expression may be, SQLite at 1000,
// and count each OR of a chain; so a long chain is written as a chain of chains.
const together = 16

func join(ways []string) string {
	for len(ways) > together {
		var fewer []string
		for chunk := range slices.Chunk(ways, together) {
			fewer = append(fewer, join(chunk))
		}
		ways = fewer
	}
	if len(ways) == 1 {
		return ways[0]
	}
	return "(" + strings.Join(ways, " OR ") + ")"
}

// choose is a where c is true, b where it is false or NULL.
func choose(c, a, b cond) cond {
	switch {
	case a.equal(b):
		return a
	case b.isNever():
		return and(c, a)
	}
	return cond{"CASE WHEN " + c.sql + " THEN " + a.sql + " ELSE " + b.sql + " END", slices.Concat(c.args, a.args, b.args)}
}

// cases is h where c is true, f where it is false, u where it is NULL.
func cases(c, h, f, u cond) cond {
	return cond{
		"CASE WHEN " + c.sql + " THEN " + h.sql + " WHEN " + c.not().sql + " THEN " + f.sql + " ELSE " + u.sql + " END",
		slices.Concat(c.args, h.args, c.args, f.args, u.args),
	}
}

// listed compares a column with one value or a list of them.
func listed(column, one, many string, values []any) cond {
	if len(values) == 1 {
		return cond{column + " " + one + " " + string(mark), values}
	}
	marks := strings.Repeat(", "+string(mark), len(values))[2:]
	return cond{column + " " + many + " (" + marks + ")", values}
}
