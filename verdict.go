package rolecall

// Decisions by conditions, kept so that two that answer alike are the same: what a rule is made of, and how rules are
// joined.

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

func (n *verdictNode) branch(when uint16, i int) *verdictNode {
	if n.when == when {
		return n.next[i]
	}
	return n
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
