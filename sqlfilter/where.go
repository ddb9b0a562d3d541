package sqlfilter

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/suggest"
)

// A Fragment is a condition to be put after WHERE, ON or AND, and the arguments it binds, in their order.
type Fragment struct {
	SQL  string
	Args []any
}

// maxSQL bounds the length of a fragment.
const maxSQL = 1 << 20

// Where returns the condition that a row is in the set. Its error is a *rolecall.Problem: invalid where the table is
// described wrongly, unknown where it names a kind or a condition that the catalog does not declare or where nothing
// answers a condition in play, limit where the set is too large for one query or has an opaque rule. Each part of the
// set's rules is worked out once, and no fragment is longer than a megabyte.
func Where(set *rolecall.ScopeSet, t *Table) (Fragment, error) {
	w := writer{table: t, told: map[rolecall.Condition]answer{}, written: map[rolecall.Condition][]written{}}
	if err := w.check(set); err != nil {
		return Fragment{}, err
	}
	at, err := w.tree(set)
	if err != nil {
		return Fragment{}, err
	}
	c, err := w.level(0, at, state{open: at.open, private: at.private})
	if err != nil {
		return Fragment{}, err
	}
	if n := len(c.args) + t.ArgsBefore; n > t.Dialect.limit() {
		return Fragment{}, refuse(rolecall.ErrLimit, "", "%d arguments are more than %s takes in one query; page through candidates with Among", n, t.Dialect)
	}
	return Fragment{w.number(c.sql), c.args}, nil
}

func refuse(code rolecall.Code, word, format string, args ...any) error {
	return &rolecall.Problem{Code: code, Place: "filter", Word: word, Detail: fmt.Sprintf(format, args...)}
}

// A writer writes one fragment.
type writer struct {
	table   *Table
	told    map[rolecall.Condition]answer
	written map[rolecall.Condition][]written // by the condition that the rule asks first
}

// written is a rule and what was written for it.
type written struct {
	rule rolecall.ScopeRule
	cond cond
}

// check refuses a table that does not fit the set.
func (w *writer) check(set *rolecall.ScopeSet) error {
	t := w.table
	if set == nil || t == nil {
		return refuse(rolecall.ErrInvalid, "", "a filter needs a set and a table")
	}
	if t.Dialect.String() == "no dialect" {
		return refuse(rolecall.ErrInvalid, "", "a table needs a dialect: PostgreSQL, SQLite or MySQL")
	}
	if len(t.Path) == 0 || t.Path[len(t.Path)-1].Kind != set.Kind() {
		return refuse(rolecall.ErrInvalid, string(set.Kind()), "the path of a table ends with a level of the kind of the set")
	}
	declared := set.Catalog().Declarations()
	for _, l := range t.Path {
		if err := l.check(t, declared.ScopeKinds); err != nil {
			return err
		}
	}
	// A misspelled name in either would leave a condition of the policy to the other, or to nobody.
	given, _ := t.Facts.(rolecall.Given)
	return checkConditions(declared.Conditions, slices.Concat(slices.Sorted(maps.Keys(t.Conditions)), given))
}

// check refuses a level that no row is at, since what the policy says there would be left out of the filter, and SQL with
// what would be taken for an argument.
func (l Level) check(t *Table, declared []rolecall.ScopeKindDecl) error {
	known := func(d rolecall.ScopeKindDecl) bool { return d.Kind == l.Kind }
	switch {
	case !slices.ContainsFunc(declared, known):
		return refuse(rolecall.ErrUnknown, string(l.Kind), "no such scope kind is declared")
	case strings.TrimSpace(l.ID) == "":
		return refuse(rolecall.ErrInvalid, string(l.Kind), "a level needs the SQL of its id")
	}
	for _, sql := range []string{l.ID, l.Private} {
		switch {
		case strings.ContainsRune(sql, mark):
			return refuse(rolecall.ErrInvalid, sql, "SQL contains no NUL")
		case !t.numbered() && strings.Contains(sql, "?"):
			return refuse(rolecall.ErrInvalid, sql, "a level has no arguments, and a question mark cannot be told from one")
		}
	}
	return nil
}

// checkConditions refuses a misspelled condition, as a check does.
func checkConditions(declared []rolecall.ConditionDecl, names []rolecall.Condition) error {
	var known []string
	for _, d := range declared {
		known = append(known, string(d.Condition))
	}
	for _, c := range names {
		if !slices.Contains(known, string(c)) {
			return refuse(rolecall.ErrUnknown, string(c), "no such condition is declared%s", suggest.DidYouMean(suggest.Nearest(string(c), known)))
		}
	}
	return nil
}

// A spot is a scope below the parent that the set singles out, or one on the way to such a scope.
type spot struct {
	id      string
	region  bool // it has rules of its own
	open    rolecall.ScopeRule
	private rolecall.ScopeRule
	closes  bool // it is a private scope, known from the policy
	inside  []*spot
	byID    map[string]*spot
}

// tree arranges what the set singles out in the shape of the table. Its root is the parent.
func (w *writer) tree(set *rolecall.ScopeSet) (*spot, error) {
	parent := w.table.Parent
	if parent.IsZero() {
		parent = rolecall.Global()
	}
	l, err := set.In(parent)
	if err != nil {
		return nil, err
	}
	root := &spot{open: l.Default(), private: l.Private()}
	listed := false
	for r := range set.Regions(rolecall.Scope{}) {
		listed = listed || !r.Open.Equal(r.Private)
		if at := w.place(root, parent, r.Scope); at != nil {
			at.region, at.open, at.private = true, r.Open, r.Private
		}
	}
	if !listed || !slices.ContainsFunc(w.table.Path, func(l Level) bool { return l.Private == "" }) {
		return root, nil
	}
	for p := range set.PrivateScopes(rolecall.Scope{}) {
		depth := p.Depth() - parent.Depth()
		if depth < 1 || depth > len(w.table.Path) || w.table.Path[depth-1].Private != "" {
			continue
		}
		if at := w.place(root, parent, p); at != nil {
			at.closes = true
		}
	}
	return root, nil
}

