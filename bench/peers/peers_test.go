package peers

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall/bench"
)

var (
	sizes   = flag.String("sizes", "S", "the sizes to measure")
	engines = flag.String("engines", "", "words of the names of the engines to measure, with commas; empty for all")
	rounds  = flag.Int("rounds", 5, "rounds of each measurement")
	table   = flag.Bool("table", false, "print the table")
	budget  = flag.Duration("budget", 14*time.Minute, "how long the table may take")
	load    = flag.Duration("load", 2*time.Minute, "how long an engine may take to load a studio")
	maxHeap = flag.Uint64("memory", 14<<10, "how many MiB of heap an engine may take to load a studio")
)

func prepared(st *Studio, n int) []*Asked {
	questions := st.Questions(n, bench.Uniform)
	list := make([]*Asked, len(questions))
	for i := range questions {
		list[i] = st.Prepare(&questions[i])
	}
	return list
}

// verify asks until the questions or the time are over, and returns how many answers were right before the first wrong one.
func verify(p Peer, questions []*Asked, within time.Duration) (right int, err error) {
	until := time.Now().Add(within)
	for _, q := range questions {
		if got := p.Check(q); got != q.Allowed {
			return right, fmt.Errorf("%s %s at %v = %v, want %v", q.Who, q.May, q.Scope, got, q.Allowed)
		}
		if right++; time.Now().After(until) {
			break
		}
	}
	return right, nil
}

// Every engine gives the answers of the naive evaluator.
func TestAnswers(t *testing.T) {
	st := NewStudio(bench.NewStudio(bench.Small(), bench.Plain, 1))
	questions := prepared(st, 300)
	for _, e := range Engines() {
		p, err := e.Load(st, &Limit{Until: time.Now().Add(*load), Bytes: *maxHeap << 20})
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if n, err := verify(p, questions, time.Minute); err != nil || n != len(questions) {
			t.Errorf("%s: %d of %d answers are right: %v", e.Name, n, len(questions), err)
		}
		p.close()
	}
}

func (p Peer) close() {
	if p.Close != nil {
		p.Close()
	}
}

// An engine that takes too long, or too much, is told so instead of the table waiting for it.
func TestLimit(t *testing.T) {
	st := NewStudio(bench.NewStudio(bench.Medium(), bench.Plain, 1))
	for name, l := range map[string]*Limit{"its time was over": {time.Now(), 1 << 40}, "MiB": {time.Now().Add(time.Hour), 1}} {
		if _, err := OpenFGASQLite(st, l); !errors.Is(err, errLimit) || !strings.Contains(err.Error(), name) {
			t.Errorf("with %+v: got %v, want errLimit and %q", l, err, name)
		}
	}
}

// With -table, prints what a check costs in each engine, beside Rolecall in the same rounds, and what it costs to load.
func TestTable(t *testing.T) {
	if !*table {
		t.Skip("asked for with -table")
	}
	over := time.Now().Add(*budget)
	fmt.Println("| size | engine | loaded in | heap, B a grant | answers compared | ns a check | B | allocs | × rolecall |\n|---|---|---|---|---|---|---|---|---|")
	for _, size := range bench.Sizes(*sizes) {
		st := NewStudio(bench.NewStudio(size, bench.Plain, 1))
		questions := prepared(st, 4_096)
		own, err := Rolecall(st, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range Engines() {
			if !wanted(e.Name) {
				continue
			}
			row, err := measure(e, st, own, questions, over)
			if err != nil {
				t.Errorf("%s at %s: %v", e.Name, size.Name, err)
			}
			fmt.Printf("| %s | %s | %s |\n", size.Name, e.Name, row)
		}
	}
}

func wanted(name string) bool {
	if *engines == "" {
		return true
	}
	for word := range strings.SplitSeq(*engines, ",") {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// measure returns the cells of a row.
func measure(e Engine, st *Studio, own Peer, questions []*Asked, over time.Time) (string, error) {
	before, start := heap(), time.Now()
	left := time.Until(over)
	p, err := e.Load(st, &Limit{Until: start.Add(min(*load, left/2)), Bytes: before + *maxHeap<<20})
	defer p.close()
	switch {
	case errors.Is(err, errLimit):
		return fmt.Sprintf("%v, after %v | | | | | |", err, time.Since(start).Round(time.Second)), nil
	case err != nil:
		return "fails | | | | | |", err
	}
	took := time.Since(start)
	grant := float64(heap()-before) / float64(st.Size)
	right, err := verify(p, questions, 10*time.Second)
	if err != nil {
		return "wrong | | | | | |", err
	}
	f := bench.Compare(*rounds, asking(p, questions), affordable(p, questions), asking(own, questions), 50_000)
	return fmt.Sprintf("%.3g s | %.4g | %d | %.4g | %.4g | %.4g | %.3g", took.Seconds(), grant, right, f.NS, f.Bytes, f.Allocs, f.Ratio), nil
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
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

// affordable returns how many checks take about a third of a second, ten at least.
func affordable(p Peer, questions []*Asked) int {
	op, n := asking(p, questions), 0
	for start := time.Now(); n < 10 || time.Since(start) < 300*time.Millisecond; n++ {
		op(1)
	}
	return n
}
