package rolecall

import "iter"

// Rules yields what the subject may ever do at t, the built-in rolecall.* permissions included, in order of name, each
// with the rule by which facts decide: for any facts the rule holds exactly where Check says yes. Permissions that are
// denied whatever the facts are left out. An error says that t is invalid or not declared.
func (v *View) Rules(t Scope) (iter.Seq2[Permission, ScopeRule], error) {
	var way path
	if err := v.walk(&t, &way); err != nil {
		return nil, err
	}
	v = v.shared()
	return func(yield func(Permission, ScopeRule) bool) {
		for number, p := range v.policy.catalog.permissions {
			if rule := v.rule(number, &way); !rule.Never() && !yield(p, rule) {
				return
			}
		}
	}, nil
}

// Rule returns the rule of one permission, as Rules does. An error says that p or t is invalid or not declared.
func (v *View) Rule(p Permission, t Scope) (ScopeRule, error) {
	number, err := v.policy.catalog.permission(p)
	if err != nil {
		return ScopeRule{}, err
	}
	var way path
	if err := v.walk(&t, &way); err != nil {
		return ScopeRule{}, err
	}
	return v.shared().rule(number, &way), nil
}

// rule weighs what is said on the way to one target. Where more conditions are in play than can be weighed there, the
// survey of the whole tree may still tell, since allows alone are never too many for it.
func (v *View) rule(permission int, way *path) ScopeRule {
	s := survey{view: v, policy: v.policy, permission: permission, builtin: v.policy.builtin(permission), pool: &verdictPool{}, way: *way}
	if v.denied != NothingSaid || !v.options.Narrow.covers(v.policy.catalog.permissions[permission]) {
		return ScopeRule{}
	}
	r := ScopeRule{catalog: v.policy.catalog, node: s.weigh()}
	if r.Opaque() {
		r.node = (&ScopeSet{view: v, zones: v.survey(permission)}).nodeAt(way)
		r.ask = func(facts Facts) bool { return v.grants(permission, way, facts) }
	}
	return r
}
