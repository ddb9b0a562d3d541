package review

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/strictjson"
)

// A Used is one thing that was used, and when last.
type Used struct {
	rolecall.Use
	Last time.Time `json:"last"` // no later use is known; the true instant may lie up to one collection of a meter earlier
}

// A Usage is what was used: by whom, where, and when last. It is made of the readings of meters, of one process or of
// many, merged in any order, and written as JSON to be kept. It is immutable and safe for concurrent use. A nil *Usage is an
// empty one, as the zero Usage is: nothing is known yet.
//
// What is not in it was not used, as far as the meters saw everything: see Covers. They see what resolvers answer, and
// what hosts tell them of.
type Usage struct {
	from, until time.Time
	doubt       time.Time // the end of the last reading that dropped something; zero where none did
	dropped     uint64
	bySubject   map[rolecall.Subject][]Used // in the order of compareUsed
}

// NewUsage returns what a reading tells.
func NewUsage(r rolecall.Reading) *Usage {
	u := &Usage{from: r.From.UTC(), until: later(r.From, r.Until).UTC(), dropped: r.Dropped, bySubject: map[rolecall.Subject][]Used{}}
	if r.Dropped > 0 {
		u.doubt = u.until
	}
	for _, use := range r.Uses {
		u.bySubject[use.Subject] = append(u.bySubject[use.Subject], Used{use, u.until})
	}
	u.settle()
	return u
}

// MergeUsage returns what several usages tell together: of several processes at one time, of one process at several
// times, or both. It counts as seen from the first instant of any of them to the last: where meters were added to a
// fleet later, ask it Since the day when all of them were there.
func MergeUsage(parts ...*Usage) *Usage {
	all := &Usage{bySubject: map[rolecall.Subject][]Used{}}
	for _, u := range parts {
		u = u.orEmpty()
		if all.from.IsZero() || !u.from.IsZero() && u.from.Before(all.from) {
			all.from = u.from
		}
		all.until, all.doubt = later(all.until, u.until), later(all.doubt, u.doubt)
		all.dropped += u.dropped
		for who, list := range u.bySubject {
			all.bySubject[who] = append(all.bySubject[who], list...)
		}
	}
	all.settle()
	return all
}

// orEmpty returns an empty usage for nil.
func (u *Usage) orEmpty() *Usage {
	if u == nil {
		return &Usage{}
	}
	return u
}

// settle sorts what each subject used and keeps the last instant of each.
func (u *Usage) settle() {
	for who, list := range u.bySubject {
		slices.SortFunc(list, func(a, b Used) int { return cmp.Or(compareUsed(a, b), b.Last.Compare(a.Last)) })
		u.bySubject[who] = slices.CompactFunc(list, func(a, b Used) bool { return compareUsed(a, b) == 0 })
	}
}

func compareUsed(a, b Used) int {
	return cmp.Or(a.Subject.Compare(b.Subject), a.Permission.Compare(b.Permission), a.Scope.Compare(b.Scope))
}

// From returns when the first meter began.
func (u *Usage) From() time.Time { return u.orEmpty().from }

// Until returns when the last meter was read.
func (u *Usage) Until() time.Time { return u.orEmpty().until }

// Dropped returns how many allows the meters had no room for.
func (u *Usage) Dropped() uint64 { return u.orEmpty().dropped }

// Covers returns nil where everything that was used from an instant until Until is in u, so that what is not in it was not
// used meanwhile. The error says why that cannot be told: the meters began later, dropped something later, or were last read
// before.
func (u *Usage) Covers(since time.Time) error {
	u = u.orEmpty()
	switch {
	case u.from.IsZero() || since.Before(u.from):
		return fmt.Errorf("nothing is known of what was used before %s: %w", when(u.from), rolecall.ErrInvalid)
	case !since.Before(u.until):
		return fmt.Errorf("nothing is known of what was used after %s: %w", when(u.until), rolecall.ErrInvalid)
	case u.dropped > 0 && !since.After(u.doubt):
		return fmt.Errorf("%d uses were dropped, the last of them before %s; what is not known may be among them: %w", u.dropped, when(u.doubt), rolecall.ErrInvalid)
	}
	return nil
}

