package bench

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A Table measures every row and prints it beside its bar.
type Table struct {
	Out    io.Writer
	Sizes  []Size
	Rounds int
	Seed   uint64

	million *Lambda            // of as many users as the large studio has
	plain   map[string]float64 // check at a size, in λ of that size
	bound   map[string]float64 // bound check at a size, in ns
	write   map[string]float64 // a grant at a size, in ns
}

// Run measures the sizes one after the other, and keeps one studio in memory at a time.
func (t *Table) Run() error {
	fmt.Fprintf(t.Out, "%s %s/%s, %d processors, %d rounds, seed %d\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), t.Rounds, t.Seed)
	t.plain, t.bound, t.write = map[string]float64{}, map[string]float64{}, map[string]float64{}
	million := NewStudio(Large(), Plain, t.Seed)
	t.million = NewLambda(million, strangers(million, asked))
	which := t.million.Choose()
	fmt.Fprintf(t.Out, "λ is one lookup in a %s.\n\n", which)
	t.row("| row | measured | ns | λ ns | B | allocs | ratio | bar | |")
	t.row("|---|---|---|---|---|---|---|---|---|")
	for _, size := range t.Sizes {
		if err := t.size(size); err != nil {
			return err
		}
	}
	t.growth("growth of the bound check", t.bound, 2)
	t.growth("growth of a write", t.write, 2)
	return nil
}

// asked is how many operations a round does, and how many questions about the largest studio there are: enough that
// neither they nor what they ask for stays cached.
const asked = 100_000

// enough is the number of questions to ask about a studio.
func (s *Studio) enough() int { return min(asked, max(2_000, 5*s.Users)) }

// strangers returns questions of which only the subjects matter: random users.
func strangers(s *Studio, n int) []Question {
	r := s.rand(streamQuestions, 77)
	list := make([]Question, n)
	for i := range list {
		list[i].Subject = s.User(r.IntN(s.Users))
	}
	return list
}

func (t *Table) row(format string, args ...any) { fmt.Fprintf(t.Out, format+"\n", args...) }

// show prints one row. A bar of 0 is none.
func (t *Table) show(row, what string, f Figure, unit string, bar float64) {
	verdict, limit := "", ""
	if bar > 0 {
		verdict, limit = "pass", fmt.Sprintf("≤ %g %s", bar, unit)
		if f.Ratio > bar {
			verdict = "MISS"
		}
	}
	t.row("| %s | %s | %.4g | %.4g | %.4g | %.3g | %.3g %s | %s | %s |", row, what, f.NS, f.Unit, f.Bytes, f.Allocs, f.Ratio, unit, limit, verdict)
}

func (t *Table) growth(row string, at map[string]float64, bar float64) {
	small, large := at["S"], at["L"]
	if small > 0 && large > 0 {
		t.show(row, "S → L", Figure{NS: large, Unit: small, Ratio: large / small}, "×", bar)
	}
}

func (t *Table) size(size Size) error {
	if err := t.plainly(NewStudio(size, Plain, t.Seed)); err != nil {
		return err
	}
	for _, v := range []Variant{Mixed, Mixed | Conditions} {
		if err := t.variant(NewStudio(size, v, t.Seed)); err != nil {
			return err
		}
	}
	return nil
}

// plainly measures the rows of the plain variant.
func (t *Table) plainly(s *Studio) error {
	snapshot, err := t.load(s)
	if err != nil {
		return err
	}
	questions, err := t.checks(s, snapshot)
	if err != nil {
		return err
	}
	if err := t.boundChecks(s, snapshot); err != nil {
		return err
	}
	t.lists(s, snapshot)
	t.administration(s, snapshot)
	if err := t.answers(s, snapshot, questions); err != nil {
		return err
	}
	t.resolver(s, snapshot, questions)
	return nil
}

// administration measures the judging of changes by an actor; nothing is committed.
func (t *Table) administration(s *Studio, snapshot *rolecall.Snapshot) {
	snapshot = Administered(snapshot)
	for _, e := range Errands(s) {
		f := Compare(t.Rounds, ProposeOp(snapshot, Steward(), e.Edits), 100, t.million.Op(), asked)
		f.Ratio = f.NS / 1e6
		t.show("by an actor: "+e.Name, s.Name+", "+s.Variant.String(), f, "ms", e.Bar)
	}
}

// load measures the loading of a studio on one processor, without the making of its statements, and its heap.
func (t *Table) load(s *Studio) (*rolecall.Snapshot, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	grants := 0
	start := processTime()
	for st := range s.Statements() {
		if _, ok := st.(rolecall.Grant); ok {
			grants++
		}
	}
	making := processTime() - start
	before := heap()
	start = processTime()
	snapshot, err := s.Snapshot()
	if err != nil {
		return nil, err
	}
	loading := processTime() - start - making
	used := float64(heap()-before) / float64(grants)
	unit := Compare(5, t.million.Op(), asked, t.million.Op(), asked).NS
	ns := float64(loading.Nanoseconds()) / float64(grants)
	bars := map[bool][2]float64{true: {15, 100}}[s.Size == Large()]
	t.show("loading, a grant", s.Name, Figure{NS: ns, Unit: unit, Ratio: ns / unit}, "λ", bars[0])
	t.show("heap, a grant", fmt.Sprintf("%s, %d grants", s.Name, grants), Figure{Ratio: used}, "B", bars[1])
	return snapshot, nil
}

// checks returns the questions about uniformly random users.
func (t *Table) checks(s *Studio, snapshot *rolecall.Snapshot) (uniform []Question, err error) {
	for _, draw := range []Draw{Uniform, Zipf} {
		questions := s.Questions(s.enough(), draw)
		if err := Verify(snapshot, questions[:min(len(questions), 20_000)]); err != nil {
			return nil, err
		}
		lambda := NewLambda(s, questions)
		lambda.Choose()
		f := Compare(t.Rounds, CheckOp(snapshot, questions), asked, lambda.Op(), asked)
		name := "check, random subjects"
		if draw == Zipf {
			name = "check, Zipf subjects"
		} else {
			t.plain[s.Name], uniform = f.Ratio, questions
		}
		t.show(name, s.Name+", λ of that size", f, "λ", 2.5)
		if draw == Zipf {
			continue
		}
		t.show("a look-up that waits for the one before", s.Name+", λ of that size", Compare(t.Rounds, lambda.Waiting(), asked, lambda.Op(), asked), "λ", 0)
		t.show("full explanation", s.Name, Compare(t.Rounds, DecideOp(snapshot, questions), asked/10, t.million.Op(), asked), "λ", 200)
		t.show("making a view", s.Name, Compare(t.Rounds, ForOp(snapshot, questions), asked/10, t.million.Op(), asked), "λ", 0)
	}
	return uniform, nil
}

func (t *Table) boundChecks(s *Studio, snapshot *rolecall.Snapshot) error {
	bound := Bind(s, snapshot, 40, 1_000)
	for i := range bound.questions {
		if err := Verify(snapshot, bound.questions[i][:100]); err != nil {
			return err
		}
	}
	f := Compare(t.Rounds, bound.Op(), asked, t.million.Op(), asked)
	t.bound[s.Name] = f.NS
	t.show("check, bound subject", s.Name, f, "λ", 0.5)
	return nil
}

func (t *Table) lists(s *Studio, snapshot *rolecall.Snapshot) {
	t.show("listing 60 projects", fmt.Sprintf("%s, of %d", s.Name, s.Projects), Compare(t.Rounds, ListOp(s, snapshot), 100, t.million.Op(), asked), "λ", 200)
	page := NewPage(s, 7)
	t.show("page: 5,000 versions × 3 permissions", s.Name, Compare(t.Rounds, page.Op(snapshot), 20, t.million.Op(), asked), "λ", 1500)
}

// answers measures the questions whose answers are lists.
func (t *Table) answers(s *Studio, snapshot *rolecall.Snapshot, questions []Question) error {
	if err := VerifyLists(snapshot, questions[:listsVerified[s.Name]]); err != nil {
		return err
	}
	for _, l := range s.Listings(snapshot) {
		t.show(l.Name+", "+l.Part, fmt.Sprintf("%s, of %.4g in an answer", s.Name, l.Parts()), l.Compare(t.Rounds, t.million.Op(), asked), "λ", 0)
	}
	for _, l := range []struct {
		name string
		op   Op
	}{{"what may a subject do at a place", PermissionsOp(snapshot, questions)}, {"with the rule of each", RulesOp(snapshot, questions)}} {
		t.show(l.name, fmt.Sprintf("%s, %d permissions", s.Name, len(s.Permissions)), Compare(t.Rounds, l.op, 500, t.million.Op(), asked), "λ", 0)
	}
	f := Compare(t.Rounds, PlanWideOp(s, snapshot), 100, t.million.Op(), asked)
	f.Ratio = f.NS / 1e6
	t.show("plan of a grant of a wide role", s.Name, f, "ms", 1)
	for _, allowed := range []bool{true, false} {
		f := Compare(3, RemedyOp(snapshot, Answered(questions, allowed)), 5, t.million.Op(), asked)
		f.Ratio = f.NS / 1e6
		t.show(fmt.Sprintf("remedies, allowed %v", allowed), s.Name, f, "ms", 0)
	}
	return nil
}

// listsVerified is how many questions are asked as lists before anything is timed; in the large studio nearly everybody is
// in an answer.
var listsVerified = map[string]int{"S": 2_000, "M": 500, "L": 10}

func (t *Table) resolver(s *Studio, snapshot *rolecall.Snapshot, questions []Question) {
	resolver := s.Resolver(snapshot)
	for _, allowed := range []bool{true, false} {
		some := Answered(questions, allowed)
		f := Compare(t.Rounds, ResolverOp(resolver, some), asked/2, CheckOp(snapshot, some), asked/2)
		t.show(fmt.Sprintf("Resolver.Check, allowed %v", allowed), s.Name+", unit: Snapshot.Check", f, "×", 1.3)
	}
	runtime.GC()
	for _, unheard := range []bool{true, false} {
		where := s.Name + ", at a known project"
		if unheard {
			where = s.Name + ", at a new place"
		}
		f := Compare(t.Rounds, WriteOp(s, resolver, unheard), 500, t.million.Op(), asked)
		t.write[s.Name] = f.NS
		t.show("grant or revoke until visible", where, f, "λ", 300)
		f.Ratio = f.Bytes
		t.show("grant or revoke, allocated", where, f, "B", 20_000)
	}
	f := Compare(t.Rounds, RoleEditOp(s, resolver), 20, t.million.Op(), asked)
	t.show(fmt.Sprintf("edit of a role held by %d", min(EditedBy, s.Users)), s.Name, f, "λ", 10_000)
	t.races(s, s.Resolver(snapshot), Answered(questions, true))
}

// races compares two readers with one, and judges by the clock, or by checks for each second of processor time where the
// machine has fewer processors than there are readers and writer. Readers ask what is allowed: a refusal allocates an
// error, so that what is compared would be how often the garbage collector runs.
func (t *Table) races(s *Studio, resolver *rolecall.Resolver, questions []Question) {
	for _, writer := range []bool{false, true} {
		runtime.GC()
		var wall, perCPU, commits []float64
		for range t.Rounds {
			one := Run(s, resolver, questions, 1, writer, 200*time.Millisecond)
			two := Run(s, resolver, questions, 2, writer, 200*time.Millisecond)
			wall, perCPU = append(wall, two.Checks/one.Checks), append(perCPU, 2*two.PerCPU/one.PerCPU)
			commits = append(commits, two.Commits)
		}
		what, judged := "no writer", median(wall)
		if writer {
			what = fmt.Sprintf("writer at %.0f commits a second", median(commits))
			if runtime.GOMAXPROCS(0) < 3 {
				judged = median(perCPU)
			}
		}
		verdict := "pass"
		if judged < 1.9 {
			verdict = "MISS"
		}
		t.row("| two readers against one | %s, %s | | | | | %.3g × by the clock, %.3g × by processor time | ≥ 1.9 × | %s |", s.Name, what, median(wall), median(perCPU), verdict)
	}
}

// variant compares a check with things in play with the plain one, both in λ of the size.
func (t *Table) variant(s *Studio) error {
	snapshot, err := s.Snapshot()
	if err != nil {
		return err
	}
	questions := s.Questions(s.enough(), Uniform)
	if err := Verify(snapshot, questions[:min(len(questions), 20_000)]); err != nil {
		return err
	}
	lambda := NewLambda(s, questions)
	lambda.Choose()
	check, bar := CheckOp(snapshot, questions), 2.0
	if s.Variant&Conditions != 0 {
		check, bar = CheckFactsOp(snapshot, questions), 0
	}
	f := Compare(t.Rounds, check, asked, lambda.Op(), asked)
	f.Ratio /= t.plain[s.Name]
	t.show("check with "+s.Variant.String(), s.Name+", unit: the plain check", f, "×", bar)
	page := NewPage(s, 7)
	t.administration(s, snapshot)
	t.show("page with "+s.Variant.String(), s.Name, Compare(t.Rounds, page.Op(snapshot), 20, t.million.Op(), asked), "λ", 0)
	return nil
}
