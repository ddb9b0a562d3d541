package peers

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall/bench"
)

var (
	sizes  = flag.String("sizes", "S", "the sizes to measure")
	rounds = flag.Int("rounds", 5, "rounds of each measurement")
	table  = flag.Bool("table", false, "print the table")
)

func prepared(s *bench.Studio, n int) []*Asked {
	questions := s.Questions(n, bench.Uniform)
	list := make([]*Asked, len(questions))
	for i := range questions {
		list[i] = Prepare(&questions[i])
	}
	return list
}

// Every engine gives the answers of the naive evaluator.
func TestAnswers(t *testing.T) {
	s := bench.NewStudio(bench.Small(), bench.Plain, 1)
	peers, err := All(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		for _, q := range prepared(s, 300) {
			if got := p.Check(q); got != q.Allowed {
				t.Errorf("%s: %s %s at %v = %v, want %v", p.Name, q.Who, q.May, q.Scope, got, q.Allowed)
			}
		}
	}
}

// With -table, prints what a check costs in each engine, beside Rolecall in the same rounds.
func TestTable(t *testing.T) {
	if !*table {
		t.Skip("asked for with -table")
	}
	fmt.Println("| size | engine | ns a check | B | allocs | × rolecall |\n|---|---|---|---|---|---|")
	for _, size := range bench.Sizes(*sizes) {
		s := bench.NewStudio(size, bench.Plain, 1)
		peers, err := All(s)
		if err != nil {
			t.Fatal(err)
		}
		questions := prepared(s, 4_096)
		for _, p := range peers {
			for _, q := range questions[:200] {
				if p.Check(q) != q.Allowed {
					t.Fatalf("%s: wrong answer to %s %s at %v", p.Name, q.Who, q.May, q.Scope)
				}
			}
			f := bench.Compare(*rounds, asking(p, questions), affordable(p, questions), asking(peers[0], questions), 50_000)
			fmt.Printf("| %s | %s | %.4g | %.4g | %.4g | %.3g |\n", size.Name, p.Name, f.NS, f.Bytes, f.Allocs, f.Ratio)
		}
	}
}

func asking(p Peer, questions []*Asked) bench.Op {
	i := 0
	return func(n int) {
		for range n {
			p.Check(questions[i%len(questions)])
			i++
		}
	}
}

// affordable returns how many checks take about a third of a second.
func affordable(p Peer, questions []*Asked) int {
	op, n := asking(p, questions), 0
	for start := time.Now(); time.Since(start) < 300*time.Millisecond; n += 16 {
		op(16)
	}
	return max(n, 16)
}