// mostLag is how long ago the last reading may be where something is said of now: usages are kept once a day at least.
const mostLag = 24 * time.Hour

// coversUntil returns nil where u covers the time from an instant until now, but for the last day, of which there may be no
// reading yet.
func (u *Usage) coversUntil(since, now time.Time) error {
	if err := u.Covers(since); err != nil {
		return err
	}
	if now.Sub(u.until) > mostLag {
		return fmt.Errorf("nothing is known of what was used after %s, which is more than a day before %s: %w", when(u.until), when(now), rolecall.ErrInvalid)
	}
	return nil
}

func when(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return rolecall.FormatTime(t)
}

// Since returns what was used after an instant, as if the meters had begun then, or at Until if that is earlier. It is how a
// kept usage stays small. An empty usage stays empty.
func (u *Usage) Since(since time.Time) *Usage {
	u = u.orEmpty()
	some := &Usage{from: u.from, until: u.until, bySubject: map[rolecall.Subject][]Used{}}
	if !u.from.IsZero() { // where nothing was seen, nothing is known of a later time either
		some.from = earlier(later(u.from, since.UTC()), u.until)
	}
	if u.dropped > 0 && !some.from.After(u.doubt) {
		some.doubt, some.dropped = u.doubt, u.dropped
	}
	for used := range u.All() {
		if used.Last.After(since) {
			some.bySubject[used.Subject] = append(some.bySubject[used.Subject], used)
		}
	}
	return some
}

// All yields everything that was used, in order of subject, then permission, then scope.
func (u *Usage) All() iter.Seq[Used] {
	u = u.orEmpty()
	return func(yield func(Used) bool) {
		for _, who := range slices.SortedFunc(maps.Keys(u.bySubject), rolecall.Subject.Compare) {
			for _, used := range u.bySubject[who] {
				if !yield(used) {
					return
				}
			}
		}
	}
}

// LastUsed returns when who last did p at t or inside it; for Everyone, when anybody did. The instant is zero where it is
// known that nobody did from From until Until. False says that nothing is known: no such use was seen, but some were
// dropped. What a meter told of a place only in part counts for everything inside it. It is what Options.LastUsed of a
// report asks for.
func (u *Usage) LastUsed(who rolecall.Subject, p rolecall.Permission, t rolecall.Scope) (time.Time, bool) {
	u = u.orEmpty()
	var last time.Time
	if who == rolecall.Everyone() {
		for _, list := range u.bySubject {
			last = later(last, lastIn(list, p, t))
		}
	} else {
		last = lastIn(u.bySubject[who], p, t)
	}
	return last, !last.IsZero() || u.Covers(u.from) == nil
}

func lastIn(list []Used, p rolecall.Permission, t rolecall.Scope) (last time.Time) {
	for _, used := range ofPermission(list, p) {
		if meets(used.Scope, t) {
			last = later(last, used.Last)
		}
	}
	return last
}

// ofPermission returns those of one subject's uses that are of a permission.
func ofPermission(list []Used, p rolecall.Permission) []Used {
	from, _ := slices.BinarySearchFunc(list, p, func(u Used, p rolecall.Permission) int { return u.Permission.Compare(p) })
	to := from
	for to < len(list) && list[to].Permission == p {
		to++
	}
	return list[from:to]
}

// meets says whether something that was used at a place, as far as a meter told it, may have been at t or inside it. What
// was used at Global was used at Global itself, and what has no place may have been used anywhere.
func meets(used, t rolecall.Scope) bool {
	return used.IsZero() || t.Contains(used) || !used.IsGlobal() && used.Contains(t)
}

