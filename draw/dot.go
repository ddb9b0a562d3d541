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
	everybody []rolecall.Subject
	out       bytes.Buffer
}

func (g *graph) printf(format string, args ...any) { fmt.Fprintf(&g.out, format+"\n", args...) }

// subjects draws everybody on the paths to the holders, and the steps of the paths, each once.
func (g *graph) subjects() {
	var steps [][2]rolecall.Subject
	for _, h := range g.holders {
		g.number(h.subject)
		for i, s := range h.path {
			g.number(s)
			if i > 0 && !slices.Contains(steps, [2]rolecall.Subject{h.path[i-1], s}) {
				steps = append(steps, [2]rolecall.Subject{h.path[i-1], s})
			}
		}
	}
	for i, s := range g.everybody {
		g.printf("  subject%d [shape=box, style=rounded, label=%s];", i, quote(s.String()))
	}
	for _, step := range steps {
		g.printf("  subject%d -> subject%d [label=\"in\", arrowhead=empty];", g.number(step[0]), g.number(step[1]))
	}
}

// number returns the number of a subject, the next one where it has none yet: two whose ids look the same are two.
func (g *graph) number(s rolecall.Subject) int {
	i := slices.Index(g.everybody, s)
	if i < 0 {
		i = len(g.everybody)
		g.everybody = append(g.everybody, s)
	}
	return i
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
	g.printf("  subject%d -> statement%d [%s, arrowhead=none];", g.number(c.Holder), i, look)
	g.printf("  statement%d -> place%d [%s];", i, c.column, look)
	if c.winner != nil {
		g.printf("  statement%d -> statement%d [style=dotted, label=\"lost to\", constraint=false];", i, slices.Index(g.cards, c.winner))
	}
}

// quote writes a string of the language: a backslash, a quote or an ampersand in it stands for itself, a line ends to the
// left.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "\n", `\l`).Replace(shown(text)) + `"`
}
