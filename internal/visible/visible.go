// Package visible writes text so that a terminal shows all of it, and acts upon none of it.
package visible

import (
	"strconv"
	"strings"
)

// Text returns the text with what does not print written as its escape, for example \n and \x1b, but for the characters
// in kept.
func Text(text, kept string) string {
	hidden := func(r rune) bool { return !strconv.IsPrint(r) && !strings.ContainsRune(kept, r) }
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if !hidden(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
