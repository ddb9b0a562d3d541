package storetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

func storesOf(breakIt func(*naive)) Stores {
	made := func(most int) *naive {
		n := newNaive()
		n.most = most
		breakIt(n)
		return n
	}
	return Stores{
		New:        func(context.Context) (rolecall.Store, error) { return made(0), nil },
		Compacting: func(_ context.Context, n int) (rolecall.Store, error) { return made(n), nil },
		Again:      func(_ context.Context, s rolecall.Store) (rolecall.Store, error) { return s, nil },
	}
}

// otherHandle breaks the second handle of a store only, and lets fakeTime pass in every commit of both.
func otherHandle(breakIt func(*naive)) Stores {
	s := storesOf(func(n *naive) { n.before = fakeTime })
	s.Again = func(_ context.Context, of rolecall.Store) (rolecall.Store, error) {
		n := newNaive()
		n.ledger, n.named, n.before = of.(*naive).ledger, of.(*naive).named, fakeTime
		breakIt(n)
		return n, nil
	}
	return s
}

// fakeTime passes once every other goroutine waits for something: the tests run in a bubble.
func fakeTime() { time.Sleep(time.Millisecond) }

// Each store is wrong in one way, in circumstances so narrow that one case alone meets them. That case must notice.
var wrongStores = []struct {
	name   string // of the case
	how    string
	stores Stores
}{
	{"new-store-is-empty", "says compacted where there is no history yet", storesOf(func(n *naive) {
		later := n.told
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			if n.revision() == 0 {
				return func(yield func(rolecall.Entry, error) bool) { yield(rolecall.Entry{}, rolecall.ErrCompacted) }
			}
			return later(seq)
		}
	})},
	{"history-is-named", "History says something else than Load", storesOf(func(n *naive) { n.named = "another" })},
	{"history-is-its-own", "every store has one history", storesOf(func(n *naive) { n.history, n.named = "same", "same" })},
	{"load-returns-what-was-committed", "forgets Pierce beside Replace", storesOf(func(n *naive) {
		n.show = func(s rolecall.Statement) rolecall.Statement {
			if g, ok := s.(rolecall.Grant); ok && g.Replace {
				g.Pierce = false
				return g
			}
			return rolecall.Canonical(s)
		}
	})},
	{"load-yields-each-statement-once", "yields one twice", storesOf(func(n *naive) {
		n.read = func(seq iter.Seq2[rolecall.Statement, error]) stream {
			return func(yield func(rolecall.Statement, error) bool) {
				for s, err := range seq {
					for range 2 {
						if !yield(s, err) {
							return
						}
					}
				}
			}
		}
	})},
	{"load-is-of-one-moment", "reads what follows ten statements later", storesOf(func(n *naive) {
		n.read = func(seq iter.Seq2[rolecall.Statement, error]) stream {
			return func(yield func(rolecall.Statement, error) bool) {
				i := 0
				for s, err := range seq {
					if i++; i > 10 && err == nil && n.statements[rolecall.KeyOf(s).String()] == nil {
						continue
					}
					if !yield(s, err) {
						return
					}
				}
			}
		}
	})},
	{"load-can-be-left", "has a hundred connections, given back by who reads to the end", storesOf(func(n *naive) {
		left := 100
		n.read = func(seq iter.Seq2[rolecall.Statement, error]) stream {
			return func(yield func(rolecall.Statement, error) bool) {
				if left == 0 {
					yield(nil, errors.New("no connection is left"))
					return
				}
				left--
				for s, err := range seq {
					if !yield(s, err) && err == nil {
						return
					}
				}
				left++
			}
		}
	})},
	{"load-belongs-to-the-caller", "hands out what it keeps", storesOf(func(n *naive) {
		n.show = func(s rolecall.Statement) rolecall.Statement { return s }
	})},
	{"revisions-are-consecutive", "counts one too many once", storesOf(func(n *naive) {
		n.label = func(r rolecall.Revision, statements int) rolecall.Revision {
			if r == 35 && statements == 35 {
				return 36
			}
			return r
		}
	})},
	{"put-replaces-under-a-key", "keeps the first grant to Ada under a key", storesOf(func(n *naive) {
		n.put = func(d rolecall.Delta) rolecall.Delta {
			if g, ok := d.After.(rolecall.Grant); ok && d.Before != nil && g.Subject == rolecall.User("ada") {
				d.After = d.Before
			}
			return d
		}
	})},
	{"removed-is-gone", "keeps the grants to Bob", storesOf(func(n *naive) {
		n.put = func(d rolecall.Delta) rolecall.Delta {
			if g, ok := d.Before.(rolecall.Grant); ok && d.After == nil && g.Subject == rolecall.User("bob") {
				d.After = g
			}
			return d
		}
	})},
	{"keys-are-whole", "removes with a grant what differs in its condition and in whether it is eligible", storesOf(func(n *naive) {
		n.put = func(d rolecall.Delta) rolecall.Delta {
			if g, ok := d.Before.(rolecall.Grant); ok && d.After == nil && (g.When != "" || g.Eligible) {
				for key, s := range n.statements {
					if o, ok := s.(rolecall.Grant); ok && o.Subject == g.Subject && o.Role == g.Role && o.Scope == g.Scope {
						delete(n.statements, key)
					}
				}
			}
			return d
		}
	})},
	{"keys-are-whole", "has one override of a subject for a permission at a place", folding(func(k string) string {
		before, _, conditional := strings.Cut(k, " when own")
		if conditional && strings.HasPrefix(k, "override ") && strings.Contains(k, " doc.view ") {
			return before
		}
		return k
	})},
	{"kinds-are-apart", "has one table for what has a name", folding(replacing("constraint ", "role "))},
	{"stale-base-conflicts", "says nothing of a change that comes late", storesOf(func(n *naive) {
		n.conflicts = func(p *rolecall.Proposal, wrong bool) error {
			if wrong && about(p, "late") {
				return errors.New("busy")
			}
			return conflict(wrong)
		}
	})},
	{"kept-proposal-conflicts", "takes a repeated commit for a retry", storesOf(func(n *naive) {
		var last *rolecall.Proposal
		n.conflicts = func(p *rolecall.Proposal, wrong bool) error {
			if p == last {
				return errors.New("done already")
			}
			if !wrong {
				last = p
			}
			return conflict(wrong)
		}
	})},
	{"conflict-changes-nothing", "writes first and looks then", storesOf(func(n *naive) {
		n.conflicts = func(p *rolecall.Proposal, wrong bool) error {
			if wrong && about(p, "late") {
				n.statements["late"] = grant("late")
			}
			return conflict(wrong)
		}
	})},
	{"base-ahead-conflicts", "refuses earlier bases only", storesOf(func(n *naive) {
		n.conflicts = func(p *rolecall.Proposal, wrong bool) error { return conflict(wrong && p.Base() <= n.now()) }
	})},
	{"other-history-conflicts", "wants some history only", storesOf(func(n *naive) {
		n.conflicts = func(p *rolecall.Proposal, _ bool) error { return conflict(p.Base() != n.now() || p.History() == "") }
	})},
	{"no-history-conflicts", "takes a proposal without a history for its own", storesOf(func(n *naive) {
		n.conflicts = func(p *rolecall.Proposal, wrong bool) error {
			return conflict(wrong && (p.Base() != n.now() || p.History() != ""))
		}
	})},
	{"one-of-many-wins", "looks first and writes later", storesOf(func(n *naive) { n.checked = fakeTime })},
	{"big-batches", "counts in sixteen bits", keepingOnly(1<<16 - 1)},
	{"big-batches", "counts in nine bits, in a light run", ofSize(600, keepingOnly(1<<9-1))},
	{"changes-tell-who-and-why", "keeps microseconds beside a reason", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries {
			for i := range list {
				if list[i].Reason != "" {
					list[i].Time = list[i].Time.Truncate(time.Microsecond)
				}
			}
			return list
		}
	})},
	{"changes-tell-who-and-why", "forgets on whose behalf", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries {
			for i := range list {
				list[i].OnBehalf = rolecall.Subject{}
			}
			return list
		}
	})},
	{"changes-tell-before-and-after", "loses the order of deltas", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries {
			for i := range list {
				if len(list[i].Deltas) > 3 {
					slices.Reverse(list[i].Deltas)
				}
			}
			return list
		}
	})},
	{"changes-are-complete", "loses an entry between pages", storesOf(func(n *naive) { n.feed = paged(func(page entries) entries { return page[1:] }) })},
	{"changes-are-complete", "repeats an entry between pages", storesOf(func(n *naive) {
		n.feed = paged(func(page entries) entries { return append(page[:1:1], page...) })
	})},
	{"changes-are-complete", "sorts the second page as text", storesOf(func(n *naive) {
		n.feed = paged(func(page entries) entries { slices.Reverse(page); return page })
	})},
	{"changes-are-complete", "has a limit of a thousand entries", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries { return list[:min(len(list), 1000)] }
	})},
	{"changes-are-complete", "has one page only", storesOf(func(n *naive) { n.feed = paged(func(entries) entries { return nil }) })},
	{"changes-tell-of-nothing", "finds the latest entry by what it altered", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries {
			if last := len(list) - 1; last >= 0 && len(list[last].Deltas) == 0 {
				return list[:last]
			}
			return list
		}
	})},
	{"changes-tell-of-nothing", "has no change of what is empty", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries {
			return slices.DeleteFunc(list, func(e rolecall.Entry) bool { return e.Revision == 1 && len(e.Deltas) == 0 })
		}
	})},
	{"changes-tell-of-nothing", "is at the revision of what was altered last", storesOf(func(n *naive) {
		n.label = func(r rolecall.Revision, statements int) rolecall.Revision {
			if statements == 0 {
				return 0
			}
			return r
		}
	})},
	{"changes-resume", "counts an entry that was not taken", storesOf(func(n *naive) {
		left := false
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				skip := left
				left = false
				for e, err := range seq {
					if skip && err == nil {
						skip = false
						continue
					}
					if !yield(e, err) {
						left = err == nil
						return
					}
				}
			}
		}
	})},
	{"changes-end-at-the-present", "waits where nothing is new and the last change altered nothing", storesOf(func(n *naive) {
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				told := 0
				for e, err := range seq {
					if told++; !yield(e, err) {
						return
					}
				}
				if log := n.kept(); told == 0 && len(log) > 0 && len(log[len(log)-1].Deltas) == 0 {
					yield(rolecall.Entry{}, context.DeadlineExceeded)
				}
			}
		}
	})},
	{"changes-can-be-left", "has a hundred cursors, given back by who reads to the end", storesOf(func(n *naive) {
		left := 100
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				if left == 0 {
					yield(rolecall.Entry{}, errors.New("no cursor is left"))
					return
				}
				left--
				for e, err := range seq {
					if !yield(e, err) && err == nil {
						return
					}
				}
				left++
			}
		}
	})},
	{"changes-allow-calls-inside", "keeps its lock while the feed of a history that is whole is read", storesOf(func(n *naive) {
		if n.most > 0 {
			return
		}
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				var list entries
				for e, err := range seq {
					if err != nil {
						yield(e, err)
						return
					}
					list = append(list, e)
				}
				n.lock <- struct{}{}
				defer n.release()
				for _, e := range list {
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	})},
	{"changes-continue-a-load", "reads the revision before the statements", storesOf(func(n *naive) { n.labelled = fakeTime })},
	{"changes-belong-to-the-caller", "hands out the history that it keeps", storesOf(func(n *naive) {
		n.feed = func(after rolecall.Revision, list []rolecall.Entry) entries {
			log := n.kept()
			return log[len(log)-len(list):]
		}
	})},
	{"no-such-revision-is-compacted", "says nothing of the future", storesOf(func(n *naive) {
		n.lacks = func(after rolecall.Revision) error {
			if after > n.now() {
				return nil
			}
			return rolecall.ErrCompacted
		}
	})},
	{"compacted-is-told", "begins with what it has", storesOf(func(n *naive) {
		n.lacks = func(after rolecall.Revision) error {
			if after < n.dropped {
				return nil
			}
			return rolecall.ErrCompacted
		}
	})},
	{"compacted-meanwhile-is-told", "asks for the next page until there is none", pagedUntilEmpty(1000)},
	{"compacted-meanwhile-is-told", "asks for the next page after a full one", pagedUntilEmpty(100)},
	{"compacted-meanwhile-is-told", "ends in silence where the next entry is gone", storesOf(func(n *naive) {
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				for e, err := range seq {
					if err == nil && n.gone(e.Revision) || !yield(e, err) {
						return
					}
				}
			}
		}
	})},
	{"compaction-keeps-the-rest", "keeps one entry of three too few", storesOf(func(n *naive) {
		if n.most == 3 {
			n.most = 2
		}
	})},
	{"wait-returns-at-once", "looks for exactly the next revision", storesOf(func(n *naive) {
		n.wait = func(ctx context.Context, after rolecall.Revision) error {
			if n.revision() > after+1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return n.await(ctx, after)
		}
	})},
	{"wait-returns-at-once", "sleeps before it looks", storesOf(func(n *naive) {
		n.wait = func(ctx context.Context, after rolecall.Revision) error {
			time.Sleep(5 * time.Second)
			return n.await(ctx, after)
		}
	})},
	{"wait-wakes", "wakes one of those who wait", storesOf(func(n *naive) {
		n.before = fakeTime
		var waiting atomic.Int64
		n.wait = func(ctx context.Context, after rolecall.Revision) error {
			defer waiting.Add(-1)
			if waiting.Add(1) > 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return n.await(ctx, after)
		}
	})},
	{"wait-does-not-return-early", "returns after a while", storesOf(func(n *naive) {
		n.wait = func(ctx context.Context, after rolecall.Revision) error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			if err := n.await(ctx, after); !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		}
	})},
	{"wait-ends-with-ctx", "has an error of its own", storesOf(func(n *naive) {
		n.wait = func(ctx context.Context, after rolecall.Revision) error {
			if err := n.await(ctx, after); err != nil {
				return errors.New("interrupted")
			}
			return nil
		}
	})},
	{"ids-differ-by-case", "folds case", folding(func(k string) string {
		return strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, k)
	})},
	{"ids-differ-by-space", "pads with blanks", folding(replacing("%20", ""))},
	{"ids-differ-by-normalisation", "ignores accents", folding(replacing("\u0301", ""))},
	{"ids-differ-by-invisible-characters", "ignores what has no width", folding(replacing("\u200b", ""))},
	{"ids-hold-wildcards", "takes _ for any character", folding(replacing("_", "x"))},
	{"ids-are-long", "has columns of 255 bytes", folding(replacing(strings.Repeat("x", 255)+"b", strings.Repeat("x", 255)))},
	{"ids-beyond-the-basic-plane", "has three bytes a character", folding(func(k string) string {
		return strings.Map(func(r rune) rune {
			if r > 0xffff {
				return '?'
			}
			return r
		}, k)
	})},
	{"scopes-are-deep", "indexes the first 2700 bytes", folding(func(k string) string { return k[:min(len(k), 2700)] })},
	{"texts-survive", "trims titles", storesOf(func(n *naive) {
		n.show = func(s rolecall.Statement) rolecall.Statement {
			if r, ok := s.(rolecall.Role); ok {
				r.Title = strings.TrimSpace(r.Title)
				s = r
			}
			return rolecall.Canonical(s)
		}
	})},
	{"instants-survive", "keeps windows in 64 bits of nanoseconds", storesOf(func(n *naive) {
		n.show = func(s rolecall.Statement) rolecall.Statement {
			if g, ok := s.(rolecall.Grant); ok {
				g.NotBefore, g.NotAfter = in64Bits(g.NotBefore), in64Bits(g.NotAfter)
				return g
			}
			return rolecall.Canonical(s)
		}
	})},
	{"instants-survive", "keeps the times of changes in 64 bits of nanoseconds", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries {
			for i := range list {
				list[i].Time = in64Bits(list[i].Time)
			}
			return list
		}
	})},
	{"instants-survive", "takes the end of all time for none in its history", storesOf(func(n *naive) {
		n.feed = func(_ rolecall.Revision, list []rolecall.Entry) entries {
			for _, e := range list {
				for i, d := range e.Deltas {
					if m, ok := d.After.(rolecall.Membership); ok && m.NotAfter.Year() == 9999 {
						m.NotAfter = time.Time{}
						e.Deltas[i].After = m
					}
				}
			}
			return list
		}
	})},
	{"cancelled-calls-do-nothing", "does not look at ctx in a feed", storesOf(func(n *naive) {
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				first := true
				for e, err := range seq {
					if errors.Is(err, context.Canceled) && first {
						return
					}
					if first = false; !yield(e, err) {
						return
					}
				}
			}
		}
	})},
	{"cancelled-load-tells", "ends in silence", storesOf(func(n *naive) {
		n.read = func(seq iter.Seq2[rolecall.Statement, error]) stream {
			return func(yield func(rolecall.Statement, error) bool) {
				for s, err := range seq {
					if err != nil || !yield(s, nil) {
						return
					}
				}
			}
		}
	})},
	{"cancelled-changes-tell", "ends in silence", storesOf(func(n *naive) {
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				first := true
				for e, err := range seq {
					if err != nil && !first {
						return
					}
					if first = false; !yield(e, err) {
						return
					}
				}
			}
		}
	})},
	{"cancelled-commit-is-whole", "writes the policy, looks at ctx, writes the history", storesOf(func(n *naive) {
		n.applied = func(ctx context.Context) error { return ctx.Err() }
	})},
	{"handles-share-the-data", "has a cache of its own", otherHandle(func(n *naive) {
		n.label = func(r rolecall.Revision, _ int) rolecall.Revision { return r - 1 }
	})},
	{"handles-conflict", "looks at its own commits only", otherHandle(func(n *naive) {
		n.conflicts = func(*rolecall.Proposal, bool) error { return nil }
	})},
	{"handles-wake-each-other", "hears of its own commits only", otherHandle(func(n *naive) {
		n.wait = func(ctx context.Context, _ rolecall.Revision) error {
			<-ctx.Done()
			return ctx.Err()
		}
	})},
	{"past-by-revision", "takes back what was added and removed, not what was altered", storesOf(func(n *naive) {
		n.undo = func(d rolecall.Delta) rolecall.Delta {
			if d.Before != nil && d.After != nil {
				d.Before = d.After
			}
			return d
		}
	})},
	{"past-by-time", "takes the last change that was made by then", storesOf(func(n *naive) {
		n.until = func(log []rolecall.Entry, t time.Time) int {
			for i, e := range slices.Backward(log) {
				if !e.Time.After(t) {
					return i + 1
				}
			}
			return 0
		}
	})},
	{"past-by-time", "takes the first of the changes that were made at one instant", storesOf(func(n *naive) {
		until := n.until
		n.until = func(log []rolecall.Entry, t time.Time) int {
			last := until(log, t)
			for last > 1 && log[last-2].Time.Equal(log[last-1].Time) {
				last--
			}
			return last
		}
	})},
	{"past-by-time", "compares instants in 64 bits of nanoseconds", storesOf(func(n *naive) {
		until := n.until
		n.until = func(log []rolecall.Entry, t time.Time) int { return until(log, in64Bits(t)) }
	})},
	{"past-is-of-one-moment", "takes back from what is there when it is read", storesOf(func(n *naive) { n.early = false })},
	{"past-that-is-gone", "answers with the nearest that it has", storesOf(func(n *naive) {
		n.forgot = func(error) error { return nil }
	})},
	{"past-that-is-gone", "knows the time of what it dropped last, not the latest one", storesOf(func(n *naive) {
		n.lapsed = func(_, t time.Time) time.Time { return t }
	})},
}

