// Command rolecall tests, formats and asks policies in Rolecall's text form.
//
//	rolecall test FILE…                        run the steps of scenarios
//	rolecall fmt [-w|-l] [FILE…]               tidy files
//	rolecall can SUBJECT PERMISSION SCOPE -f FILE       yes or no
//	rolecall explain SUBJECT PERMISSION SCOPE -f FILE   yes or no, and why
//	rolecall who-can PERMISSION SCOPE -f FILE           who may, and through what
//	rolecall what-can SUBJECT SCOPE -f FILE             what a subject may do
//	rolecall list SUBJECT PERMISSION KIND -f FILE       where a subject may do it
//	rolecall plan EDITS -f FILE                         what a change would do
//	rolecall diff OLD NEW                               what tells two policies apart
//	rolecall lint -f FILE                               what is unused, needless, too wide or fragile
//	rolecall review SCOPE|SUBJECT|ROLE -f FILE          who has what, through what, until when
//	rolecall can-grant ACTOR SUBJECT ROLE SCOPE -f FILE  yes or no, and why not
//	rolecall audit LOG                                  verify and list an exported history
//	rolecall serve -f FILE                              answer the OpenID Authorization API (AuthZEN)
//
// It exits with 0 for yes, passed or done; 1 for no or failed; 2 where it was called wrongly; 3 where a file cannot be
// read or says something wrong, a question names what the policy does not declare, or the answer cannot be written.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit codes.
const (
	exitNo    = 1
	exitUsage = 2
	exitBad   = 3
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// An exit ends the command with a code. Its error, where it has one, is still to be told.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string { return fmt.Sprintf("exit %d: %v", e.code, e.err) }

// bad is the exit for a file or a question that is wrong.
func bad(err error) error { return exit{exitBad, err} }

// run is the command without the process around it.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	root := &cobra.Command{
		Use:           "rolecall",
		Short:         "Test, format and ask policies",
		Long:          "Test, format and ask policies in Rolecall's text form.\n\n" + exitHelp,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return emptyOption(cmd.Flags())
		},
	}
	root.AddCommand(
		testCommand(), fmtCommand(), canCommand(), explainCommand(), whoCanCommand(), whatCanCommand(), listCommand(),
		planCommand(), diffCommand(), lintCommand(), reviewCommand(), canGrantCommand(), auditCommand(), serveCommand(),
	)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.Execute()
	var e exit
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &e): // of cobra itself: unknown commands and flags, missing arguments
		fmt.Fprintf(errOut, "rolecall: %s\nTry rolecall --help.\n", visibleLines(err.Error()))
		return exitUsage
	case e.err != nil:
		fmt.Fprintln(errOut, visibleLines(e.err.Error()))
	}
	return e.code
}

// version is that of the module which the command was built from.
func version() string {
	info, built := debug.ReadBuildInfo()
	if !built {
		return "unknown"
	}
	return info.Main.Version
}

// emptyOption is the error of an option that is there and says nothing, as in --by "$WHO" where WHO is not set: answered
// as if it were not there, the question would be another one, and often one that more is allowed in. After nothing a page
// is the first one.
func emptyOption(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && f.Name != "after" {
			err = fmt.Errorf("--%s is empty", f.Name)
		}
	})
	return err
}

const exitHelp = `Exit codes: 0 yes, passed or done; 1 no or failed; 2 called wrongly; 3 a file cannot be read or says something
wrong, a question names what the policy does not declare, or the answer cannot be written.`
