package sqlfilter

import (
	"strings"

	"github.com/rolecall-go/rolecall"
)

// Rules as SQL, and the conditions that they ask.

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

// host reads the host's SQL of a condition.
func host(name rolecall.Condition, e Expr) (cond, error) {
	var b strings.Builder
	b.WriteByte('(')
	n := 0
	for i := 0; i < len(e.SQL); i++ {
		switch c := e.SQL[i]; {
		case c == mark:
			return cond{}, refuse(rolecall.ErrInvalid, string(name), "SQL contains no NUL")
		case c == '?' && i+1 < len(e.SQL) && e.SQL[i+1] == '?':
			b.WriteByte('?')
			i++
		case c == '?':
			b.WriteByte(mark)
			n++
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(')')
	if strings.TrimSpace(e.SQL) == "" || n != len(e.Args) {
		return cond{}, refuse(rolecall.ErrInvalid, string(name), "the SQL of this condition has %d question marks and %d arguments", n, len(e.Args))
	}
	return cond{b.String(), e.Args}, nil
}

// An answer is what the table's Facts say of a condition.
type answer uint8

const (
	holds = answer(iota + 1)
	fails
	unknown
)

// ask asks the table's Facts once a condition.
func (w *writer) ask(c rolecall.Condition) answer {
	if w.told[c] == 0 {
		w.told[c] = w.askFacts(c)
	}
	return w.told[c]
}

// askFacts turns an error or a panic of the host's code into "cannot say".
func (w *writer) askFacts(c rolecall.Condition) (a answer) {
	defer func() {
		if recover() != nil {
			a = unknown
		}
	}()
	switch ok, err := w.table.Facts.Holds(c); {
	case err != nil:
		return unknown
	case ok:
		return holds
	}
	return fails
}
