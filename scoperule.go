package rolecall

import (
	"slices"
	"strings"
)

// A ScopeRule says whether the scopes of a region are in a ScopeSet: always, never, or as conditions decide. The zero
// ScopeRule is never. It is immutable and safe for concurrent use.
//
// A rule is an exact copy of what the check answers for every way in which its conditions can hold, fail, or not be
// known. Where so many conditions are in play at one place that a copy would be too large, the rule is Opaque: Holds
// still answers, by asking the check, but the rule cannot be taken apart.
type ScopeRule struct {
	catalog *Catalog
	node    *verdictNode
	ask     func(Facts) bool // answers an opaque rule
}

// Always says whether every scope of the region is in the set, whatever the facts.
func (r ScopeRule) Always() bool { return r.node == ruleAlways }

// Never says whether no scope of the region is in the set, whatever the facts.
func (r ScopeRule) Never() bool { return r.node == nil || r.node == ruleNever }

// Opaque says whether too many conditions are in play for the rule to be taken apart.
func (r ScopeRule) Opaque() bool { return r.node == ruleAsk }

// Holds says whether a scope of the region is in the set, given these facts about it; nil says that no condition holds.
func (r ScopeRule) Holds(facts Facts) bool {
	if r.Never() {
		return false
	}
	if r.Opaque() {
		return r.ask(facts)
	}
	return r.node.leafFor(r.catalog, facts) == leafAlways
}

// Conditions returns the conditions that the rule depends on, in order of name; none where it is Always, Never or
// Opaque.
func (r ScopeRule) Conditions() []Condition {
	var found []Condition
	seen := map[*verdictNode]bool{}
	var visit func(n *verdictNode)
	visit = func(n *verdictNode) {
		if n == nil || n.when == 0 || seen[n] {
			return
		}
		seen[n] = true
		found = append(found, r.catalog.conditionOf[n.when])
		for _, next := range n.next {
			visit(next)
		}
	}
	visit(r.node)
	slices.Sort(found)
	return slices.Compact(found)
}

// Split takes the rule apart at its first condition: what is left of it where that condition holds, fails, or nobody
// can say. ok is false where the rule depends on no condition.
func (r ScopeRule) Split() (c Condition, ifHolds, ifFails, ifUnknown ScopeRule, ok bool) {
	if r.node == nil || r.node.when == 0 {
		return "", ScopeRule{}, ScopeRule{}, ScopeRule{}, false
	}
	part := func(branch int) ScopeRule { return ScopeRule{r.catalog, r.node.next[branch], r.ask} }
	return r.catalog.conditionOf[r.node.when], part(byHolds), part(byFails), part(byUnknown), true
}

// Equal says whether two rules of one catalog answer alike. An opaque rule is equal to none.
func (r ScopeRule) Equal(other ScopeRule) bool {
	if r.Never() || other.Never() {
		return r.Never() == other.Never()
	}
	return r.node.equal(other.node, map[[2]*verdictNode]bool{})
}

// String returns the rule in words: always, never, ask the check, or the ways in which conditions open it, each
// condition written as itself, as not c, as unknown c, or as without c where it does not hold or cannot be said. Of more
// than 32 ways it writes the first.
func (r ScopeRule) String() string {
	switch {
	case r.Never():
		return "never"
	case r.Always():
		return "always"
	case r.Opaque():
		return "ask the check"
	}
	var ways []string
	r.ways(r.node, nil, &ways)
	return "when " + strings.Join(ways, " or ")
}

// mostWays bounds how many ways to a yes are written.
const mostWays = 32

// ways writes the ways to a yes. Where it is the same whether a condition fails or cannot be said that is one way; and
// where it is enough that it holds, the other ways do not speak of it.
func (r ScopeRule) ways(n *verdictNode, taken []string, ways *[]string) {
	switch {
	case len(*ways) > mostWays || n == ruleNever:
		return
	case len(*ways) == mostWays:
		*ways = append(*ways, "…")
		return
	case n.when == 0:
		*ways = append(*ways, strings.Join(taken, " and "))
		return
	}
	name := string(r.catalog.conditionOf[n.when])
	step := func(branch int, words ...string) {
		r.ways(n.next[branch], append(slices.Clip(taken), words...), ways)
	}
	step(byHolds, name)
	switch {
	case n.next[byFails] != n.next[byUnknown]:
		step(byFails, "not "+name)
		step(byUnknown, "unknown "+name)
	case n.next[byHolds] == ruleAlways:
		step(byFails)
	default:
		step(byFails, "without "+name)
	}
}
