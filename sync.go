package rolecall

import (
	"iter"
	"slices"
)

// Sync returns the fewest edits that make the statements for which owned says yes exactly the desired ones, for example
// the teams and grants that another system keeps: what is missing or different is put, what is there and not desired is
// removed, all else is left alone. The edits are in the order of StatementKey.Compare. An error says that a desired
// statement is not owned, or that two of them have one key and differ.
func (s *Snapshot) Sync(desired iter.Seq[Statement], owned func(Statement) bool) ([]Edit, error) {
	want := map[StatementKey]Statement{}
	var ps Problems
	for one := range desired {
		key := KeyOf(one)
		switch other := want[key]; {
		case !owned(one):
			ps = append(ps, problem(ErrInvalid, key.String(), "", "this statement is desired but not owned, so the next synchronisation would not find it"))
		case other != nil && !Equal(other, one):
			ps = append(ps, problem(ErrInvalid, key.String(), "", "two different statements with this key are desired"))
		}
		want[key] = one
	}
	if err := ps.err(); err != nil {
		return nil, err
	}
	edits := map[StatementKey]Edit{}
	for there := range s.Statements() {
		key := KeyOf(there)
		if !owned(there) {
			continue
		}
		one, wanted := want[key]
		delete(want, key)
		switch {
		case !wanted:
			edits[key] = Remove(there)
		case !Equal(one, there):
			edits[key] = Put(one)
		}
	}
	for key, one := range want {
		edits[key] = Put(one)
	}
	return sortedEdits(edits), nil
}

func sortedEdits(edits map[StatementKey]Edit) []Edit {
	keys := make([]StatementKey, 0, len(edits))
	for key := range edits {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, StatementKey.Compare)
	list := make([]Edit, len(keys))
	for i, key := range keys {
		list[i] = edits[key]
	}
	return list
}
