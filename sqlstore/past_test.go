package sqlstore_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// The same random changes are made in memory and in a database, by a clock that often goes back. Every revision and
// every instant is the same in both, also from inside the history that is kept only.
func TestThePastIsAlikeInMemoryAndDatabase(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for _, keep := range []int{0, 17} {
			random := rand.New(rand.NewPCG(1, uint64(keep)))
			memory := memstore.NewWithOptions(nil, &memstore.Options{History: keep})
			stored := openStore(t, d, db, sqlstore.Options{Tenant: newTenant(), History: keep})
			now := time.Date(2026, 3, 4, 5, 6, 7, 890123457, time.UTC)
			clock := func() time.Time { return now }
			a := openResolver(t, memory, &rolecall.Options{Clock: clock})
			b := openResolver(t, stored, &rolecall.Options{Clock: clock})
			var instants []time.Time
			for range 40 {
				now = now.Add(time.Duration(random.IntN(100)-30) * time.Second)
				instants = append(instants, now, now.Add(-1), now.Add(1))
				edits := randomChange(random)
				for _, r := range []*rolecall.Resolver{a, b} {
					if _, err := r.Edit(t.Context(), rolecall.Meta{}, edits...); err != nil {
						t.Fatal(err)
					}
				}
			}
			same(t, fmt.Sprintf("Load, %d kept", keep), memory, stored, func(s rolecall.PastStore) (rolecall.State, error) { return s.Load(t.Context()) })
			for r := range a.Revision() + 2 {
				same(t, fmt.Sprintf("At(%d), %d kept", r, keep), memory, stored, func(s rolecall.PastStore) (rolecall.State, error) { return s.At(t.Context(), r) })
			}
			for _, at := range append(instants, now.AddDate(-9999, 0, 0), now.AddDate(-1, 0, 0), now.AddDate(9999, 0, 0)) {
				same(t, fmt.Sprintf("AtTime(%v), %d kept", at, keep), memory, stored, func(s rolecall.PastStore) (rolecall.State, error) { return s.AtTime(t.Context(), at) })
			}
		}
	})
}

// randomChange forgets somebody, suspends somebody, and puts some grants.
func randomChange(random *rand.Rand) []rolecall.Edit {
	who := func() rolecall.Subject { return rolecall.User(fmt.Sprint(random.IntN(9))) }
	edits := []rolecall.Edit{rolecall.Put(reader), rolecall.ForgetSubject(who()), rolecall.Put(rolecall.Suspension{Subject: who()})}
	for range 1 + random.IntN(3) {
		g := grant(fmt.Sprint(random.IntN(9)))
		g.Replace = random.IntN(2) == 0
		edits = append(edits, rolecall.Put(g))
	}
	return edits
}

// same compares what two stores say.
func same(t *testing.T, call string, memory, stored rolecall.PastStore, ask func(rolecall.PastStore) (rolecall.State, error)) {
	t.Helper()
	want, wrong := answer(ask(memory))
	got, err := answer(ask(stored))
	if got != want || (err == nil) != (wrong == nil) {
		t.Errorf("%s: in the database %s, %v; in memory %s, %v", call, got, err, want, wrong)
	}
}

func answer(state rolecall.State, err error) (string, error) {
	if err != nil {
		return "", err
	}
	s, err := rolecall.LoadSnapshot(vocabulary(), state)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("revision %d\n%s", s.Revision(), texts(s)), nil
}