// keepingOnly returns stores that keep so many deltas of a change and lose the others.
func keepingOnly(most int) Stores {
	return storesOf(func(n *naive) {
		n.keep = func(e rolecall.Entry) rolecall.Entry {
			e = cloneEntry(e)
			e.Deltas = e.Deltas[:min(len(e.Deltas), most)]
			return e
		}
	})
}

func ofSize(big int, s Stores) Stores {
	s.Big = big
	return s
}

// in64Bits returns what is left of an instant that is kept as nanoseconds since 1970. The zero instant is none.
func in64Bits(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Unix(0, t.UnixNano()).UTC()
}

func conflict(wrong bool) error {
	if wrong {
		return rolecall.ErrConflict
	}
	return nil
}

func about(p *rolecall.Proposal, user string) bool {
	for _, d := range p.Entry().Deltas {
		if g, ok := d.After.(rolecall.Grant); ok && g.Subject == rolecall.User(user) {
			return true
		}
	}
	return false
}

// paged does something to what comes after two hundred entries.
func paged(second func(entries) entries) func(rolecall.Revision, []rolecall.Entry) entries {
	return func(_ rolecall.Revision, list []rolecall.Entry) entries {
		const page = 200
		if len(list) <= page {
			return list
		}
		return append(list[:page:page], second(list[page:])...)
	}
}

