package bench

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// BenchmarkMeter reports what a meter that has met all questions adds to a resolver's check of one that is allowed: rounds
// with and without it in turn, of each the lowest tenth, so that other programs on the machine count as little as may be.
func BenchmarkMeter(b *testing.B) {
	const round = 2000
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		allowed, meter := Answered(questions, true), rolecall.NewMeter(nil)
		var ops [2]Op
		for i, m := range []*rolecall.Meter{nil, meter} {
			o := &rolecall.Options{Clock: func() time.Time { return s.Now }, Meter: m}
			ops[i] = ResolverOp(must(rolecall.Open(context.Background(), memstore.With(snapshot), s.Catalog, o)), allowed)
			ops[i](len(allowed))
		}
		var took [2][]float64
		for b.Loop() {
			for i, op := range ops {
				start := time.Now()
				op(round)
				took[i] = append(took[i], float64(time.Since(start).Nanoseconds())/round)
			}
		}
		var low [2]float64
		for i := range took {
			slices.Sort(took[i])
			low[i] = took[i][len(took[i])/10]
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(low[0], "ns/check")
		b.ReportMetric(low[1]-low[0], "ns/meter")
		b.ReportMetric(float64(len(meter.Collect().Uses)), "uses")
	})
}
