package review

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
)

// What each statement does to a subject at a place is found out by asking for explanations: of every permission that
// something on the way speaks of, once for each way in which the conditions in play can hold. A statement gives what it
// is among the deciding ones of, for some of them.
//
// A decision depends on its permission by the rules that match it, and by privacy, which does not stop what is built in.
// So it is enough to ask about one of the permissions that the same rules match, and for one of the subjects that the same
// statements reach.

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

// A spot is a place for subjects whom the same statements reach there.
type spot struct {
	alike string
	scope rolecall.Scope
}

// judge finds the effects at a place for a subject, once for all subjects that are alike there.
func (r *reviewer) judge(who rolecall.Subject, at rolecall.Scope) (effects, error) {
	voices, alike := r.hear(who, at)
	if known, ok := r.judged[spot{alike, at}]; ok {
		return known, nil
	}
	view, err := r.snapshot.For(who, nil)
	if err != nil {
		return nil, err
	}
	all := effects{}
	for _, list := range classes(r.snapshot.Catalog(), voices) {
		if r.dossier(who).suspended {
			break
		}
		rule, err := view.Rule(list[0], at)
		if err != nil {
			return nil, err
		}
		here := effects{}
		for _, holding := range cases(conditionsOf(voices, list[0]), rule) {
			d, err := view.Decide(list[0], at, rolecall.Given(holding))
			if err != nil {
				return nil, err
			}
			here.note(Item{list[0], rule}, d)
		}
		all.add(here, list)
	}
	all.sort()
	r.judged[spot{alike, at}] = all
	return all, nil
}

// A voice is a statement that reaches a subject at a place.
type voice struct {
	words   vocabulary
	when    rolecall.Condition
	replace bool
}

// hear returns the voices that count now, and a text that is the same for subjects that hear the same ones.
func (r *reviewer) hear(who rolecall.Subject, at rolecall.Scope) (voices []voice, alike string) {
	var b strings.Builder
	now := r.snapshot.Now()
	for _, w := range r.ways(who) {
		heard := len(voices)
		for _, one := range r.dossier(w.holder()).says {
			if statements.Scope(one).Contains(at) && overlap(w.window, statements.Window(one)).Open(now) {
				voices = append(voices, r.voice(one))
			}
		}
		if len(voices) > heard {
			b.WriteString(w.holder().String())
			if w.suspended {
				b.WriteByte('/') // as ids are written, no subject's text has it, nor a space
			}
			b.WriteByte(' ')
		}
	}
	if r.dossier(who).suspended {
		b.WriteByte('/')
	}
	return voices, b.String()
}

func (r *reviewer) voice(one rolecall.Statement) voice {
	switch one := one.(type) {
	case rolecall.Grant:
		return voice{r.role(one.Role), one.When, one.Replace}
	case rolecall.Override:
		return voice{r.pattern(one), one.When, false}
	}
	return voice{}
}

// classes puts the permissions of which some voice speaks into lists of those that the same rules match, in order.
func classes(c *rolecall.Catalog, voices []voice) [][]rolecall.Permission {
	var lists [][]rolecall.Permission
	index := map[string]int{}
	var key []byte
	for p := range c.Permissions() {
		key, spoken := key[:0], false
		for _, v := range voices {
			said := v.words[p]
			spoken = spoken || said.class > 0
			key = binary.AppendUvarint(key, uint64(said.class))
		}
		if !spoken {
			continue
		}
		if p.IsBuiltin() {
			key = append(key, '!')
		}
		i, known := index[string(key)]
		if !known {
			i = len(lists)
			index[string(key)], lists = i, append(lists, nil)
		}
		lists[i] = append(lists[i], p)
	}
	return lists
}

// conditionsOf lists the conditions on which it depends what the voices say of a permission. A replace grant bears on what
// others speak of.
func conditionsOf(voices []voice, p rolecall.Permission) []rolecall.Condition {
	var list []rolecall.Condition
	for _, v := range voices {
		if said := v.words[p]; said.class > 0 || v.replace {
			list = with(with(list, said.when...), v.when)
		}
	}
	return list
}

// with adds conditions to a list, each once; the empty one is none.
func with(list []rolecall.Condition, more ...rolecall.Condition) []rolecall.Condition {
	for _, c := range more {
		if c != "" && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

// maxTold is how many conditions are told in every combination: one decision for each.
const maxTold = 4

// cases lists the sets of conditions to ask with: every combination. Of too many these are each alone, all together, and
// one for each of so many ways through the rule, so that whatever the subject may do is found to come from something.
func cases(conditions []rolecall.Condition, rule rolecall.ScopeRule) [][]rolecall.Condition {
	if len(conditions) > maxTold {
		list := append(through(rule), conditions)
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

// maxThrough bounds the ways through a rule to a yes, and those to a no. Of eight conditions there are no more.
const maxThrough = 1 << 8

// through lists the conditions that hold on each way through a rule, of too many ways on the first ones.
func through(rule rolecall.ScopeRule) [][]rolecall.Condition {
	var yes, no [][]rolecall.Condition
	var follow func(rolecall.ScopeRule, []rolecall.Condition)
	follow = func(rule rolecall.ScopeRule, holding []rolecall.Condition) {
		c, ifHolds, ifFails, _, splits := rule.Split()
		switch {
		case len(yes) == maxThrough:
		case splits:
			follow(ifFails, holding)
			follow(ifHolds, append(slices.Clip(holding), c))
		case !rule.Never():
			yes = append(yes, holding)
		case len(no) < maxThrough:
			no = append(no, holding)
		}
	}
	follow(rule, nil)
	return append(no, yes...)
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

// put adds an item to the list of one permission, once.
func put(list []Item, item Item) []Item {
	if len(list) > 0 {
		return list
	}
	return append(list, item)
}

// add adds what was found of the first of some permissions, for all of them.
func (e effects) add(of effects, all []rolecall.Permission) {
	for key, one := range of {
		if e[key] == nil {
			e[key] = &effect{}
		}
		e[key].gives = spread(e[key].gives, one.gives, all)
		e[key].takes = spread(e[key].takes, one.takes, all)
		e[key].cuts, e[key].private = e[key].cuts || one.cuts, e[key].private || one.private
	}
}

// spread adds an item for each of some permissions, if there is one.
func spread(list, one []Item, all []rolecall.Permission) []Item {
	if len(one) == 0 {
		return list
	}
	for _, p := range all {
		list = append(list, Item{p, one[0].When})
	}
	return list
}

// sort puts the items in order of permission.
func (e effects) sort() {
	for _, one := range e {
		for _, list := range [][]Item{one.gives, one.takes} {
			slices.SortFunc(list, func(a, b Item) int { return a.Permission.Compare(b.Permission) })
		}
	}
}