// LastSeen returns when who last did anything, like LastUsed.
func (u *Usage) LastSeen(who rolecall.Subject) (time.Time, bool) {
	u = u.orEmpty()
	var last time.Time
	for _, used := range u.bySubject[who] {
		last = later(last, used.Last)
	}
	return last, !last.IsZero() || u.Covers(u.from) == nil
}

// usageJSON is a Usage as it is written.
type usageJSON struct {
	From    time.Time `json:"from,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Doubt   time.Time `json:"doubt,omitzero"`
	Dropped uint64    `json:"dropped,omitempty"`
	Uses    []Used    `json:"uses"`
}

// MarshalJSON writes a usage: {"from", "until", "doubt", "dropped", "uses"}, each use with "subject", "permission",
// "scope" and "last". What is equal is written alike.
func (u *Usage) MarshalJSON() ([]byte, error) {
	u = u.orEmpty()
	return json.Marshal(usageJSON{u.from, u.until, u.doubt, u.dropped, slices.AppendSeq([]Used{}, u.All())})
}

// UnmarshalJSON reads a usage exactly: what is overlooked would count as not used, so unknown, repeated, missing and
// misspelt members are errors. Null, and an object without from, until and uses, is the empty usage. Names are checked for
// their form; whether they are declared is not its business, since what was used may be gone.
func (u *Usage) UnmarshalJSON(data []byte) error {
	read, err := readUsage(data)
	if err != nil {
		return fmt.Errorf("read usage: %w", err)
	}
	*u = *read
	return nil
}

func readUsage(data []byte) (*Usage, error) {
	read := &Usage{bySubject: map[rolecall.Subject][]Used{}}
	var uses []json.RawMessage
	nothing := string(data) == "null" || strictjson.Object(data, strictjson.Field{Name: "uses", Into: &uses, Optional: true}) == nil && len(uses) == 0
	if nothing { // is known yet: as a nil one, or the zero one, is written
		return read, nil
	}
	err := strictjson.Object(data,
		strictjson.Field{Name: "from", Into: &read.from}, strictjson.Field{Name: "until", Into: &read.until},
		strictjson.Field{Name: "doubt", Into: &read.doubt, Optional: true}, strictjson.Field{Name: "dropped", Into: &read.dropped, Optional: true},
		strictjson.Field{Name: "uses", Into: &uses})
	if err != nil {
		return nil, err
	}
	read.from, read.until, read.doubt = read.from.UTC(), read.until.UTC(), read.doubt.UTC()
	if read.from.IsZero() || read.until.Before(read.from) || (read.dropped > 0) == read.doubt.IsZero() {
		return nil, fmt.Errorf("from is there and not after until, and doubt tells when something was last dropped: %w", rolecall.ErrInvalid)
	}
	for i, raw := range uses {
		used, err := read.readUse(raw)
		if err != nil {
			return nil, fmt.Errorf("use %d: %w", i, err)
		}
		read.bySubject[used.Subject] = append(read.bySubject[used.Subject], used)
	}
	read.settle()
	return read, nil
}

// readUse reads a use from the time of u.
func (u *Usage) readUse(data []byte) (Used, error) {
	var used Used
	err := strictjson.Object(data,
		strictjson.Field{Name: "subject", Into: &used.Subject}, strictjson.Field{Name: "permission", Into: &used.Permission},
		strictjson.Field{Name: "scope", Into: &used.Scope}, strictjson.Field{Name: "last", Into: &used.Last})
	if err != nil {
		return used, err
	}
	faults := []error{used.Subject.Valid(), used.Permission.Valid()}
	if !used.Scope.IsZero() {
		faults = append(faults, used.Scope.Valid())
	}
	if used.Last.IsZero() || used.Last.Before(u.from) || used.Last.After(u.until) {
		faults = append(faults, fmt.Errorf("it was last used from %s until %s, not %s: %w", when(u.from), when(u.until), used.Last, rolecall.ErrInvalid))
	}
	used.Last = used.Last.UTC()
	return used, errors.Join(faults...)
}
