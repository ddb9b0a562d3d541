package bench

import (
	"runtime"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// An Op does something n times.
type Op func(n int)

// A Figure is what one operation costs.
type Figure struct {
	NS, Bytes, Allocs float64
	Ratio             float64 // to the unit, the median over rounds; 0 where there is no unit
	Unit              float64 // ns, the median over rounds
}

// Compare runs ours and the unit in turn, and returns the medians over the rounds. The ratio is the median of the
// ratios within a round, so that a slow moment of the machine touches both sides. Time is the processor time of the
// whole process, the collection of garbage included, so that other programs on the machine count as little as may be.
func Compare(rounds int, ours Op, n int, unit Op, m int) Figure {
	var ns, units, ratios []float64
	ours(max(n/10, 1))
	unit(max(m/10, 1))
	for round := range rounds {
		var a, b float64
		if round%2 == 0 {
			a, b = perOp(ours, n), perOp(unit, m)
		} else {
			b, a = perOp(unit, m), perOp(ours, n)
		}
		ns, units, ratios = append(ns, a), append(units, b), append(ratios, a/b)
	}
	f := Memory(ours, n)
	f.NS, f.Unit, f.Ratio = median(ns), median(units), median(ratios)
	return f
}

func perOp(op Op, n int) float64 {
	start := processTime()
	op(n)
	return float64((processTime() - start).Nanoseconds()) / float64(n)
}

// Memory returns what an operation allocates.
func Memory(op Op, n int) Figure {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	op(n)
	runtime.ReadMemStats(&after)
	return Figure{
		Bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
		Allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
	}
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// heap returns the bytes in use once garbage is collected.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A Lambda is the unit λ: one lookup of a random subject in a Go map that has a key a user, in the faster of two maps:
// by the text form of the subject, and by the Subject itself. Like questions, the keys asked for share no string with
// those in the map.
type Lambda struct {
	texts    map[string]uint32
	subjects map[rolecall.Subject]uint32
	byText   []string
	byValue  []rolecall.Subject
}

// NewLambda makes the maps of a studio's users, to be asked for the subjects of these questions in turn.
func NewLambda(s *Studio, questions []Question) *Lambda {
	l := &Lambda{texts: make(map[string]uint32, s.Users), subjects: make(map[rolecall.Subject]uint32, s.Users)}
	for n := range s.Users {
		u := s.User(n)
		l.texts[u.String()], l.subjects[u] = uint32(n), uint32(n)
	}
	for i := range questions {
		l.byText = append(l.byText, questions[i].Subject.String())
		l.byValue = append(l.byValue, s.User(numberOf(questions[i].Subject)))
	}
	return l
}

// Choose measures both maps, keeps the faster one and tells which it is.
func (l *Lambda) Choose() string {
	f := Compare(5, l.byTexts(), 200_000, l.bySubjects(), 200_000)
	if f.Ratio <= 1 {
		l.subjects = nil
		return "map[string]uint32 of the text form"
	}
	l.texts = nil
	return "map[Subject]uint32"
}

// Op returns the lookup in the map that was chosen.
func (l *Lambda) Op() Op {
	if l.texts != nil {
		return l.byTexts()
	}
	return l.bySubjects()
}

// Waiting returns the same lookup, but each waits for the answer of the one before, as a check waits for one address
// after the other.
func (l *Lambda) Waiting() Op {
	i := 0
	return func(n int) {
		for range n {
			found := uint32(0)
			if l.texts != nil {
				found = l.texts[l.byText[i]]
			} else {
				found = l.subjects[l.byValue[i]]
			}
			i += 1 + int(found>>31) // one, but the processor cannot know
			if i == len(l.byText) {
				i = 0
			}
		}
	}
}

func (l *Lambda) byTexts() Op {
	i, sum := 0, uint32(0)
	return func(n int) {
		for range n {
			sum += l.texts[l.byText[i]]
			if i++; i == len(l.byText) {
				i = 0
			}
		}
		keep(sum)
	}
}

func (l *Lambda) bySubjects() Op {
	i, sum := 0, uint32(0)
	return func(n int) {
		for range n {
			sum += l.subjects[l.byValue[i]]
			if i++; i == len(l.byValue) {
				i = 0
			}
		}
		keep(sum)
	}
}

// keep makes the compiler believe that a result is needed.
//
//go:noinline
func keep(uint32) {}
