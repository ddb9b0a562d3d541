package rolecall

import (
	"cmp"
	"slices"
)

// explain applies the law to everything that bears on the question and tells the fate of each statement.
func (q *question) explain(r Request) Decision {
	if q.self.off() {
		return q.suspended(r, q.self.subject)
	}
	d := Decision{request: r, revision: q.policy.revision}
	c := court{question: q, bearers: q.inReach(nil)}
	c.sortBearers()
	c.said = c.collect(nil, true)
	c.sortSaid()
	d.reason = c.weigh()
	paths := c.paths(r.Subject)
	for i := range c.said {
		s := &c.said[i]
		if s.fate == 0 && !s.override {
			c.silence(s)
		}
		f := c.finding(s, paths[s.bearer])
		switch {
		case s.fate == Decides:
			d.deciding = append(d.deciding, f)
		case s.fate != 0:
			d.losing = append(d.losing, f)
		}
	}
	sortFindings(d.deciding)
	sortFindings(d.losing)
	return d
}

// suspended denies because somebody is switched off: the subject or its actor.
func (q *question) suspended(r Request, who Subject) Decision {
	off := Finding{Statement: Suspension{who}, Holder: who, Path: []Subject{who}, Effect: Deny, Fate: Decides}
	return Decision{request: r, reason: Suspended, revision: q.policy.revision, deciding: []Finding{off}}
}

// silence tells of a Replace what keeps its role from allowing, where it is a condition.
func (c *court) silence(s *said) {
	role := c.bearers[s.bearer].grants[s.index].role
	why := ConditionUnknown // of the grant, where the role allows
	if c.says(role) != Allow {
		why = c.whyNot(role)
	}
	if why != NothingSaid {
		s.effect, s.fate = Allow, stoppedBy(why)
	}
}

// sortBearers puts the groups in order of name, so that an explanation does not depend on how the policy was built.
func (c *court) sortBearers() {
	if len(c.bearers) > 2 {
		slices.SortFunc(c.bearers[1:len(c.bearers)-1], func(a, b bearer) int { return a.compare(b.holder) })
	}
}

// sortSaid puts what is said at each point in order of its statements.
func (c *court) sortSaid() {
	slices.SortStableFunc(c.said, func(a, b said) int {
		if a.bearer != b.bearer || a.depth != b.depth {
			return cmp.Or(cmp.Compare(a.bearer, b.bearer), cmp.Compare(a.depth, b.depth))
		}
		return compareStatements(c.statement(&a), c.statement(&b))
	})
}

// sortFindings orders findings by their statements, so that one policy explains itself alike however it was built.
func sortFindings(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int { return compareStatements(a.Statement, b.Statement) })
}

// finding tells one said as a statement of the policy.
func (c *court) finding(s *said, path []Subject) Finding {
	f := Finding{Statement: c.statement(s), Holder: path[len(path)-1], Path: path, Effect: s.effect, Fate: s.fate}
	if s.by >= 0 {
		f.By = c.statement(&c.said[s.by])
	}
	if s.fate == LostToReplace {
		f.Cause = c.answers.causes[c.when(&c.said[s.by])]
	}
	if s.fate == StoppedByPrivacy {
		f.Where = c.path.places[c.path.private].scope
	}
	if s.fate == StoppedByUnknown || s.effect != Allow {
		f.Cause = c.answers.causes[c.when(s)]
	}
	if !s.override {
		c.nameRule(s, &f)
	}
	return f
}

func (c *court) statement(s *said) Statement {
	h := c.bearers[s.bearer].holder
	if s.override {
		return c.policy.override(h, &h.overrides()[s.index])
	}
	return c.policy.grant(h, &h.grants[s.index])
}

func (c *court) when(s *said) uint16 {
	h := c.bearers[s.bearer].holder
	if s.override {
		return h.when(h.overrides()[s.index].terms)
	}
	return h.when(h.grants[s.index].terms)
}

// nameRule finds the rule through which the granted role says what it says.
func (c *court) nameRule(s *said, f *Finding) {
	granted := c.policy.roles.get(c.bearers[s.bearer].grants[s.index].role)
	granted.heard(c.ownSay, func(one *role, says Effect) {
		for i := range one.rules {
			rule := &one.rules[i]
			if f.Rule == nil && says == s.effect && rule.effect == says && rule.match.has(c.permission) && c.stands(says, rule.when) {
				c.nameIn(one, rule, f)
			}
		}
	})
	if f.Rule == nil && s.effect == Allow {
		c.nameStopped(granted, f)
	}
}

// nameStopped names, of a role that does not allow for want of a condition, the nearest rule that stands in the way: where
// nobody can say, one of which nobody can.
func (q *question) nameStopped(granted *role, f *Finding) {
	best := NothingSaid
	for r, rule := range granted.rulesOn(q.permission) {
		if why := q.stops(rule); why > best {
			best = why
			q.nameIn(r, rule, f)
		}
	}
}

// nameIn names the rule, and the cause where nobody can say whether its condition holds.
func (q *question) nameIn(r *role, rule *ruleAt, f *Finding) {
	f.Role, f.Rule, f.Effect = r.Name, ruleCopy(r.Rules[rule.rule]), rule.effect
	if f.Cause == nil {
		f.Cause = q.answers.causes[rule.when]
	}
}

func ruleCopy(r Rule) *Rule {
	r.Patterns = append([]Pattern(nil), r.Patterns...)
	return &r
}

// paths returns for each bearer the memberships through which the subject has it: a shortest way, and of those the first
// in order of the groups' names.
func (c *court) paths(self Subject) [][]Subject {
	paths := make([][]Subject, len(c.bearers))
	paths[0] = []Subject{self}
	index := map[*holder]int{}
	for i, b := range c.bearers {
		index[b.holder] = i
	}
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		from := queue[0]
		for _, g := range c.directGroups(from) {
			if k := index[g]; paths[k] == nil {
				paths[k] = append(slices.Clone(paths[from]), g.subject)
				queue = append(queue, k)
			}
		}
	}
	if last := len(paths) - 1; paths[last] == nil {
		paths[last] = []Subject{self, Everyone()}
	}
	return paths
}

// directGroups returns the groups that a bearer is directly in, vouched-for ones too, in order of name.
func (c *court) directGroups(bearer int) []*holder {
	var direct []*holder
	if bearer == 0 && c.extra != nil {
		direct = append(direct, c.extra.groups...)
	}
	h := c.bearers[bearer].holder
	for i := range h.groups {
		if m := &h.groups[i]; h.open(m.terms, &c.now) {
			direct = append(direct, c.policy.groups.at(m.group))
		}
	}
	slices.SortFunc(direct, (*holder).compare)
	return direct
}
