package review

import (
	"strings"

	"github.com/rolecall-go/rolecall"
)

// What each statement does to a subject at a place is found out by asking for explanations: of every permission that
// something on the way speaks of, once for each way in which the conditions in play can hold. A statement gives what it
// is among the deciding ones of, for some of them.

// An effect is what one statement does to one subject at one place.
type effect struct {
	gives, takes []Item
	cuts         bool // something lost to it
	private      bool // a private scope stopped it
}

// Effects are those of every statement that reaches a subject at a place.
type effects map[rolecall.StatementKey]*effect

func (e effects) of(one rolecall.Statement) *effect {
	key := rolecall.KeyOf(one)
	if e[key] == nil {
		e[key] = &effect{}
	}
	return e[key]
}

// A spot is a place for subjects to whom the same is said.
type spot struct {
	alike string
	scope rolecall.Scope
}

// effects judges a place for a subject, once for all subjects that are alike.
func (r *reviewer) effects(who rolecall.Subject, at rolecall.Scope) (effects, error) {
	here := spot{r.alike(who), at}
	if known, ok := r.judged[here]; ok {
		return known, nil
	}
	view, err := r.snapshot.For(who, nil)
	if err != nil {
		return nil, err
	}
	rules, err := view.Rules(at)
	if err != nil || r.dossier(who).suspended {
		return nil, err
	}
	when := map[rolecall.Permission]rolecall.ScopeRule{}
	for p, rule := range rules {
		when[p] = rule
	}
	all := effects{}
	for p, conditions := range r.inPlay(who, at) {
		item := Item{p, when[p]}
		for _, holding := range cases(conditions, item.When) {
			d, err := view.Decide(p, at, rolecall.Given(holding))
			if err != nil {
				return nil, err
			}
			all.note(item, d)
		}
	}
	r.judged[here] = all
	return all, nil
}

