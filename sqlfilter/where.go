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
