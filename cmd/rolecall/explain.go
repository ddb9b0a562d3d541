package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
)

func explainCommand() *cobra.Command {
	var q question
	var o output
	cmd := &cobra.Command{
		Use:     "explain SUBJECT PERMISSION SCOPE -f FILE",
		Short:   "Say why a subject may or may not do something somewhere",
		Long:    "Say why a subject may or may not do something somewhere: what decided, and what lost to what.\n\n" + questionHelp + yesOrNo,
		Example: "  rolecall explain user:ada task.update /project:alpha/shot:010 --given assigned -f studio.rolecall",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := q.decide(args)
			if err != nil {
				return bad(err)
			}
			return o.print(cmd.OutOrStdout(), explanation{d}, d.Allowed())
		},
	}
	q.flags(cmd)
	o.flags(cmd)
	return cmd
}

type explanation struct{ rolecall.Decision }

func (e explanation) text(w io.Writer) error {
	_, err := fmt.Fprintln(w, visibleLines(e.Decision.String()))
	return err
}