// alike names what is said to a subject: the groups that it is in now where that is all, and otherwise itself.
func (r *reviewer) alike(who rolecall.Subject) string {
	if d := r.dossier(who); d.suspended || len(d.says) > 0 || who.IsGroup() {
		return who.String()
	}
	var b strings.Builder
	for _, w := range r.ways(who)[1:] {
		if w.window.Open(r.snapshot.Now()) {
			b.WriteString(w.holder().String())
			if w.suspended {
				b.WriteByte('!')
			}
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// inPlay yields the permissions of which something on the way to a place speaks to a subject, in order, each with the
// conditions on which that depends.
func (r *reviewer) inPlay(who rolecall.Subject, at rolecall.Scope) func(yield func(rolecall.Permission, []rolecall.Condition) bool) {
	var said []vocabulary
	var when, replacing []rolecall.Condition // a replace grant bears on what others speak of
	now := r.snapshot.Now()
	for _, w := range r.ways(who) {
		for _, one := range r.dossier(w.holder()).says {
			if placeOf(one).Contains(at) && overlap(w.window, windowOf(one)).Open(now) {
				words, condition := r.vocabulary(one)
				said, when = append(said, words), append(when, condition)
				if g, ok := one.(rolecall.Grant); ok && g.Replace {
					replacing = add(replacing, condition)
				}
			}
		}
	}
	return func(yield func(rolecall.Permission, []rolecall.Condition) bool) {
		for p := range r.snapshot.Catalog().Permissions() {
			spoken, conditions := false, replacing
			for i, words := range said {
				if named, speaks := words[p]; speaks {
					spoken, conditions = true, add(add(conditions, named...), when[i])
				}
			}
			if spoken && !yield(p, conditions) {
				return
			}
		}
	}
}

// A vocabulary has the permissions that a statement may speak of, each with the conditions of the rules that do.
type vocabulary map[rolecall.Permission][]rolecall.Condition

// vocabulary returns what a grant or an override may speak of, and its own condition.
func (r *reviewer) vocabulary(one rolecall.Statement) (vocabulary, rolecall.Condition) {
	if o, ok := one.(rolecall.Override); ok {
		words := vocabulary{}
		for p := range r.snapshot.Catalog().Matching(o.Pattern) {
			words[p] = nil
		}
		return words, o.When
	}
	g := one.(rolecall.Grant)
	if r.roles[g.Role] == nil {
		words := vocabulary{}
		r.read(g.Role, words, map[rolecall.RoleName]bool{})
		r.roles[g.Role] = words
	}
	return r.roles[g.Role], g.When
}

// read adds what a role and those that it inherits from speak of.
func (r *reviewer) read(name rolecall.RoleName, words vocabulary, seen map[rolecall.RoleName]bool) {
	role, _ := r.snapshot.Role(name)
	seen[name] = true
	for _, rule := range role.Rules {
		for _, pattern := range rule.Patterns {
			for p := range r.snapshot.Catalog().Matching(pattern) {
				words[p] = add(words[p], rule.When)
			}
		}
	}
	for _, above := range role.Inherits {
		if !seen[above] {
			r.read(above, words, seen)
		}
	}
}

// add adds conditions to a list, each once; the empty one is none.
func add(list []rolecall.Condition, more ...rolecall.Condition) []rolecall.Condition {
next:
	for _, c := range more {
		if c == "" {
			continue
		}
		for _, known := range list {
			if known == c {
				continue next
			}
		}
		list = append(list[:len(list):len(list)], c)
	}
	return list
}

// maxTold is how many conditions are told in every combination: one decision for each.
const maxTold = 4

// cases lists the sets of conditions to ask with: every combination. Of too many these are each alone, all together, and
// one for each way through the rule, so that whatever the subject may do is found to come from something.
func cases(conditions []rolecall.Condition, rule rolecall.ScopeRule) [][]rolecall.Condition {
	if len(conditions) > maxTold {
		list := append(through(rule, nil), conditions)
		for _, c := range conditions {
			list = append(list, []rolecall.Condition{c})
		}
		return list
	}
	list := [][]rolecall.Condition{nil}
	for _, c := range conditions {
		for _, holding := range list[:len(list):len(list)] {
			list = append(list, append(holding[:len(holding):len(holding)], c))
		}
	}
	return list
}

// through lists the conditions that hold on each way through a rule.
func through(rule rolecall.ScopeRule, holding []rolecall.Condition) [][]rolecall.Condition {
	c, ifHolds, ifFails, _, ok := rule.Split()
	if !ok {
		return [][]rolecall.Condition{holding}
	}
	return append(through(ifFails, holding), through(ifHolds, append(holding[:len(holding):len(holding)], c))...)
}

// note adds what a decision tells. Where the rule of a permission cannot be taken apart, every statement that allows it
// counts as giving it.
func (e effects) note(item Item, d rolecall.Decision) {
	for _, f := range d.Deciding() {
		if f.Statement == nil {
			continue
		}
		switch one := e.of(f.Statement); {
		case d.Allowed():
			one.gives = put(one.gives, item)
		case f.Effect > rolecall.Except:
			one.takes = put(one.takes, item)
		}
	}
	for _, f := range d.Losing() {
		one := e.of(f.Statement)
		one.private = one.private || f.Fate == rolecall.StoppedByPrivacy
		if item.When.Opaque() && f.Effect == rolecall.Allow {
			one.gives = put(one.gives, item)
		}
		if f.By == nil {
			continue
		}
		by := e.of(f.By)
		by.cuts = true
		if f.Fate == rolecall.LostToReplace && f.Effect == rolecall.Allow && !d.Allowed() {
			by.takes = put(by.takes, item)
		}
	}
}

// put adds an item at the end of a list, once; items come in order of permission.
func put(list []Item, item Item) []Item {
	if n := len(list); n > 0 && list[n-1].Permission == item.Permission {
		return list
	}
	return append(list, item)
}
