package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall/policy"
)

func testCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE…",
		Short: "Run the steps of scenarios",
		Long: `Run the steps of scenarios and print each one that fails, with what was expected, what came out and why. The last line
counts the steps. A file that does not parse, or whose policy is wrong, has none: its errors are printed, the other files
run all the same, and the exit code is 3. A policy without steps may be among the files, but where no file has any nothing
was tested, and the exit code is 1.

Exit codes: 0 all steps passed; 1 some failed, or there was none; 2 called wrongly; 3 a file cannot be read or does not parse.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			var c count
			for _, name := range files {
				if err := c.file(out, name); err != nil {
					c.bad++
					out.Flush() // keeps the order of what is printed where both go to one place
					fmt.Fprintln(cmd.ErrOrStderr(), visibleLines(err.Error()))
				}
			}
			fmt.Fprintf(out, "%d passed, %d failed\n", c.passed, c.failed)
			if err := out.Flush(); err != nil {
				return bad(err)
			}
			return c.exit(files)
		},
	}
}

// A count tells how many steps passed and failed, and how many files could not be run.
type count struct{ passed, failed, bad int }

func (c *count) exit(files []string) error {
	switch {
	case c.bad > 0:
		return exit{code: exitBad}
	case c.failed > 0:
		return exit{code: exitNo}
	case c.passed == 0:
		return exit{exitNo, fmt.Errorf("%s: no step in it, so nothing was tested", strings.Join(files, ", "))}
	}
	return nil
}

// file runs the steps of one file and prints those that fail.
func (c *count) file(out io.Writer, name string) error {
	src, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, snapshot, err := policy.Load(name, src)
	if err != nil {
		return err
	}
	for _, r := range f.Run(snapshot) {
		if r.OK {
			c.passed++
			continue
		}
		c.failed++
		fmt.Fprintf(out, "%s:%d: %s\n", name, r.Step.Line, visibleLines(r.Step.Text))
		fmt.Fprintf(out, "  expected %s\n  got      %s\n", visibleLines(r.Want), visibleLines(r.Got))
		if r.Why != "" {
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(visibleLines(r.Why), "\n", "\n  "))
		}
	}
	return nil
}
