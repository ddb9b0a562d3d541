package draw

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// A table is an explanation laid out: rows of holders, columns of places, cards in the cells.
type table struct {
	explanation rolecall.Explanation
	holders     []holder
	places      []rolecall.Scope
	cards       []*card
}

type holder struct {
	subject rolecall.Subject
	path    []rolecall.Subject
}

// A card is one finding in the table.
type card struct {
	rolecall.Finding
	row, column int
	winner      *card // what overrode it, nil where nothing drawn did
	lines       []string
	full        string

	x, y, height int
}

func layOut(e rolecall.Explanation) *table {
	t := &table{explanation: e}
	d := e.Decision()
	findings := slices.Concat(d.Deciding(), d.Losing())
	t.findHolders(d.Request().Subject, findings)
	t.findPlaces(d.Request().Scope, findings)
	for _, f := range findings {
		t.cards = append(t.cards, t.card(f))
	}
	for _, c := range t.cards {
		if c.By == nil {
			continue
		}
		key := rolecall.KeyOf(c.By)
		for _, other := range t.cards {
			if other != c && rolecall.KeyOf(other.Statement) == key {
				c.winner = other
			}
		}
	}
	return t
}

// findHolders lists the subject, then the others by the length of the way to them, Everyone last.
func (t *table) findHolders(self rolecall.Subject, findings []rolecall.Finding) {
	t.holders = []holder{{self, []rolecall.Subject{self}}}
	for _, f := range findings {
		if !slices.ContainsFunc(t.holders, func(h holder) bool { return h.subject == f.Holder }) {
			t.holders = append(t.holders, holder{f.Holder, f.Path})
		}
	}
	slices.SortFunc(t.holders[1:], func(a, b holder) int {
		return cmp.Or(a.distance()-b.distance(), a.subject.Compare(b.subject))
	})
}

// distance is how far a holder stands from the subject.
func (h holder) distance() int {
	if h.subject == rolecall.Everyone() {
		return math.MaxInt
	}
	return len(h.path)
}

// findPlaces lists the places that are spoken of, and the target, from the outside in.
func (t *table) findPlaces(target rolecall.Scope, findings []rolecall.Finding) {
	t.places = []rolecall.Scope{target}
	for _, f := range findings {
		for _, at := range []rolecall.Scope{t.placeOf(f, target), f.Where} {
			if !at.IsZero() && !slices.Contains(t.places, at) {
				t.places = append(t.places, at)
			}
		}
	}
	slices.SortFunc(t.places, func(a, b rolecall.Scope) int { return a.Depth() - b.Depth() })
}

// placeOf returns where a statement stands; a suspension stands everywhere and is drawn at the target.
func (t *table) placeOf(f rolecall.Finding, target rolecall.Scope) rolecall.Scope {
	switch s := f.Statement.(type) {
	case rolecall.Grant:
		return s.Scope
	case rolecall.Override:
		return s.Scope
	}
	return target
}

func (t *table) card(f rolecall.Finding) *card {
	c := &card{Finding: f}
	c.row = slices.IndexFunc(t.holders, func(h holder) bool { return h.subject == f.Holder })
	c.column = slices.Index(t.places, t.placeOf(f, t.explanation.Decision().Request().Scope))
	c.lines = append(says(f), f.Fate.String())
	if origin, err := t.explanation.Origin(rolecall.KeyOf(f.Statement)); err == nil {
		c.lines = append(c.lines, made(origin)...)
	}
	c.full = f.String()
	for _, key := range on(f) {
		if origin, err := t.explanation.Origin(key); err == nil {
			c.full += "\n" + key.String() + ": " + origin.String()
		}
	}
	return c
}

// made tells who made a statement what it is, and beneath when and why.
func made(o rolecall.Origin) []string {
	who := rolecall.Origin{Revision: o.Revision, Meta: rolecall.Meta{Actor: o.Actor, OnBehalf: o.OnBehalf}}
	lines := []string{who.String()}
	if !o.Time.IsZero() {
		lines = append(lines, rolecall.FormatTime(o.Time))
	}
	if o.Reason != "" {
		lines = append(lines, o.Reason)
	}
	return lines
}

// on returns the keys of what a finding rests on.
func on(f rolecall.Finding) []rolecall.StatementKey {
	keys := []rolecall.StatementKey{rolecall.KeyOf(f.Statement)}
	for i := 1; i < len(f.Path); i++ {
		if f.Path[i] != rolecall.Everyone() {
			keys = append(keys, rolecall.KeyOf(rolecall.Membership{Member: f.Path[i-1], Group: f.Path[i]}))
		}
	}
	if f.Role != "" {
		keys = append(keys, rolecall.KeyOf(rolecall.Role{Name: f.Role}))
	}
	return keys
}

// says tells what a finding says, and through what.
func says(f rolecall.Finding) []string {
	switch s := f.Statement.(type) {
	case rolecall.Grant:
		lines := []string{verb(f) + " by role " + string(s.Role)}
		if f.Rule != nil && f.Role != s.Role {
			lines = append(lines, "rule of "+string(f.Role)+": "+f.Rule.String())
		} else if f.Rule != nil {
			lines = append(lines, "rule: "+f.Rule.String())
		}
		return append(lines, words(marks(s.Replace, s.Pierce, s.Eligible), s.When, s.Window)...)
	case rolecall.Override:
		return append([]string{verb(f) + " " + string(s.Pattern)}, words(nil, s.When, s.Window)...)
	}
	return []string{"suspended"}
}

func verb(f rolecall.Finding) string {
	if f.Effect == 0 {
		return "replace"
	}
	return f.Effect.String()
}

func marks(replace, pierce, eligible bool) []string {
	var list []string
	for _, m := range []struct {
		set  bool
		word string
	}{{replace, "replace"}, {pierce, "pierce"}, {eligible, "eligible"}} {
		if m.set {
			list = append(list, m.word)
		}
	}
	return list
}

// words writes what else a statement says on one line, none where it says no more.
func words(list []string, when rolecall.Condition, w rolecall.Window) []string {
	if when != "" {
		list = append(list, "when "+string(when))
	}
	if !w.NotBefore.IsZero() {
		list = append(list, "from "+rolecall.FormatTime(w.NotBefore))
	}
	if !w.NotAfter.IsZero() {
		list = append(list, "until "+rolecall.FormatTime(w.NotAfter))
	}
	if len(list) == 0 {
		return nil
	}
	return []string{strings.Join(list, " ")}
}

// title names a place, and says where it is private and that matters.
func (t *table) title(at rolecall.Scope) string {
	for _, c := range t.cards {
		if c.Fate == rolecall.StoppedByPrivacy && c.Where == at {
			return at.String() + " (private)"
		}
	}
	return at.String()
}

// verdict is the answer in a few words.
func (t *table) verdict() (answer, question string) {
	d := t.explanation.Decision()
	r := d.Request()
	answer = "Denied: " + d.Reason().String()
	if d.Allowed() {
		answer = "Allowed"
	}
	return answer, r.Subject.String() + " " + r.Permission.String() + " at " + r.Scope.String()
}
