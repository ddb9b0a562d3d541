package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// The operations that the rows of the table measure. Each begins where it left off, so that every round sees other
// questions.

// must panics on an error: a benchmark that does not do what it says is worth nothing.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// CheckOp asks the snapshot one question after the other.
func CheckOp(snapshot *rolecall.Snapshot, questions []Question) Op {
	i, allowed := 0, uint32(0)
	return func(n int) {
		for range n {
			q := &questions[i]
			if snapshot.Check(q.Subject, q.Permission, q.Scope) == nil {
				allowed++
			}
			if i++; i == len(questions) {
				i = 0
			}
		}
		keep(allowed)
	}
}

// CheckFactsOp is CheckOp with the facts of the questions.
func CheckFactsOp(snapshot *rolecall.Snapshot, questions []Question) Op {
	holding, none := rolecall.Facts(rolecall.Given{assigned}), rolecall.Facts(rolecall.Given{})
	i, allowed := 0, uint32(0)
	return func(n int) {
		for range n {
			q := &questions[i]
			facts := none
			if q.Assigned {
				facts = holding
			}
			if snapshot.Check(q.Subject, q.Permission, q.Scope, facts) == nil {
				allowed++
			}
			if i++; i == len(questions) {
				i = 0
			}
		}
		keep(allowed)
	}
}

// Bound is a set of views with questions about the subject of each.
type Bound struct {
	views     []*rolecall.View
	questions [][]Question
}

// Bind makes views of random subjects, and questions for each.
func Bind(s *Studio, snapshot *rolecall.Snapshot, subjects, each int) *Bound {
	r := rand.New(rand.NewPCG(s.Seed, 99))
	b := &Bound{}
	for len(b.views) < subjects {
		user := r.IntN(s.Users)
		questions := s.QuestionsOf(user, each)
		if len(questions) < each { // nearly nothing, or nearly everything, is allowed
			continue
		}
		b.views = append(b.views, must(snapshot.For(s.User(user), nil)))
		b.questions = append(b.questions, questions)
	}
	return b
}

// Op asks each view all its questions before it goes on to the next view.
func (b *Bound) Op() Op {
	v, i, allowed := 0, 0, uint32(0)
	return func(n int) {
		for range n {
			q := &b.questions[v][i]
			if b.views[v].Check(q.Permission, q.Scope) == nil {
				allowed++
			}
			if i++; i == len(b.questions[v]) {
				i = 0
				if v++; v == len(b.views) {
					v = 0
				}
			}
		}
		keep(allowed)
	}
}

// ForOp binds the snapshot to the subjects of the questions.
func ForOp(snapshot *rolecall.Snapshot, questions []Question) Op {
	i := 0
	return func(n int) {
		for range n {
			must(snapshot.For(questions[i].Subject, nil))
			if i++; i == len(questions) {
				i = 0
			}
		}
	}
}

// ResolverOp asks a resolver.
func ResolverOp(resolver *rolecall.Resolver, questions []Question) Op {
	ctx := context.Background()
	i, allowed := 0, uint32(0)
	return func(n int) {
		for range n {
			q := &questions[i]
			if resolver.Check(ctx, q.Subject, q.Permission, q.Scope) == nil {
				allowed++
			}
			if i++; i == len(questions) {
				i = 0
			}
		}
		keep(allowed)
	}
}

// Answered returns the questions with that answer.
func Answered(questions []Question, allowed bool) []Question {
	var list []Question
	for _, q := range questions {
		if q.Allowed == allowed {
			list = append(list, q)
		}
	}
	return list
}

// DecideOp asks for the whole explanation.
func DecideOp(snapshot *rolecall.Snapshot, questions []Question) Op {
	i := 0
	return func(n int) {
		for range n {
			q := &questions[i]
			must(snapshot.Decide(rolecall.Request{Subject: q.Subject, Permission: q.Permission, Scope: q.Scope, Facts: q.Facts()}))
			if i++; i == len(questions) {
				i = 0
			}
		}
	}
}

// Resolver opens a resolver over a memory store that holds the snapshot already, so that the statements are not kept
// twice.
func (s *Studio) Resolver(snapshot *rolecall.Snapshot) *rolecall.Resolver {
	store := &preloaded{Store: memstore.With(snapshot), studio: s}
	return must(rolecall.Open(context.Background(), store, s.Catalog, &rolecall.Options{Clock: func() time.Time { return s.Now }}))
}

// preloaded is a memory store that hands its statements out in the order in which the studio makes them, which takes
// less memory than the sorted one.
type preloaded struct {
	*memstore.Store
	studio *Studio
}

// Load returns the studio's statements at the store's revision.
func (p *preloaded) Load(ctx context.Context) (rolecall.State, error) {
	state, err := p.Store.Load(ctx)
	state.Statements = func(yield func(rolecall.Statement, error) bool) {
		for st := range p.studio.Statements() {
			if !yield(st, nil) {
				return
			}
		}
	}
	return state, err
}

