package bench

import (
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlfilter"
)

// Every list agrees with the right answers, whatever is in play.
func TestListsAgree(t *testing.T) {
	for _, v := range []Variant{Plain, Mixed, Mixed | Conditions} {
		s := NewStudio(Small(), v, 1)
		if err := VerifyLists(must(s.Snapshot()), s.Questions(2_000, Uniform)); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

// BenchmarkListings measures one question an operation, and tells what a part of its answer takes.
func BenchmarkListings(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		for _, l := range s.Listings(snapshot) {
			b.Run(l.Name, func(b *testing.B) {
				parts := l.Parts()
				b.ResetTimer()
				before := processTime()
				l.Op()(b.N)
				b.ReportMetric(float64((processTime()-before).Nanoseconds())/float64(b.N)/parts, "cpu-ns/part")
				b.ReportMetric(parts, "parts")
			})
		}
	})
}

func BenchmarkPermissions(b *testing.B) {
	each(b, Plain, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		timed(b, PermissionsOp(snapshot, questions))
	})
}

func BenchmarkRules(b *testing.B) {
	each(b, Plain, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		timed(b, RulesOp(snapshot, questions))
	})
}

func BenchmarkPlanWide(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		timed(b, PlanWideOp(s, snapshot))
	})
}

// BenchmarkFilter writes the filter for the projects that the lister may see, from the snapshot to the SQL.
func BenchmarkFilter(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		table := &sqlfilter.Table{Dialect: sqlfilter.PostgreSQL, Path: []sqlfilter.Level{{Kind: "project", ID: "p.id"}}}
		timed(b, func(n int) {
			for range n {
				set := must(must(snapshot.For(s.Lister(), nil)).Scopes("project", ListedPermission()))
				where := must(sqlfilter.Where(set, table))
				if len(where.Args) != min(60, s.Projects) {
					b.Fatalf("a filter of %d projects, want 60", len(where.Args))
				}
			}
		})
	})
}
