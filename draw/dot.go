package draw

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// DOT writes the drawing as a graph for Graphviz: memberships from the subject up to the holders, statements from a
// holder to a place, and dashed from what lost to what overrode it.
func DOT(w io.Writer, e rolecall.Explanation) error {
	g := &graph{table: layOut(e)}
	answer, question := g.verdict()
	g.printf("digraph decision {")
	g.printf("  rankdir=LR; labelloc=t; fontname=\"Helvetica\"; label=%s;", quote(answer+"\n"+question))
	g.printf("  node [fontname=\"Helvetica\", fontsize=11]; edge [fontname=\"Helvetica\", fontsize=10];")
	g.subjects()
	for i, at := range g.places {
		g.printf("  place%d [shape=folder, label=%s];", i, quote(g.title(at)))
	}
	for i, c := range g.cards {
		g.statement(i, c)
	}
	g.printf("}")
	_, err := w.Write(g.out.Bytes())
	return err
}

type graph struct {
	*table
	out bytes.Buffer
}

func (g *graph) printf(format string, args ...any) { fmt.Fprintf(&g.out, format+"\n", args...) }

// subjects draws everybody on the paths to the holders, and the steps of the paths, each once.
func (g *graph) subjects() {
	var steps [][2]rolecall.Subject
	var all []rolecall.Subject
	for _, h := range g.holders {
		for i, s := range h.path {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
			if i > 0 && !slices.Contains(steps, [2]rolecall.Subject{h.path[i-1], s}) {
				steps = append(steps, [2]rolecall.Subject{h.path[i-1], s})
			}
		}
	}
	for _, s := range all {
		g.printf("  %s [shape=box, style=rounded];", quote(s.String()))
	}
	for _, step := range steps {
		g.printf("  %s -> %s [label=\"in\", arrowhead=empty];", quote(step[0].String()), quote(step[1].String()))
	}
}

func (g *graph) statement(i int, c *card) {
	look := "style=dashed, color=gray50"
	switch {
	case c.Fate == rolecall.Decides && c.Effect == rolecall.Allow:
		look = "style=bold, color=darkgreen"
	case c.Fate == rolecall.Decides:
		look = "style=bold, color=firebrick"
	}
	g.printf("  statement%d [shape=note, %s, label=%s];", i, look, quote(strings.Join(c.lines, "\n")+"\n"))
	g.printf("  %s -> statement%d [%s, arrowhead=none];", quote(c.Holder.String()), i, look)
	g.printf("  statement%d -> place%d [%s];", i, c.column, look)
	if c.winner != nil {
		g.printf("  statement%d -> statement%d [style=dotted, label=\"lost to\", constraint=false];", i, slices.Index(g.cards, c.winner))
	}
}

// quote writes a string of the language: a backslash or a quote in it stands for itself, a line ends to the left.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\l`, "\r", " ", "\x00", " ").Replace(text) + `"`
}
