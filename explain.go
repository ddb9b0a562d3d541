package rolecall

// explain applies the law to everything that bears on the question and tells the fate of each statement.
func (q *question) explain(r Request) Decision {
	d := Decision{request: r, revision: q.policy.revision}
	if q.self != nil && q.self.suspended {
		d.reason = Suspended
		d.deciding = []Finding{{Statement: Suspension{q.self.subject}, Holder: q.self.subject, Path: []Subject{q.self.subject}, Effect: Deny, Fate: Decides}}
		return d
	}
	c := court{q: q, bearers: q.bearers(nil)}
	c.collect(nil, true)
	d.reason = c.weigh()
	paths := c.paths(r.Subject)
	for i := range c.said {
		s := &c.said[i]
		f := c.finding(s, paths[s.bearer])
		switch {
		case s.fate == Decides:
			d.deciding = append(d.deciding, f)
		case s.fate != 0:
			d.losing = append(d.losing, f)
		}
	}
	return d
}

// finding tells one said as a statement of the policy.
func (c *court) finding(s *said, path []Subject) Finding {
	f := Finding{Statement: c.statement(s), Holder: path[len(path)-1], Path: path, Effect: s.effect, Fate: s.fate}
	if s.by >= 0 {
		f.By = c.statement(&c.said[s.by])
	}
	if !s.override {
		c.nameRule(s, &f)
	}
	if s.fate == StoppedByPrivacy {
		f.Where = c.q.path.places[c.q.path.private].scope
	}
	if s.fate == StoppedByUnknown || s.effect != Allow {
		f.Cause = c.q.answers.causes[c.when(s)]
	}
	return f
}

func (c *court) statement(s *said) Statement {
	h := c.bearers[s.bearer].holder
	if s.override {
		return c.q.policy.override(h, &h.overrides[s.index])
	}
	return c.q.policy.grant(h, &h.grants[s.index])
}

func (c *court) when(s *said) uint16 {
	h := c.bearers[s.bearer].holder
	if s.override {
		return h.overrides[s.index].when
	}
	return h.grants[s.index].when
}

// nameRule finds the rule through which the granted role says what it says.
func (c *court) nameRule(s *said, f *Finding) {
	q := c.q
	granted := q.policy.roles.get(c.bearers[s.bearer].grants[s.index].role)
	voices := q.voices(granted, nil)
	for i, v := range voices {
		if v.says != s.effect || v.says != Forbid && overriderOf(voices, i) >= 0 {
			continue
		}
		for j := range v.role.rules {
			rule := &v.role.rules[j]
			if rule.effect == v.says && rule.match.has(q.permission) && q.stands(rule.effect, rule.when) {
				f.Role, f.Rule = v.role.Name, ruleCopy(v.role.Rules[rule.rule])
				if f.Cause == nil {
					f.Cause = q.answers.causes[rule.when]
				}
				return
			}
		}
	}
}

func ruleCopy(r Rule) *Rule {
	r.Patterns = append([]Pattern(nil), r.Patterns...)
	return &r
}

// paths returns for each bearer the memberships through which the subject has it, shortest first found.
func (c *court) paths(self Subject) [][]Subject {
	paths := make([][]Subject, len(c.bearers))
	paths[0] = []Subject{self}
	index := map[*holder]int{}
	for i, b := range c.bearers {
		index[b.holder] = i
	}
	if c.q.extra != nil {
		for _, g := range c.q.extra.groups {
			if i, ok := index[g]; ok && paths[i] == nil {
				paths[i] = []Subject{self, g.subject}
			}
		}
	}
	for i := 0; i < len(c.bearers); i++ {
		h := c.bearers[i].holder
		for j := range h.groups {
			m := &h.groups[j]
			if !h.open(m.window, c.q.now) {
				continue
			}
			g := c.q.policy.groups.at(m.group)
			if k := index[g]; paths[k] == nil && paths[i] != nil {
				paths[k] = append(append([]Subject(nil), paths[i]...), g.subject)
			}
		}
	}
	if last := len(paths) - 1; paths[last] == nil {
		paths[last] = []Subject{self, Everyone()}
	}
	return paths
}
