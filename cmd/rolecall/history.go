package main

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
)

// A history is the exported log that --history names: it tells who gave what, when and why. What the store began with,
// where it did not begin empty, is in the file of --history-base.
type history struct{ log, base string }

func (h *history) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&h.log, "history", "", "the exported history of the policy, to tell who gave what, when and why")
	f.StringVar(&h.base, "history-base", "", "the policy that the history began with (default: an empty one)")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if h.base != "" && h.log == "" {
			return errors.New("--history-base needs --history")
		}
		return nil
	}
}

// tell returns the policy at the revision at which the log ends, and where its statements come from; without a log the
// policy as it is, and nil. The log has to be whole and to have led to this very policy.
func (h *history) tell(s *rolecall.Snapshot) (*rolecall.Snapshot, *rolecall.Provenance, error) {
	if h.log == "" {
		return s, nil, nil
	}
	left, err := h.begun()
	if err != nil {
		return nil, nil, err
	}
	p := &rolecall.Provenance{}
	end, err := withLog(h.log, admin.Head{}, func(log iter.Seq2[rolecall.Entry, error]) error {
		for e, err := range log {
			if err != nil {
				return err
			}
			if err := p.Add(e); err != nil {
				return err
			}
			if err := h.follow(e, left); err != nil {
				return err
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

// A policyByKey is what stands at one point of a history.
type policyByKey map[rolecall.StatementKey]rolecall.Statement

// begun returns what stood before the log.
func (h *history) begun() (policyByKey, error) {
	left := policyByKey{}
	if h.base == "" {
		return left, nil
	}
	_, s, err := readPolicy(h.base)
	if err != nil {
		return nil, err
	}
	for one := range s.Statements() {
		left[rolecall.KeyOf(one)] = one
	}
	return left, nil
}

// follow makes the changes of an entry, which have to be changes of what stands.
func (h *history) follow(e rolecall.Entry, left policyByKey) error {
	for _, d := range e.Deltas {
		key := d.Key()
		if !rolecall.Equal(left[key], d.Before) {
			return fmt.Errorf("%s: revision %d changes another %s than there was%s", h.log, e.Revision, key, h.hint())
		}
		if d.After == nil {
			delete(left, key)
			continue
		}
		left[key] = d.After
	}
	return nil
}

// leadsTo says which statement differs from what the log leaves.
func (h *history) leadsTo(s *rolecall.Snapshot, left policyByKey) error {
	for one := range s.Statements() {
		if key := rolecall.KeyOf(one); left[key] == nil {
			return fmt.Errorf("%s does not lead to this policy: it leaves no %s%s", h.log, key, h.hint())
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(left), rolecall.StatementKey.Compare) {
		if got, _ := s.Find(key); !rolecall.Equal(got, left[key]) {
			return fmt.Errorf("%s does not lead to this policy: it leaves another %s", h.log, key)
		}
	}
	return nil
}

// hint says what may be missing where a log does not fit.
func (h *history) hint() string {
	if h.base != "" {
		return ""
	}
	return " (where the store did not begin empty, --history-base names what it began with)"
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
