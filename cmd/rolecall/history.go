package main

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
)

// A history is the exported log that --history names: it tells who gave what, when and why.
type history struct{ log string }

func (h *history) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&h.log, "history", "", "the exported history of the policy, to tell who gave what, when and why")
}

// tell returns the policy at the revision at which the log ends, and where its statements come from; without a log the
// policy as it is, and nil. The log has to be whole and to have led to this very policy.
func (h *history) tell(s *rolecall.Snapshot) (*rolecall.Snapshot, *rolecall.Provenance, error) {
	if h.log == "" {
		return s, nil, nil
	}
	p := &rolecall.Provenance{}
	left := map[rolecall.StatementKey]rolecall.Statement{} // as the log leaves it
	end, err := withLog(h.log, admin.Head{}, func(log iter.Seq2[rolecall.Entry, error]) error {
		for e, err := range log {
			if err != nil {
				return err
			}
			if err := p.Add(e); err != nil {
				return err
			}
			for _, d := range e.Deltas {
				left[d.Key()] = d.After
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if err := h.leadsTo(s, left); err != nil {
		return nil, nil, err
	}
	s, err = atRevision(s, end.Revision)
	return s, p, err
}

func (h *history) leadsTo(s *rolecall.Snapshot, left map[rolecall.StatementKey]rolecall.Statement) error {
	for _, key := range slices.SortedFunc(maps.Keys(left), rolecall.StatementKey.Compare) {
		if got, _ := s.Find(key); !rolecall.Equal(got, left[key]) {
			return fmt.Errorf("%s does not lead to this policy: it leaves another %s", h.log, key)
		}
	}
	return nil
}

// atRevision returns the same policy as of a revision.
func atRevision(s *rolecall.Snapshot, revision rolecall.Revision) (*rolecall.Snapshot, error) {
	next, err := rolecall.LoadSnapshot(s.Catalog(), rolecall.State{
		Revision: revision,
		Statements: func(yield func(rolecall.Statement, error) bool) {
			for one := range s.Statements() {
				if !yield(one, nil) {
					return
				}
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return next.At(s.Now()), nil
}
