package rolecall

import (
	"fmt"
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolecall-go/rolecall/internal/suggest"
)

// Limits of the model.
const (
	maxIDBytes       = 256
	maxNameBytes     = 128
	maxScopeSegments = 16
	maxRoleSteps     = 32
	maxGroupSteps    = 64
	minSegments      = 2
	maxSegments      = 8
)

// seed makes hashes differ from process to process, so that nobody can choose names that collide.
var seed = maphash.MakeSeed()

// hash64 chains the hash of what comes before with a text. It is never zero.
func hash64(before uint64, s string) uint64 {
	return max((maphash.String(seed, s)^before)*0x9E3779B97F4A7C15, 1)
}

func fold(h uint64) uint32 { return uint32(h) ^ uint32(h>>32) }

// reserved words have a place of their own in the text form.
var reserved = map[string]bool{
	"at": true, "of": true, "from": true, "until": true, "when": true, "given": true, "unknown": true, "with": true,
	"roles": true, "only": true, "now": true, "among": true, "none": true, "everyone": true, "actor": true, "by": true,
	"not": true,
}

// checkID reports what is wrong with an id: its length, its encoding, a control character.
func checkID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("an id has at least one byte")
	case len(id) > maxIDBytes:
		return fmt.Errorf("an id has at most %d bytes, this one has %d", maxIDBytes, len(id))
	case plainASCII(id):
		return nil
	case !utf8.ValidString(id):
		return fmt.Errorf("an id is valid UTF-8")
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return fmt.Errorf("an id has no control characters, this one has %U", r)
		}
	}
	return nil
}

// plainASCII says that s is made of printable ASCII only, the usual case.
func plainASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// checkName reports what is wrong with the name of a role, kind, condition or constraint.
func checkName(what, name string) *Problem {
	switch {
	case len(name) > maxNameBytes:
		return problem(ErrLimit, "", name, "a %s has at most %d bytes, this one has %d", what, maxNameBytes, len(name))
	case !isName(name):
		return problem(ErrInvalid, "", name, "a %s is letters, digits, '.', '_' and '-', and starts with a letter or digit", what)
	case reserved[name]:
		return problem(ErrInvalid, "", name, "a %s cannot be a reserved word", what)
	}
	return nil
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return s != ""
}

const upperHex = "0123456789ABCDEF"

// escapeID writes an id for the text form: each byte of / : % * @ # quotes and white space as % and two hex digits.
func escapeID(id string) string {
	if !strings.ContainsFunc(id, mustEscape) {
		return id
	}
	var b strings.Builder
	for i, r := range id {
		if !mustEscape(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(id[i : i+utf8.RuneLen(r)]) {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

func mustEscape(r rune) bool {
	switch r {
	case '/', ':', '%', '*', '@', '#', '"', '\'', '`':
		return true
	}
	return unicode.IsSpace(r)
}

// unescapeID reads what escapeID writes, and nothing else: each id has one spelling.
func unescapeID(text string) (string, error) {
	id, err := decodePercents(text)
	if err != nil {
		return "", err
	}
	if err := checkID(id); err != nil {
		return "", err
	}
	if canonical := escapeID(id); canonical != text {
		return "", fmt.Errorf("the id is written %q", canonical)
	}
	return id, nil
}

func decodePercents(text string) (string, error) {
	if !strings.Contains(text, "%") {
		return text, nil
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out = append(out, text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", fmt.Errorf("%% is followed by two upper-case hex digits")
		}
		high, low := strings.IndexByte(upperHex, text[i+1]), strings.IndexByte(upperHex, text[i+2])
		if high < 0 || low < 0 {
			return "", fmt.Errorf("%% is followed by two upper-case hex digits")
		}
		out = append(out, byte(high<<4|low))
		i += 2
	}
	return string(out), nil
}

// didYouMean returns the end of a message that suggests the nearest of some names, "" where none is near.
func didYouMean(name string, candidates []string) string {
	return suggest.DidYouMean(suggest.Nearest(name, candidates))
}
