package rolecall_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// studioOf builds a policy of 50,000 projects, each with a grant to one of 800 users, all of them in one group; every tenth
// project is private.
func studioOf(b *testing.B, when rolecall.Condition) *rolecall.Snapshot {
	statements := []rolecall.Statement{role("r0", rule(rolecall.Allow, "", "task.view", "shot.view", "*.update"))}
	for i := range 50_000 {
		at := rolecall.In("project", fmt.Sprintf("p%05d", i))
		statements = append(statements, grantWhen(grant(artist(i%800), "r0", at), when))
		if i%10 == 0 {
			statements = append(statements, private(at))
		}
	}
	for i := range 800 {
		statements = append(statements, member(artist(i), crowds))
	}
	statements = append(statements, grant(crowds, "r0", sibling), override(artist(8), rolecall.Deny, "task.view", rolecall.In("project", "p00008")))
	s, err := rolecall.NewSnapshot(worldCatalog, statements...)
	if err != nil {
		b.Fatal(err)
	}
	return s.At(day(1))
}

func artist(n int) rolecall.Subject { return rolecall.User(fmt.Sprintf("artist%d", n)) }

// BenchmarkScopesList lists some 60 projects of 50,000, from the snapshot to the last scope.
func BenchmarkScopesList(b *testing.B) {
	for _, c := range []struct {
		name string
		who  rolecall.Subject
		when rolecall.Condition
	}{{"allows", artist(7), ""}, {"conditions", artist(7), "assigned"}, {"deny", artist(8), ""}} {
		s := studioOf(b, c.when)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v, _ := s.For(c.who, nil)
				set, _ := v.Scopes("project", seeTask)
				list, _ := set.In(global)
				n := 0
				for range list.Included(rolecall.Scope{}) {
					n++
				}
				for range list.Conditional(rolecall.Scope{}) {
					n++
				}
				if n < 60 {
					b.Fatalf("%d projects, want 60 at least", n)
				}
			}
		})
	}
}

// BenchmarkReach asks of one event for subject after subject.
func BenchmarkReach(b *testing.B) {
	s := studioOf(b, "")
	r, err := s.Reach(seeTask, rolecall.In("project", "p00007").In("shot", "s"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	all := make([]rolecall.Subject, 800)
	for i := range all {
		all[i] = artist(i)
	}
	for n := 0; b.Loop(); n++ {
		r.Allows(all[n%800])
	}
}

// BenchmarkPlan plans a grant to one user, and to a group of 800.
func BenchmarkPlan(b *testing.B) {
	s := studioOf(b, "")
	for _, who := range []rolecall.Subject{artist(7), crowds} {
		b.Run(who.String(), func(b *testing.B) {
			b.ReportAllocs()
			put := rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant(who, "r0", rolecall.In("project", "p00100")))}}
			for b.Loop() {
				p, err := s.Plan(put)
				if err != nil || p.Empty() {
					b.Fatalf("Plan: %v, %v; want effects and no error", p, err)
				}
			}
		})
	}
}

// BenchmarkProvenance tells what a provenance of 100,000 statements takes, and what an answer costs.
func BenchmarkProvenance(b *testing.B) {
	var before, after runtime.MemStats
	const statements = 100_000
	runtime.GC()
	runtime.ReadMemStats(&before)
	var p rolecall.Provenance
	for i := range statements {
		delta := rolecall.Delta{After: grant(artist(i), "r0", project)}
		if err := p.Add(rolecall.Entry{Revision: rolecall.Revision(i + 1), Meta: rolecall.Meta{Actor: ann}, Deltas: []rolecall.Delta{delta}}); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	keys := make([]rolecall.StatementKey, 1000)
	for i := range keys {
		keys[i] = rolecall.KeyOf(grant(artist(i*97), "r0", project))
	}
	for n := 0; b.Loop(); n++ {
		if _, err := p.Of(keys[n%len(keys)], statements); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/statements, "B/statement")
}
