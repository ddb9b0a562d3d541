package policy

import (
	"fmt"
	"slices"
)

// What a line may start with, and which of it somebody may have meant who starts a line otherwise.

func bodyWords() []string {
	return []string{"description", "inherits", "allow", "except", "deny", "forbid"}
}

func statementWords() []string {
	return []string{"role", "member", "grant", "override", "suspend", "private", "constraint"}
}

func editWords() []string {
	return append(statementWords(), "remove", "forget", "activate")
}

// lineWords are those of a file. Words that another one comes before are among them, see meant.
func lineWords() []string {
	words := append(editWords(), bodyWords()...)
	return append(words, "permission", "condition", "kind", "clock", "expect", "do", "refuse", "scope", "subject")
}

// meant writes a word as a line of a file starts with it.
func meant(word string) string {
	switch word {
	case "scope", "subject":
		return "kind " + word
	case "remove", "forget", "activate":
		return "do " + word
	}
	return word
}

// longestNear is how long a word may be for which a near one is looked for.
const longestNear = 20

// near returns the word with the fewest letters that differ, "" where none is near.
func near(t token, words []string) string {
	if t.quoted || len(t.text) > longestNear {
		return ""
	}
	best, fewest := "", len(t.text)/3+2
	for _, word := range words {
		if n := differing(t.text, word); n < fewest {
			best, fewest = word, n
		}
	}
	return best
}

// nearEdit returns the word near to the first one of an edit, of a statement that is removed, or of a line in a text of
// edits. A word that starts another line of a file is not misspelled.
func (p *parser) nearEdit(t token, removed bool) string {
	switch {
	case slices.Contains(lineWords(), t.text):
		return ""
	case removed:
		return near(t, statementWords())
	case p.edits != nil:
		return near(t, append(editWords(), bodyWords()...))
	}
	return near(t, editWords())
}

// differing counts the letters to put in, to leave out and to exchange on the shortest way from a to b.
func differing(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			n := diagonal
			if a[i] != b[j] {
				n = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], n
		}
	}
	return row[len(b)]
}

func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", word)
}