// pagedUntilEmpty returns stores that read the history in pages, the later ones as WHERE revision > last does, without a
// look whether the next entry is still there.
func pagedUntilEmpty(size int) Stores {
	return storesOf(func(n *naive) {
		n.told = func(seq iter.Seq2[rolecall.Entry, error]) entriesSeq {
			return func(yield func(rolecall.Entry, error) bool) {
				read, last := 0, rolecall.Revision(0)
				for e, err := range seq {
					if !yield(e, err) || err != nil {
						return
					}
					if read, last = read+1, e.Revision; read == size {
						break
					}
				}
				for _, e := range n.kept() {
					if read > 0 && e.Revision > last && !yield(cloneEntry(e), nil) {
						return
					}
				}
			}
		}
	})
}

func folding(fold func(string) string) Stores { return storesOf(func(n *naive) { n.fold = fold }) }

func replacing(old, with string) func(string) string {
	return func(k string) string { return strings.ReplaceAll(k, old, with) }
}

func failures(ctx context.Context, s Stores, cases []Case) (names []string, all error) {
	for _, c := range cases {
		if err := c.run(ctx, s); err != nil {
			names = append(names, c.Name)
			all = errors.Join(all, err)
		}
	}
	return names, all
}

// light returns the cases but big-batches, which takes as long as all others together, unless it is the one meant.
func light(meant string) []Case {
	return slices.DeleteFunc(Cases(), func(c Case) bool { return c.Name == "big-batches" && meant != c.Name })
}

