package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/suggest"
	"github.com/rolecall-go/rolecall/policy"
)

// Conditions are what the flags say of conditions.
type conditions struct{ given, unknown []string }

func (c *conditions) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&c.given, "given", nil, "a condition that holds; may be given again")
	cmd.Flags().StringArrayVar(&c.unknown, "unknown", nil, "a condition of which nobody can say whether it holds; may be given again")
}

var errCannotSay = errors.New("nobody can say")

// facts returns what --given and --unknown say, of declared conditions only.
func (c *conditions) facts(f *policy.File, errs *[]error) rolecall.Facts {
	var declared []string
	for _, d := range f.Declarations.Conditions {
		declared = append(declared, string(d.Condition))
	}
	for _, word := range slices.Concat(c.given, c.unknown) {
		if !slices.Contains(declared, word) {
			detail := "no such condition is declared" + suggest.DidYouMean(suggest.Nearest(word, declared))
			*errs = append(*errs, &rolecall.Problem{Code: rolecall.ErrUnknown, Word: word, Detail: detail})
		}
	}
	for _, word := range c.given {
		if slices.Contains(c.unknown, word) {
			*errs = append(*errs, &rolecall.Problem{Code: rolecall.ErrInvalid, Word: word, Detail: "a condition either holds or is unknown"})
		}
	}
	if len(c.unknown) == 0 {
		return rolecall.Given(as[rolecall.Condition](c.given))
	}
	return rolecall.FactFunc(func(asked rolecall.Condition) (bool, error) {
		if slices.Contains(c.unknown, string(asked)) {
			return false, errCannotSay
		}
		return slices.Contains(c.given, string(asked)), nil
	})
}
