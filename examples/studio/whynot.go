package main

import (
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// shownRemedies is how many remedies the report asks for, to show the least one of each form.
const shownRemedies = 100

// formOf says what kind of change a remedy is, by the last of its edits: what comes before clears the way.
func formOf(m rolecall.Remedy) string {
	last := m.Edits[len(m.Edits)-1]
	if last.Op == rolecall.OpRemove {
		return "giving way"
	}
	switch last.Statement.(type) {
	case rolecall.Override:
		return "one permission"
	case rolecall.Grant:
		return "a role"
	}
	return "a group"
}

// firstOfForm keeps the first remedy of each form.
func firstOfForm(list []rolecall.Remedy) []rolecall.Remedy {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(m rolecall.Remedy) bool {
		again := seen[formOf(m)]
		seen[formOf(m)] = true
		return again
	})
}

// onOneLine writes the edits of a remedy.
func onOneLine(m rolecall.Remedy) string { return strings.ReplaceAll(m.String(), "\n", ", and ") }