// place returns the spot of a scope that rows can be at or in, nil for any other.
func (w *writer) place(root *spot, parent, t rolecall.Scope) *spot {
	depth := t.Depth() - parent.Depth()
	if depth < 1 || depth > len(w.table.Path) || !parent.Contains(t) {
		return nil
	}
	var ids []string
	n := 0
	for kind, id := range t.Segments() {
		if n++; n <= parent.Depth() {
			continue
		}
		if kind != w.table.Path[len(ids)].Kind {
			return nil
		}
		ids = append(ids, id)
	}
	at := root
	for _, id := range ids {
		at = at.child(id)
	}
	return at
}

func (s *spot) child(id string) *spot {
	if found := s.byID[id]; found != nil {
		return found
	}
	if s.byID == nil {
		s.byID = map[string]*spot{}
	}
	c := &spot{id: id}
	s.byID[id] = c
	s.inside = append(s.inside, c)
	return c
}

// A state is what holds on the way down: the rules of the region, and the columns that tell whether a private scope
// has been passed since.
type state struct {
	open, private rolecall.ScopeRule
	closers       []string
}

// enter goes down into a scope of a level; at is nil for all that the set does not single out.
func (s state) enter(l Level, at *spot) state {
	switch {
	case at != nil && at.region:
		return state{open: at.open, private: at.private}
	case at != nil && at.closes:
		return state{open: s.private, private: s.private}
	case l.Private != "" && !s.open.Equal(s.private):
		s.closers = append(slices.Clip(s.closers), l.Private)
	}
	return s
}

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

// leaf writes the rules at the end of the path.
func (w *writer) leaf(s state) (cond, error) {
	open, err := w.rule(s.open)
	if err != nil || len(s.closers) == 0 || s.open.Equal(s.private) {
		return open, err
	}
	private, err := w.rule(s.private)
	if err != nil {
		return cond{}, err
	}
	passable := always
	for _, sql := range s.closers {
		passable = and(passable, cond{sql: "NOT (" + sql + ")"})
	}
	return choose(passable, open, private), nil
}

// rule writes one rule. What many ways through rules have in common is written once.
func (w *writer) rule(r rolecall.ScopeRule) (cond, error) {
	switch {
	case r.Always():
		return always, nil
	case r.Never():
		return never, nil
	case r.Opaque():
		return cond{}, refuse(rolecall.ErrLimit, "", "too many conditions are in play for a filter; page through candidates with Among")
	}
	name, ifHolds, ifFails, ifUnknown, _ := r.Split()
	for _, known := range w.written[name] {
		if known.rule.Equal(r) {
			return known.cond, nil
		}
	}
	c, err := w.branch(name, ifHolds, ifFails, ifUnknown)
	if err == nil {
		w.written[name] = append(w.written[name], written{r, c})
	}
	return c, err
}

// branch writes a rule that asks a condition first.
func (w *writer) branch(name rolecall.Condition, ifHolds, ifFails, ifUnknown rolecall.ScopeRule) (cond, error) {
	if sql, ok := w.table.Conditions[name]; ok {
		return w.split(name, sql, ifHolds, ifFails, ifUnknown)
	}
	if w.table.Facts == nil {
		return cond{}, refuse(rolecall.ErrUnknown, string(name), "neither Conditions nor Facts of the table answers this condition")
	}
	switch w.ask(name) {
	case holds:
		return w.rule(ifHolds)
	case fails:
		return w.rule(ifFails)
	}
	return w.rule(ifUnknown)
}

// split writes a rule that depends on a condition of the row.
func (w *writer) split(name rolecall.Condition, sql Expr, ifHolds, ifFails, ifUnknown rolecall.ScopeRule) (cond, error) {
	c, err := host(name, sql)
	if err != nil {
		return cond{}, err
	}
	if w.table.Unnumbered && strings.Contains(c.sql, "?") {
		return cond{}, refuse(rolecall.ErrInvalid, string(name), "a question mark cannot be told from an argument where these are unnumbered")
	}
	h, err := w.rule(ifHolds)
	if err != nil {
		return cond{}, err
	}
	f, err := w.rule(ifFails)
	if err != nil {
		return cond{}, err
	}
	u := f // written once: twice in each of many conditions were too often
	if !ifUnknown.Equal(ifFails) {
		if u, err = w.rule(ifUnknown); err != nil {
			return cond{}, err
		}
	}
	n := 2*len(c.sql) + len(h.sql) + len(f.sql) + len(u.sql)
	switch {
	case n > maxSQL:
		return cond{}, refuse(rolecall.ErrLimit, "", "the filter would be longer than a megabyte; page through candidates with Among")
	case f.isNever() && u.isNever():
		return and(c, h), nil
	case h.isNever() && u.isNever():
		return and(c.not(), f), nil
	case f.equal(u):
		return choose(c, h, f), nil
	}
	return cases(c, h, f, u), nil
}

// number writes the placeholders of the dialect.
func (w *writer) number(sql string) string {
	if !w.table.numbered() {
		return strings.ReplaceAll(sql, string(mark), "?")
	}
	var b strings.Builder
	n := w.table.ArgsBefore
	for {
		before, after, found := strings.Cut(sql, string(mark))
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
		sql = after
	}
}
