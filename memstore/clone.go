package memstore

import (
	"slices"

	"github.com/rolecall-go/rolecall"
)

// cloneEntry returns e in memory of its own, so that nobody who is handed an entry can alter the history.
func cloneEntry(e rolecall.Entry) rolecall.Entry {
	deltas := make([]rolecall.Delta, len(e.Deltas))
	for i, d := range e.Deltas {
		deltas[i] = rolecall.Delta{Before: cloneStatement(d.Before), After: cloneStatement(d.After)}
	}
	e.Deltas = deltas
	return e
}

// cloneStatement copies the statements that hold slices; the others are plain values.
func cloneStatement(st rolecall.Statement) rolecall.Statement {
	switch st := st.(type) {
	case rolecall.Role:
		st.Inherits, st.Holders, st.Scopes = slices.Clone(st.Inherits), slices.Clone(st.Holders), slices.Clone(st.Scopes)
		st.Rules = slices.Clone(st.Rules)
		for i, rule := range st.Rules {
			st.Rules[i].Patterns = slices.Clone(rule.Patterns)
		}
		return st
	case rolecall.Constraint:
		st.Roles = slices.Clone(st.Roles)
		return st
	}
	return st
}
