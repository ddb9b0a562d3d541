package policy

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A token is one word of a line, or one quoted string.
type token struct {
	text   string // as written; the formatter puts the canonical spelling here
	value  string // what a quoted string says
	column int    // of its first byte, counted from 1
	quoted bool
}

// is says whether the token is that very word.
func (t token) is(word string) bool { return !t.quoted && t.text == word }

// A lexFault is what keeps a line from being split into words.
type lexFault struct {
	column int
	word   string
	what   string
}

// splitLine splits a line into words, which it appends to tokens, and the comment, which starts with its #. After a
// fault the tokens are those before it.
func splitLine(line string, tokens []token) ([]token, string, *lexFault) {
	for i := 0; ; {
		for i < len(line) && isBlank(line[i]) {
			i++
		}
		if i == len(line) {
			return tokens, "", nil
		}
		if line[i] == '#' {
			comment := strings.TrimRight(line[i:], " \t\r")
			return tokens, comment, commentFault(comment, i+1)
		}
		read := bareToken
		if line[i] == '"' {
			read = quotedToken
		}
		t, fault := read(line, i)
		if fault != nil {
			return tokens, "", fault
		}
		tokens = append(tokens, t)
		i += len(t.text)
	}
}

// bareToken returns the word that starts at i.
func bareToken(line string, i int) (token, *lexFault) {
	t := token{text: line[i:wordEnd(line, i)], column: i + 1}
	if strings.Contains(t.text, "\r") {
		return t, &lexFault{t.column, t.text, "a carriage return ends a line, and stands before its line feed only"}
	}
	return t, nil
}

// quotedToken returns the quoted string that starts at i.
func quotedToken(line string, i int) (t token, fault *lexFault) {
	end := quoteEnd(line, i)
	if end < 0 {
		return t, &lexFault{i + 1, line[i:], "the quoted string has no end on its line"}
	}
	t = token{text: line[i:end], column: i + 1, quoted: true}
	if strings.ContainsAny(t.text, lineBreaks) {
		return t, &lexFault{t.column, t.text, "only a line feed breaks a line; in a string other breaks are escaped"}
	}
	var err error
	if t.value, err = strconv.Unquote(t.text); err != nil || !utf8.ValidString(t.text) {
		return t, &lexFault{t.column, t.text, "not a double-quoted Go string"}
	}
	if !utf8.ValidString(t.value) || strings.Contains(t.value, "\x00") {
		return t, &lexFault{t.column, t.text, "a string says valid UTF-8 without NUL"}
	}
	if end < len(line) && !isBlank(line[end]) {
		return t, &lexFault{t.column, line[i:wordEnd(line, end)], "a blank must follow the quoted string"}
	}
	return t, nil
}

// lineBreaks are the characters other than the line feed at which an editor may begin a new line. What follows one in a
// comment or a string would look like a statement, and be none.
const lineBreaks = "\r\v\f\u0085\u2028\u2029"

// commentFault says what is wrong with a comment that starts at a column, nil for nothing.
func commentFault(comment string, column int) *lexFault {
	switch {
	case !utf8.ValidString(comment):
		return &lexFault{column, comment, "a comment is valid UTF-8"}
	case strings.ContainsAny(comment, lineBreaks):
		return &lexFault{column, comment, "only a line feed breaks a line; a comment has no other break in it"}
	}
	return nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// wordEnd returns where the word that line[i:] starts with ends.
func wordEnd(line string, i int) int {
	for i < len(line) && !isBlank(line[i]) {
		i++
	}
	return i
}

// quoteEnd returns the place after the quoted string that starts at i, -1 where it does not end.
func quoteEnd(line string, i int) int {
	for i++; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// cutLine returns the first line of text without its end, and what follows. A carriage return before the line's end
// belongs to the end.
func cutLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// indexOf returns the place of the word in the token or in the comma-separated list that the token is, -1 where it is
// not there.
func (t token) indexOf(word string) int {
	if t.quoted {
		return -1
	}
	at := 0
	for part := range strings.SplitSeq(t.text, ",") {
		if part == word {
			return at
		}
		at += len(part) + 1
	}
	if t.text == word {
		return 0
	}
	return -1
}
