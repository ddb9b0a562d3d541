package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
)

func auditCommand() *cobra.Command {
	var a auditQuestion
	cmd := &cobra.Command{
		Use:   "audit LOG",
		Short: "Verify an exported history and list its changes",
		Long: `Verify the hash chain of a history that was exported as JSON lines, and print the changes that the flags select, oldest
first. The last line tells where the chain ends. With --head, which that line told earlier and which was kept elsewhere, the
log must contain that revision with that hash, so that a log that was cut off or rewritten is noticed as well.

Exit codes: 0 the chain is whole; 1 it is broken; 2 called wrongly; 3 the log cannot be read or a name is wrong.`,
		Example: "  rolecall audit history.jsonl --at /project:alpha --since 2026-03-01 --until 2026-04-01",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.run(cmd.OutOrStdout(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&a.by, "by", "", "changes made by this subject, or on its behalf")
	f.StringVar(&a.about, "about", "", "changes to statements about this subject")
	f.StringVar(&a.role, "role", "", "changes to this role, or to grants of it")
	f.StringVar(&a.at, "at", "", "changes at this scope and inside it")
	f.StringVar(&a.since, "since", "", "changes from this instant on")
	f.StringVar(&a.until, "until", "", "changes before this instant")
	f.BoolVar(&a.breakGlass, "break-glass", false, "break-glass activations only")
	f.StringVar(&a.head, "head", "", "REVISION:HASH that the log must contain")
	return cmd
}

// An auditQuestion is what the flags say.
type auditQuestion struct {
	by, about, role, at, since, until, head string
	breakGlass                              bool
}

func (a *auditQuestion) run(out io.Writer, name string) error {
	q, kept, err := a.parse()
	if err != nil {
		return bad(err)
	}
	var text strings.Builder
	end, err := withLog(name, kept, func(history iter.Seq2[rolecall.Entry, error]) error {
		for change, err := range admin.Changes(history, q) {
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "%d %s\n", change.Revision, visibly(change.String()))
		}
		return nil
	})
	var broken *admin.BrokenChainError
	switch {
	case errors.As(err, &broken):
		return exit{exitNo, err}
	case err != nil:
		return bad(err)
	}
	if _, err := fmt.Fprintf(out, "%swhole to %d:%s\n", &text, end.Revision, end.Hash); err != nil {
		return bad(err)
	}
	return nil
}

// parse reads the flags; the error tells everything wrong with them.
func (a *auditQuestion) parse() (q admin.Question, kept admin.Head, err error) {
	var errs []error
	q = admin.Question{
		Role:       rolecall.RoleName(a.role),
		BreakGlass: a.breakGlass,
		By:         optional(&errs, rolecall.ParseSubject, a.by),
		About:      optional(&errs, rolecall.ParseSubject, a.about),
		At:         optional(&errs, rolecall.ParseScope, a.at),
		From:       optional(&errs, rolecall.ParseTime, a.since),
		Until:      optional(&errs, rolecall.ParseTime, a.until),
	}
	kept = optional(&errs, parseHead, a.head)
	return q, kept, errors.Join(errs...)
}

func parseHead(text string) (admin.Head, error) {
	number, hash, whole := strings.Cut(text, ":")
	revision, err := strconv.ParseUint(number, 10, 64)
	if err != nil || !whole {
		return admin.Head{}, fmt.Errorf("a head is written REVISION:HASH, not %q", text)
	}
	h := admin.Head{Revision: rolecall.Revision(revision)}
	return h, h.Hash.UnmarshalText([]byte(hash))
}

// withLog verifies an exported history while do reads it, in one pass since it may come through a pipe, and returns where
// its chain ends. What do made of the entries counts only without an error.
func withLog(name string, kept admin.Head, do func(iter.Seq2[rolecall.Entry, error]) error) (end admin.Head, err error) {
	f, err := os.Open(name)
	if err != nil {
		return end, err
	}
	defer f.Close()
	err = do(func(yield func(rolecall.Entry, error) bool) {
		wanted := true
		var broken error
		end, broken = admin.VerifyTo(admin.Head{}, kept, func(verify func(admin.Link, error) bool) {
			for link, err := range admin.ReadLog(f) {
				if !verify(link, err) {
					return
				}
				e, err := link.Read()
				if wanted = yield(e, err); !wanted {
					return
				}
			}
		})
		if wanted && broken != nil {
			yield(rolecall.Entry{}, broken)
		}
	})
	return end, err
}