func TestEachWrongStoreFailsItsCaseAndNoOther(t *testing.T) {
	for _, w := range wrongStores {
		t.Run(w.name+"/"+w.how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := failures(t.Context(), w.stores, light(w.name))
				if want := []string{w.name}; !slices.Equal(got, want) {
					t.Errorf("a store that %s fails %v, want %v\n%v", w.how, got, want, err)
				}
			})
		})
	}
}

func TestEachCaseHasAWrongStore(t *testing.T) {
	var wrong, cases []string
	for _, w := range wrongStores {
		wrong = append(wrong, w.name)
	}
	for _, c := range Cases() {
		cases = append(cases, c.Name)
		if c.Rule == "" || c.Run == nil {
			t.Errorf("case %s has the rule %q and a function: %t, want both", c.Name, c.Rule, c.Run != nil)
		}
	}
	if diff := cmp.Diff(cases, slices.Compact(wrong)); diff != "" {
		t.Errorf("wrong stores by case (-cases +wrong):\n%s", diff)
	}
}

func TestSoundStoresPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := Test(t.Context(), ofSize(1000, storesOf(func(*naive) {}))); err != nil {
			t.Errorf("Test of a sound store: %v", err)
		}
	})
}

// A store that can do nothing fails every case, whatever its errors say.
func TestAStoreThatCanDoNothingFails(t *testing.T) {
	s := Stores{
		New:        func(context.Context) (rolecall.Store, error) { return unable{}, nil },
		Compacting: func(context.Context, int) (rolecall.Store, error) { return unable{}, nil },
		Again:      func(_ context.Context, s rolecall.Store) (rolecall.Store, error) { return s, nil },
	}
	err := Test(t.Context(), s)
	for _, c := range Cases() {
		if err == nil || !strings.Contains(err.Error(), c.Name+": ") {
			t.Errorf("Test of a store that supports nothing does not name %s\n%v", c.Name, err)
		}
	}
}

