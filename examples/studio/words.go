package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolecall-go/rolecall"
)

// lineWidth is how much fits on a line beside the first column.
const lineWidth = 88

// fit joins as many words as fit on a line, and tells how many others there are.
func fit(words []string) string {
	line := ""
	for i, w := range words {
		if i > 0 && len(line)+len(w) > lineWidth && i < len(words)-1 {
			return fmt.Sprintf("%s; and %d more", line, len(words)-i)
		}
		if i > 0 {
			line += "; "
		}
		line += w
	}
	return line
}

// name returns how to call a subject in a sentence: the words of its id, each with a capital.
func name(s rolecall.Subject) string {
	if s.IsZero() {
		return "somebody"
	}
	words := strings.FieldsFunc(s.ID(), func(r rune) bool { return r == '.' || r == ' ' })
	for i, w := range words {
		first, size := utf8.DecodeRuneInString(w)
		words[i] = string(unicode.ToUpper(first)) + w[size:]
	}
	return strings.Join(words, " ")
}

// subjects names a few subjects.
func subjects(all []rolecall.Subject) string {
	const shown = 5
	var names []string
	for i, s := range all {
		if i == shown {
			names = append(names, "…")
			break
		}
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

func others(n int) string {
	if n == 0 {
		return "nobody else"
	}
	return count(n, "other")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// thousands writes a number with commas.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
