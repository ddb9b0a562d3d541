package sqlfilter

import (
	"strings"

	"github.com/rolecall-go/rolecall"
)

// The columns of a row's scope, compared from the top down with what is singled out.

// level returns the condition that a row is in the set, for rows of which the levels before i are known.
func (w *writer) level(i int, at *spot, s state) (cond, error) {
	if i == len(w.table.Path) {
		return w.leaf(s)
	}
	l := w.table.Path[i]
	rest, err := w.level(i+1, nil, s.enter(l, nil))
	if err != nil {
		return cond{}, err
	}
	x := exceptions{rest: rest}
	if at != nil {
		for _, inner := range at.inside {
			c, err := w.level(i+1, inner, s.enter(l, inner))
			if err != nil {
				return cond{}, err
			}
			x.add(l, inner.id, c)
		}
	}
	l.ID = operand(l.ID)
	c := w.column(l, x)
	if len(c.sql) > maxSQL {
		return cond{}, refuse(rolecall.ErrLimit, "", "the filter would be longer than a megabyte; page through candidates with Among")
	}
	return c, nil
}

// exceptions are the values of a column for which something else holds than for the rest, those that share a condition
// together.
type exceptions struct {
	rest   cond
	groups []group
	byKey  map[string][]int // of groups
	all    []any
}

type group struct {
	when   cond
	values []any
}

func (x *exceptions) add(l Level, id string, c cond) {
	if c.equal(x.rest) {
		return
	}
	value, ok := any(id), true
	if l.Value != nil {
		value, ok = l.Value(id)
	}
	if !ok {
		return
	}
	x.all = append(x.all, value)
	if c.isNever() {
		return
	}
	g := x.group(c)
	g.values = append(g.values, value)
}

// group returns the group of a condition.
func (x *exceptions) group(c cond) *group {
	key := c.key()
	for _, i := range x.byKey[key] {
		if x.groups[i].when.equal(c) {
			return &x.groups[i]
		}
	}
	if x.byKey == nil {
		x.byKey = map[string][]int{}
	}
	x.byKey[key] = append(x.byKey[key], len(x.groups))
	x.groups = append(x.groups, group{when: c})
	return &x.groups[len(x.groups)-1]
}

// column puts together what holds for the values of one column. Where it is NULL the row has no scope, and nothing holds.
func (w *writer) column(l Level, x exceptions) cond {
	var ways []cond
	for _, g := range x.groups {
		ways = append(ways, and(w.in(l, g.values), g.when))
	}
	if len(x.all) > 0 {
		ways = append(ways, and(w.notIn(l, x.all), x.rest))
	} else {
		ways = append(ways, and(cond{sql: l.ID + " IS NOT NULL"}, x.rest))
	}
	return or(ways)
}

// operand puts SQL that is more than a name in parentheses.
func operand(sql string) string {
	plain := func(r rune) bool {
		return r == '.' || r == '_' || r == '"' || r == '`' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if strings.TrimFunc(sql, plain) == "" {
		return sql
	}
	return "(" + sql + ")"
}

// in compares exactly, and by what an index can serve.
func (w *writer) in(l Level, values []any) cond {
	exact := listed(w.exact(l), "=", "IN", values)
	if w.table.Dialect == MySQL && l.Value == nil {
		return and(listed(l.ID, "=", "IN", values), exact)
	}
	return exact
}

func (w *writer) notIn(l Level, values []any) cond {
	return listed(w.exact(l), "<>", "NOT IN", values)
}

// exact writes a column of text so that it is compared byte for byte, whatever its collation.
func (w *writer) exact(l Level) string {
	switch {
	case l.Value != nil:
		return l.ID
	case w.table.Dialect == SQLite:
		return l.ID + " COLLATE BINARY"
	case w.table.Dialect == MySQL:
		return "CAST(CONVERT(" + l.ID + " USING utf8mb4) AS BINARY)"
	}
	return l.ID
}