// unable answers every call with errors.ErrUnsupported.
type unable struct{}

func (unable) Load(context.Context) (rolecall.State, error) {
	return rolecall.State{}, errors.ErrUnsupported
}
func (unable) Commit(context.Context, *rolecall.Proposal) error { return errors.ErrUnsupported }
func (unable) Wait(context.Context, rolecall.Revision) error    { return errors.ErrUnsupported }
func (unable) AtTime(context.Context, time.Time) (rolecall.State, error) {
	return rolecall.State{}, errors.ErrUnsupported
}
func (unable) At(context.Context, rolecall.Revision) (rolecall.State, error) {
	return rolecall.State{}, errors.ErrUnsupported
}
func (unable) Changes(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return func(yield func(rolecall.Entry, error) bool) { yield(rolecall.Entry{}, errors.ErrUnsupported) }
}

// Test returns what Run reports, and leaves out what does not apply.
func TestTestNamesTheCase(t *testing.T) {
	s := Stores{New: func(context.Context) (rolecall.Store, error) { return CompactAlways(memstore.New()), nil }, Big: 1000}
	err := Test(t.Context(), s)
	for name, want := range map[string]bool{"changes-resume": true, "compacted-is-told": false, "handles-conflict": false, "load-can-be-left": false} {
		if got := err != nil && strings.Contains(err.Error(), name+": "); got != want {
			t.Errorf("Test of a store without history and without Compacting and Again names %s: %t, want %t\n%v", name, got, want, err)
		}
	}
}
