package policy

import (
	"slices"

	"github.com/rolecall-go/rolecall/internal/suggest"
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

// near returns the word that is near to a token, "" where none is.
func near(t token, words []string) string {
	if t.quoted {
		return ""
	}
	return suggest.Nearest(t.text, words)
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
