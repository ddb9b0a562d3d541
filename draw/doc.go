// Package draw draws an explanation: who says what where, what decides, and what lost to what.
//
//	err := draw.SVG(w, decision.Explain(provenance))
//
// The drawing is the law as a table. The holders stand one below the other, the subject first and Everyone last; the
// places stand side by side, from the whole instance to the target. So what is nearer stands higher and further right. A
// statement is a card where its holder and its place meet: filled where it decides, dashed where it lost, with a line to
// what overrode it and, where the provenance tells, the change that made it.
//
// [SVG] is self-contained: no script, no font, no reference to anything outside. [DOT] is the same as a graph, for
// Graphviz. Both are the same each time, and show whatever an id or a reason holds as text; a letter that would turn the text
// around or hide part of it is replaced. They show the policy: they are for those who may see it.
package draw