// WriteOp grants and revokes in turn, each time until the resolver answers accordingly. An operation is one change. The
// grants are placed at projects that the policy knows, or at places that it has never heard of.
func WriteOp(s *Studio, resolver *rolecall.Resolver, unheard bool) Op {
	ctx := context.Background()
	r, revoke := rand.New(rand.NewPCG(s.Seed, 7)), false
	var g rolecall.Grant
	may := probeGrant()
	return func(n int) {
		for range n {
			edit := rolecall.Remove(g)
			if !revoke {
				g = rolecall.Grant{Subject: s.User(r.IntN(s.Users)), Role: Fresh, Scope: s.Project(r.IntN(s.Projects))}
				if unheard {
					g.Scope = g.Scope.In("task", "fresh")
				}
				edit = rolecall.Put(g)
			}
			must(resolver.Update(ctx, rolecall.Meta{Reason: "measured"}, func(*rolecall.Snapshot) (rolecall.Change, error) {
				return rolecall.Change{Edits: []rolecall.Edit{edit}}, nil
			}))
			if err := resolver.Check(ctx, g.Subject, may, g.Scope); revoke != errors.Is(err, rolecall.ErrDenied) {
				panic(fmt.Sprintf("after a change: %v", err))
			}
			revoke = !revoke
		}
	}
}

// RoleEditOp changes a role that many subjects hold, each time until the resolver answers accordingly.
func RoleEditOp(s *Studio, resolver *rolecall.Resolver) Op {
	ctx := context.Background()
	wide := false
	holder, may := s.User(0), probeEdit()
	return func(n int) {
		for range n {
			wide = !wide
			role := rolecall.Role{Name: Edited, Rules: []rolecall.Rule{allow("playlist.publish")}}
			if wide {
				role.Rules = append(role.Rules, allow(probeEdit().String()))
			}
			must(resolver.Update(ctx, rolecall.Meta{Reason: "measured"}, func(*rolecall.Snapshot) (rolecall.Change, error) {
				return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(role)}}, nil
			}))
			if err := resolver.Check(ctx, holder, may, s.Project(0)); wide == errors.Is(err, rolecall.ErrDenied) {
				panic(fmt.Sprintf("after a role edit: %v", err))
			}
		}
	}
}

// A Page is 5,000 versions of 900 tasks in 4 projects, to be asked with 3 permissions for one subject.
type Page struct {
	Subject     rolecall.Subject
	Targets     []rolecall.Target
	Permissions []rolecall.Permission
}

// NewPage makes the page of a user. Where facts are in play each task has its own.
func NewPage(s *Studio, user int) *Page {
	r := rand.New(rand.NewPCG(s.Seed, 5))
	p := &Page{Subject: s.User(user)}
	for _, name := range []string{"version.view", "version.update", "version.publish"} {
		p.Permissions = append(p.Permissions, rolecall.NewPermission(name))
	}
	var tasks []rolecall.Target
	for n := range 900 {
		t := rolecall.Target{Scope: task(r, shot(r, s.Project(n%4)))}
		if s.Variant&Conditions != 0 {
			t.Facts = rolecall.Given{}
			if r.IntN(3) == 0 {
				t.Facts = rolecall.Given{assigned}
			}
		}
		tasks = append(tasks, t)
	}
	for n := range 5_000 {
		t := tasks[n*len(tasks)/5_000]
		t.Scope = copyScope(t.Scope.In("version", fmt.Sprintf("v%03d", n%60)))
		p.Targets = append(p.Targets, t)
	}
	return p
}

// Op answers the whole page, the binding of the subject included.
func (p *Page) Op(snapshot *rolecall.Snapshot) Op {
	return func(n int) {
		for range n {
			view := must(snapshot.For(p.Subject, nil))
			answers := must(view.CheckAll(p.Targets, p.Permissions...))
			if answers.Allowed(0, 0) {
				keep(1)
			}
		}
	}
}

// ListOp lists the projects that the lister may see: 60 of them.
func ListOp(s *Studio, snapshot *rolecall.Snapshot) Op {
	who, may := s.Lister(), ListedPermission()
	want := min(60, s.Projects)
	return func(n int) {
		for range n {
			set := must(must(snapshot.For(who, nil)).Scopes("project", may))
			projects := 0
			for range must(set.In(rolecall.Global())).Included(rolecall.Global()) {
				projects++
			}
			if projects != want {
				panic(fmt.Sprintf("the lister sees %d projects, want %d", projects, want))
			}
		}
	}
}

// A Race is what readers did in a while.
type Race struct {
	Checks  float64 // a second, all readers together
	PerCPU  float64 // a second of processor time that a reader got
	Commits float64 // a second
}

// Run lets one reader or two check, each its own half of the questions, beside a writer that commits as fast as it can or without one.
func Run(s *Studio, resolver *rolecall.Resolver, questions []Question, readers int, writer bool, d time.Duration) Race {
	var stop atomic.Bool
	var wait sync.WaitGroup
	counts, cpu := make([]float64, readers), make([]time.Duration, readers)
	commits := 0.0
	if writer {
		wait.Go(func() {
			for write := WriteOp(s, resolver, false); !stop.Load(); commits += 2 {
				write(2)
			}
		})
	}
	for i := range readers {
		wait.Go(func() {
			cpu[i] = processorTime(func() {
				part := len(questions) / 2
				for check := ResolverOp(resolver, questions[i*part:(i+1)*part]); !stop.Load(); counts[i] += 256 {
					check(256)
				}
			})
		})
	}
	time.Sleep(d)
	stop.Store(true)
	wait.Wait()
	var race Race
	for i, n := range counts {
		race.Checks += n / d.Seconds()
		race.PerCPU += n / cpu[i].Seconds() / float64(readers)
	}
	race.Commits = commits / d.Seconds()
	return race
}
