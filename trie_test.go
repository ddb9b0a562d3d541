package rolecall

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Nobody can choose names whose hashes collide, see seed, so that no policy shows what a table does then. This test looks
// from inside: however few hashes there are a table is a map, and each version of it stays as it was.
func TestTableWithCollidingHashes(t *testing.T) {
	type record struct{ name, hash uint32 }
	type version struct {
		table[record]
		holds map[uint32]*record
	}
	find := func(v version, r record) *record {
		for n := v.leaf(r.hash); n != nil; n = n.more {
			for m := n.match(r.hash); m != 0; m &= m - 1 {
				if found := n.at(m); found.name == r.name {
					return found
				}
			}
		}
		return nil
	}
	rapid.Check(t, func(t *rapid.T) {
		hashes := rapid.SliceOfN(rapid.Uint32(), 1, 4).Draw(t, "hashes")
		now, own := version{table[record]{hash: func(r *record) uint32 { return r.hash }}, map[uint32]*record{}}, new(token)
		var past []version
		for range 150 {
			name := rapid.Uint32Range(0, 60).Draw(t, "name")
			r := record{name, hashes[name%uint32(len(hashes))]}
			old := now.holds[name]
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				past = append(past, version{now.table, maps.Clone(now.holds)})
				own = new(token)
			case 1, 2, 3:
				if old != nil {
					now.remove(own, old)
					delete(now.holds, name)
				}
			default:
				now.put(own, old, &r)
				now.holds[name] = &r
			}
		}
		for n, v := range append(past, now) {
			for name := range uint32(61) {
				if got := find(v, record{name, hashes[name%uint32(len(hashes))]}); got != v.holds[name] {
					t.Fatalf("version %d has %v under %d, want %v", n, got, name, v.holds[name])
				}
			}
			for _, most := range []int{1, 5, 61} {
				all := map[*record]bool{}
				v.all(func(r *record) bool { all[r] = true; return len(all) < most })
				wrong := slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(r *record) bool { return v.holds[r.name] != r })
				if wrong || len(all) != min(most, len(v.holds)) || v.size != len(v.holds) {
					t.Fatalf("version %d, of size %d, yields %d of at most %d, want %d", n, v.size, len(all), most, len(v.holds))
				}
			}
		}
	})
}
