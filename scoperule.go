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

// A verdictNode is a decision by conditions, asked in the order of their numbers. Equal nodes of one pool are the same
// pointer; two nodes that answer alike are equal.
type verdictNode struct {
	when uint16          // 0 in the leaves
	next [3]*verdictNode // by byHolds, byFails and byUnknown
	leaf verdictLeaf     // of a leaf
}

type verdictLeaf uint8

const (
	leafNever = verdictLeaf(iota)
	leafAlways
	leafAsk
)

const (
	byHolds = iota
	byFails
	byUnknown
)

// The leaves, shared by all and never written.
var (
	ruleNever  = &verdictNode{leaf: leafNever}
	ruleAlways = &verdictNode{leaf: leafAlways}
	ruleAsk    = &verdictNode{leaf: leafAsk}
)

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

// leafFor asks only for conditions that matter, each once.
func (n *verdictNode) leafFor(c *Catalog, facts Facts) verdictLeaf {
	for n.when != 0 {
		branch := byFails
		if facts != nil {
			switch t, _ := askFacts(facts, c.conditionOf[n.when]); t {
			case holds:
				branch = byHolds
			case unknown:
				branch = byUnknown
			}
		}
		n = n.next[branch]
	}
	return n.leaf
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

func (n *verdictNode) equal(other *verdictNode, seen map[[2]*verdictNode]bool) bool {
	pair := [2]*verdictNode{n, other}
	switch {
	case n.when != other.when || n.leaf != other.leaf || n == ruleAsk:
		return false
	case n == other || n.when == 0 || seen[pair]:
		return true
	}
	seen[pair] = true
	for i := range n.next {
		if !n.next[i].equal(other.next[i], seen) {
			return false
		}
	}
	return true
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

// A verdictPool makes nodes, so that equal ones are the same pointer.
type verdictPool struct {
	nodes    map[verdictNode]*verdictNode
	combined map[verdictPair]*verdictNode
}

type verdictPair struct {
	op   verdictOp
	a, b *verdictNode
}

type verdictOp uint8

const (
	opOr = verdictOp(iota)
	opAnd
	opWithout
)

// maxVerdictNodes bounds what one question keeps; beyond it rules become opaque.
const maxVerdictNodes = 1 << 12

// node returns the decision by one condition.
func (p *verdictPool) node(when uint16, ifHolds, ifFails, ifUnknown *verdictNode) *verdictNode {
	if ifHolds == ifFails && ifFails == ifUnknown {
		return ifHolds
	}
	if ifHolds == ruleAsk || ifFails == ruleAsk || ifUnknown == ruleAsk {
		return ruleAsk
	}
	key := verdictNode{when: when, next: [3]*verdictNode{ifHolds, ifFails, ifUnknown}}
	if n := p.nodes[key]; n != nil {
		return n
	}
	if len(p.nodes) >= maxVerdictNodes {
		return ruleAsk
	}
	if p.nodes == nil {
		p.nodes = map[verdictNode]*verdictNode{}
	}
	p.nodes[key] = &key
	return &key
}

// condition returns what an Allow with that condition says: nothing where the condition cannot be said.
func (p *verdictPool) condition(when uint16) *verdictNode {
	if when == 0 {
		return ruleAlways
	}
	return p.node(when, ruleAlways, ruleNever, ruleNever)
}

func (p *verdictPool) or(a, b *verdictNode) *verdictNode      { return p.combine(opOr, a, b) }
func (p *verdictPool) and(a, b *verdictNode) *verdictNode     { return p.combine(opAnd, a, b) }
func (p *verdictPool) without(a, b *verdictNode) *verdictNode { return p.combine(opWithout, a, b) }

// combine applies op to what a and b answer, branch by branch.
func (p *verdictPool) combine(op verdictOp, a, b *verdictNode) *verdictNode {
	if n := op.settle(a, b); n != nil {
		return n
	}
	pair := verdictPair{op, a, b}
	if n := p.combined[pair]; n != nil {
		return n
	}
	when := a.when
	if when == 0 || b.when != 0 && b.when < when {
		when = b.when
	}
	var next [3]*verdictNode
	for i := range next {
		next[i] = p.combine(op, a.branch(when, i), b.branch(when, i))
	}
	n := p.node(when, next[byHolds], next[byFails], next[byUnknown])
	if p.combined == nil {
		p.combined = map[verdictPair]*verdictNode{}
	}
	p.combined[pair] = n
	return n
}

// settle returns the result where it is plain from one side, nil where it is not. An opaque side makes what is not plain
// opaque.
func (op verdictOp) settle(a, b *verdictNode) *verdictNode {
	switch {
	case op == opOr && (a == ruleAlways || b == ruleNever || a == b):
		return a
	case op == opOr && (b == ruleAlways || a == ruleNever):
		return b
	case op == opAnd && (a == ruleNever || b == ruleAlways || a == b):
		return a
	case op == opAnd && (b == ruleNever || a == ruleAlways):
		return b
	case op == opWithout && (a == ruleNever || b == ruleNever):
		return a
	case op == opWithout && (b == ruleAlways || a == b && a != ruleAsk):
		return ruleNever
	case a == ruleAsk || b == ruleAsk:
		return ruleAsk
	}
	return nil
}

func (n *verdictNode) branch(when uint16, i int) *verdictNode {
	if n.when == when {
		return n.next[i]
	}
	return n
}
