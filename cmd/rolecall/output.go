package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rolecall-go/rolecall/internal/visible"
	"github.com/spf13/cobra"
)

// An answer prints itself as text; its exported fields are its JSON form. Text is written to a buffer that keeps the
// errors of what is behind it for later, so that they may be ignored.
type answer interface {
	text(w io.Writer) error
}

// An output is the form in which an answer is printed.
type output struct {
	form  string
	forms []string
}

// flags adds -o. The first form is the default.
func (o *output) flags(cmd *cobra.Command) {
	if o.forms == nil {
		o.forms = []string{"table", "json"}
	}
	o.form = o.forms[0]
	cmd.Flags().VarP(o, "output", "o", "the form of the answer")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(o.forms, cobra.ShellCompDirectiveNoFileComp)))
}

// String returns the form.
func (o *output) String() string { return o.form }

// Type names the forms.
func (o *output) Type() string { return strings.Join(o.forms, "|") }

// Set chooses the form.
func (o *output) Set(word string) error {
	if !slices.Contains(o.forms, word) {
		return fmt.Errorf("the forms are %s", strings.Join(o.forms, ", "))
	}
	o.form = word
	return nil
}

// print prints an answer whole, and exits with 1 unless it is a yes.
func (o *output) print(w io.Writer, a answer, yes bool) error {
	if err := o.write(w, a); err != nil {
		return bad(err)
	}
	if !yes {
		return exit{code: exitNo}
	}
	return nil
}

func (o *output) write(w io.Writer, a answer) error {
	out := bufio.NewWriter(w)
	write := a.text
	if o.form == "json" {
		write = func(w io.Writer) error { return writeJSON(w, a) }
	}
	if err := write(out); err != nil {
		return err
	}
	return out.Flush()
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// A table is rows of aligned cells.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, heads ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(heads...)
	return t
}

// row adds a row. An empty cell is written as a dash.
func (t table) row(cells ...string) {
	for i, c := range cells {
		if c == "" {
			c = "-"
		}
		cells[i] = visibly(c)
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t")) // an error comes back from Flush
}

func (t table) end() error { return t.w.Flush() }

// visibly writes what a terminal would not show, or would act upon, as its escape.
func visibly(text string) string { return visible.Text(text, "") }

// visibleLines is visibly of lines, which may have tabs in them.
func visibleLines(text string) string { return visible.Text(text, "\n\t") }
