package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
)

func whatCanCommand() *cobra.Command {
	var q question
	var o output
	cmd := &cobra.Command{
		Use:   "what-can SUBJECT SCOPE -f FILE",
		Short: "List what a subject may do somewhere",
		Long: `List the permissions that a subject has at a scope, in order of name, the built-in ones of administration included.

` + questionHelp + `

Exit codes: 0 something; 1 nothing; 2 called wrongly; 3 the file or a name in the question is wrong.`,
		Example: "  rolecall what-can user:ada /project:alpha/shot:010 --given assigned -f studio.rolecall",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := whatCan(&q, args)
			if err != nil {
				return bad(err)
			}
			return o.print(cmd.OutOrStdout(), a, len(a.Permissions) > 0)
		},
	}
	q.flags(cmd)
	o.flags(cmd)
	return cmd
}

// Abilities are the answer of what-can.
type abilities struct {
	Subject     rolecall.Subject          `json:"subject"`
	Scope       rolecall.Scope            `json:"scope"`
	Now         time.Time                 `json:"now"`
	Permissions []rolecall.PermissionDecl `json:"permissions"`
}

func whatCan(q *question, args []string) (*abilities, error) {
	var errs []error
	at := parse(&errs, rolecall.ParseScope, args[1])
	v, err := q.view(args[0], errs)
	if err != nil {
		return nil, err
	}
	may, err := v.Permissions(at, v.facts)
	if err != nil {
		return nil, err
	}
	a := &abilities{Subject: v.Subject(), Scope: at, Now: v.Now().UTC(), Permissions: []rolecall.PermissionDecl{}}
	declared := map[rolecall.Permission]rolecall.PermissionDecl{}
	for _, d := range v.file.Declarations.Permissions {
		declared[d.Permission] = d
	}
	for _, p := range may {
		d := declared[p]
		d.Permission = p // of the built-in ones only the name is known
		a.Permissions = append(a.Permissions, d)
	}
	return a, nil
}

func (a *abilities) text(w io.Writer) error {
	if len(a.Permissions) == 0 {
		return nil
	}
	t := newTable(w, "PERMISSION", "TITLE", "GROUP")
	for _, d := range a.Permissions {
		t.row(d.Permission.String(), d.Title, d.Group)
	}
	return t.end()
}
