package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
)

const yesOrNo = `

Exit codes: 0 allowed; 1 denied; 2 called wrongly; 3 the file or a name in the question is wrong.`

func canCommand() *cobra.Command {
	var q question
	var o output
	cmd := &cobra.Command{
		Use:     "can SUBJECT PERMISSION SCOPE -f FILE",
		Short:   "Say whether a subject may do something somewhere: yes or no",
		Long:    "Say whether a subject may do something somewhere: yes or no.\n\n" + questionHelp + yesOrNo,
		Example: "  rolecall can user:ada task.update /project:alpha/shot:010 --given assigned -f studio.rolecall",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := q.decide(args)
			if err != nil {
				return bad(err)
			}
			return o.print(cmd.OutOrStdout(), canAnswer{d.Allowed(), d.Reason()}, d.Allowed())
		},
	}
	q.flags(cmd)
	o.flags(cmd)
	return cmd
}

type canAnswer struct {
	Allowed bool            `json:"allowed"`
	Reason  rolecall.Reason `json:"reason"`
}

func (a canAnswer) text(w io.Writer) error {
	answer := "no"
	if a.Allowed {
		answer = "yes"
	}
	_, err := fmt.Fprintln(w, answer)
	return err
}
