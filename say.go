package rolecall

import "iter"

// What a role says of a permission, given what each role of its line, itself and those it inherits from, says by itself:
//
//	the nearer say overrides the farther one: of an heir that of the roles it inherits from
//	an Except overrides none, and nothing overrides a Forbid
//	of what is left the strictest counts, and an Except then counts as saying nothing
//
// For example, a supervisor inherits from artist, and artist from viewer. Where viewer denies task.delete and artist
// allows it, a supervisor may: artist is nearer. Where supervisor excepts it, the role says nothing of it.

// joins returns what the role says, of which each role of its line says own by itself.
func (r *role) joins(own func(*role) Effect) Effect {
	strictest := Effect(0)
	r.heard(own, func(_ *role, says Effect) { strictest = max(strictest, says) })
	if strictest == Except {
		return 0
	}
	return strictest
}

// heard tells of each role of the line whose say no heir overrides, heirs first. It takes time in proportion to the steps
// of inheritance, however many roles say something.
func (r *role) heard(own func(*role) Effect, tell func(*role, Effect)) {
	var room [64]bool
	overridden := append(room[:0], make([]bool, len(r.lineage))...)
	for i, one := range r.lineage {
		says := own(one)
		if says == Forbid || says != 0 && !overridden[i] {
			tell(one, says)
		}
		if overridden[i] || says != 0 && says != Except {
			for _, above := range r.direct[i] {
				overridden[above] = true
			}
		}
	}
}

// rulesOn yields the rules of the role's line that list a permission, each with the role whose own it is.
func (r *role) rulesOn(permission int) iter.Seq2[*role, *ruleAt] {
	return func(yield func(*role, *ruleAt) bool) {
		for _, one := range r.lineage {
			for i := range one.rules {
				if rule := &one.rules[i]; rule.match.has(permission) && !yield(one, rule) {
					return
				}
			}
		}
	}
}

// says returns what the role of that number says of a permission, asking the facts where it depends on them.
func (q *question) says(number uint32) Effect {
	r := q.policy.roles.get(number)
	if !q.word.ok() {
		if say := r.say[q.permission]; say != conditional {
			return Effect(say)
		}
	}
	return r.joins(q.ownSay)
}

// ownSay is the strictest of the role's own rules that match and whose condition holds; what cannot be said drops an
// Allow and keeps everything else.
func (q *question) ownSay(r *role) Effect {
	if !q.word.ok() {
		if own := r.own[q.permission]; own&conditional == 0 {
			return Effect(own)
		}
	}
	strictest := Effect(0)
	for i := range r.rules {
		if rule := &r.rules[i]; rule.effect > strictest && q.ruleCovers(r, rule) && q.stands(rule.effect, rule.when) {
			strictest = rule.effect
		}
	}
	return strictest
}

// ruleCovers says whether a rule lists the permission in question, be it declared or only a word.
func (q *question) ruleCovers(r *role, rule *ruleAt) bool {
	if q.word.ok() {
		return r.Rules[rule.rule].matches(q.word)
	}
	return rule.match.has(q.permission)
}

// overrideCovers says whether an override lists the permission in question.
func (q *question) overrideCovers(o *overrideAt) bool {
	if q.word.ok() {
		return o.match.pattern.matches(o.effect, q.word)
	}
	return o.match.covers(o.effect, q.permission)
}

// stands says whether a statement of that effect is heard under that condition.
func (q *question) stands(e Effect, when uint16) bool {
	switch q.answers.ask(q.policy.catalog, when) {
	case holds:
		return true
	case unknown:
		return e != Allow
	}
	return false
}
