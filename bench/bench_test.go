package bench

import (
	"flag"
	"testing"

	"github.com/rolecall-go/rolecall"
)

var sizes = flag.String("sizes", "SM", "the sizes to benchmark")

// each runs a benchmark for every size, on a studio that answers rightly.
func each(b *testing.B, v Variant, run func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, questions []Question)) {
	for _, size := range Sizes(*sizes) {
		s := NewStudio(size, v, 1)
		snapshot := must(s.Snapshot())
		questions := s.Questions(s.enough(), Uniform)
		if err := Verify(snapshot, questions[:min(len(questions), 5_000)]); err != nil {
			b.Fatal(err)
		}
		b.Run(size.Name, func(b *testing.B) { run(b, s, snapshot, questions) })
	}
}

func timed(b *testing.B, op Op) {
	b.ReportAllocs()
	b.ResetTimer()
	op(b.N)
}

func BenchmarkLambda(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, _ *rolecall.Snapshot, questions []Question) {
		l := NewLambda(s, questions)
		l.Choose()
		timed(b, l.Op())
	})
}

func BenchmarkCheck(b *testing.B) {
	each(b, Plain, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		timed(b, CheckOp(snapshot, questions))
	})
}

func BenchmarkCheckMixed(b *testing.B) {
	each(b, Mixed, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		timed(b, CheckOp(snapshot, questions))
	})
}

func BenchmarkCheckConditions(b *testing.B) {
	each(b, Mixed|Conditions, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		timed(b, CheckFactsOp(snapshot, questions))
	})
}

func BenchmarkBoundCheck(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		timed(b, Bind(s, snapshot, 40, 500).Op())
	})
}

func BenchmarkFor(b *testing.B) {
	each(b, Plain, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		timed(b, ForOp(snapshot, questions))
	})
}

func BenchmarkResolver(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		resolver := s.Resolver(snapshot)
		b.Run("allowed", func(b *testing.B) { timed(b, ResolverOp(resolver, Answered(questions, true))) })
		b.Run("denied", func(b *testing.B) { timed(b, ResolverOp(resolver, Answered(questions, false))) })
	})
}

func BenchmarkWrite(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		timed(b, WriteOp(s, s.Resolver(snapshot), false))
	})
}

func BenchmarkRoleEdit(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		timed(b, RoleEditOp(s, s.Resolver(snapshot)))
	})
}

func BenchmarkLoad(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, _ *rolecall.Snapshot, _ []Question) {
		timed(b, func(n int) {
			for range n {
				must(s.Snapshot())
			}
		})
	})
}

func BenchmarkPage(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		timed(b, NewPage(s, 7).Op(snapshot))
	})
}

func BenchmarkList(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		timed(b, ListOp(s, snapshot))
	})
}

func BenchmarkDecide(b *testing.B) {
	each(b, Plain, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		timed(b, DecideOp(snapshot, questions))
	})
}

func BenchmarkPlan(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, _ []Question) {
		b.Run("user", func(b *testing.B) { timed(b, PlanOp(s, snapshot, false)) })
		b.Run("group", func(b *testing.B) { timed(b, PlanOp(s, snapshot, true)) })
	})
}

func BenchmarkRemedies(b *testing.B) {
	for _, v := range []Variant{Plain, Mixed} {
		b.Run(v.String(), func(b *testing.B) {
			each(b, v, func(b *testing.B, _ *Studio, snapshot *rolecall.Snapshot, questions []Question) {
				b.Run("denied", func(b *testing.B) { timed(b, RemedyOp(snapshot, Answered(questions, false))) })
				b.Run("allowed", func(b *testing.B) { timed(b, RemedyOp(snapshot, Answered(questions, true))) })
			})
		})
	}
}

func BenchmarkReaders(b *testing.B) {
	each(b, Plain, func(b *testing.B, s *Studio, snapshot *rolecall.Snapshot, questions []Question) {
		resolver := s.Resolver(snapshot)
		b.RunParallel(func(pb *testing.PB) {
			for check := ResolverOp(resolver, questions); pb.Next(); {
				check(1)
			}
		})
	})
}

func BenchmarkAdminister(b *testing.B) {
	for _, v := range []Variant{Plain, Mixed | Conditions} {
		for _, size := range Sizes(*sizes) {
			s := NewStudio(size, v, 1)
			snapshot := Administered(must(s.Snapshot()))
			for _, e := range Errands(s) {
				for by, actor := range map[string]rolecall.Subject{"host": {}, "steward": Steward()} {
					b.Run(v.String()+"/"+size.Name+"/"+e.Name+"/by="+by, func(b *testing.B) {
						start := processTime()
						timed(b, ProposeOp(snapshot, actor, e.Edits))
						b.ReportMetric(float64((processTime()-start).Nanoseconds())/float64(b.N), "processor-ns/op")
					})
				}
			}
		}
	}
}
