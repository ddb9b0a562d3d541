package bench

import (
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
)

// BenchmarkLint looks through the whole policy; the studio's own statements are what it finds things in.
func BenchmarkLint(b *testing.B) {
	for name, v := range map[string]Variant{"plain": Plain, "mixed": Mixed | Conditions} {
		b.Run(name, func(b *testing.B) {
			each(b, v, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
				b.ReportAllocs()
				before, found := processTime(), 0
				for b.Loop() {
					found = len(must(review.Lint(snapshot, nil)))
				}
				b.ReportMetric(float64((processTime()-before).Microseconds())/float64(b.N)/1000, "cpu-ms/op")
				b.ReportMetric(float64(found), "diagnostics")
			})
		})
	}
}
