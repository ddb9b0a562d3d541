package main

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"
)

// A page is the part of a long answer that the flags ask for.
type page struct {
	after string
	limit int
}

func (p *page) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.after, "after", "", "go on after this one, where an answer was cut off")
	cmd.Flags().IntVar(&p.limit, "limit", 0, "answer with at most so many, and say where to go on (default: all)")
}

func (p *page) check() error {
	if p.limit < 0 {
		return errors.New("--limit is not negative")
	}
	return nil
}

// cut returns the page, and whether more follows.
func cut[T any](p *page, all iter.Seq[T]) (list []T, more bool) {
	list = []T{}
	for one := range all {
		if p.limit > 0 && len(list) == p.limit {
			return list, true
		}
		list = append(list, one)
	}
	return list, false
}

// tellMore tells people where to go on; next is empty where nothing follows.
func tellMore(w io.Writer, next string) {
	if next != "" {
		fmt.Fprintf(w, "more follows: --after %s\n", visibly(next))
	}
}
