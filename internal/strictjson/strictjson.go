// Package strictjson reads JSON objects that mean the same to every reader. encoding/json lets the last of two members of
// one name win, compares names without regard to case, and replaces what is not Unicode by U+FFFD, so that a denial is
// overlooked or two names become one.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// A Fault is what is wrong with an object, and the word at fault, which may be empty.
type Fault struct{ Word, Detail string }

// Error tells both.
func (f *Fault) Error() string {
	if f.Word == "" {
		return f.Detail
	}
	return fmt.Sprintf("%s: %q", f.Detail, f.Word)
}

func fault(word, format string, args ...any) error {
	return &Fault{word, fmt.Sprintf(format, args...)}
}

// Members returns the members of the one object that data holds, by their exact names; their values are parts of data. The
// error is a *Fault.
func Members(data []byte) (map[string]json.RawMessage, error) {
	rest := bytes.TrimLeft(data, space)
	if !json.Valid(data) || rest[0] != '{' {
		return nil, noObject(data)
	}
	if err := Unicode(data); err != nil {
		return nil, err
	}
	given := map[string]json.RawMessage{}
	for rest = bytes.TrimLeft(rest[1:], space); rest[0] != '}'; rest = bytes.TrimLeft(rest, space+",") {
		end := stringEnd(rest)
		name, err := unquote(rest[:end])
		if err != nil {
			return nil, noObject(data)
		}
		if _, twice := given[name]; twice {
			return nil, fault(name, "this member is there twice")
		}
		rest = bytes.TrimLeft(rest[end:], space+":")
		end = valueEnd(rest)
		given[name], rest = json.RawMessage(rest[:end:end]), rest[end:]
	}
	return given, nil
}

// noObject tells what is wrong with data that is not one object.
func noObject(data []byte) error {
	var first json.RawMessage
	err := json.NewDecoder(bytes.NewReader(data)).Decode(&first)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return fault("", "an object is expected here, and the text ends")
	case err != nil:
		return fault("", "an object is expected here: %v", err)
	case first[0] == '{':
		return fault("", "something follows the end of the object")
	}
	return fault("", "an object is expected here")
}

// Where something ends is easy to tell in text that is known to be JSON.

const space = " \t\r\n"

// stringEnd returns where the string ends with which text begins.
func stringEnd(text []byte) int {
	for i := 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// valueEnd returns where the value ends with which text begins, a member of an object.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch c := text[i]; {
		case depth == 0 && (c == ',' || c == '}'):
			return len(bytes.TrimRight(text[:i], space))
		case c == '"':
			i += stringEnd(text[i:]) - 1
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
}

func unquote(text []byte) (string, error) {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1]), nil
	}
	var name string
	err := json.Unmarshal(text, &name)
	return name, err
}

// A Field is a member of an object: its name, where it is read into, and whether it may be missing.
type Field struct {
	Name     string
	Into     any
	Optional bool
}

// Object reads the one object that data holds into fields. Unknown, missing and null members are errors, of which all are
// told, and then what was read so far is not to be used. How a value is read is its own business.
func Object(data []byte, fields ...Field) error {
	given, err := Members(data)
	if err != nil {
		return err
	}
	var faults []error
	for _, f := range fields {
		raw, there := given[f.Name]
		delete(given, f.Name)
		switch {
		case !there && !f.Optional:
			faults = append(faults, fault(f.Name, "this member is missing"))
		case string(raw) == "null":
			faults = append(faults, fault(f.Name, "this member is null; leave it out instead"))
		case there:
			if err := json.Unmarshal(raw, f.Into); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", f.Name, err))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		faults = append(faults, fault(name, "no such member"))
	}
	return errors.Join(faults...)
}

// Unicode refuses what encoding/json would silently replace by U+FFFD: two ids that differ must not become one. It reads
// any text, also what is no JSON. The error is a *Fault.
func Unicode(data []byte) error {
	if !utf8.Valid(data) {
		return fault("", "the text is not valid UTF-8")
	}
	for rest := data; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 || i+1 >= len(rest) {
			return nil
		}
		escape := rest[i:]
		width := 2
		if escape[1] == 'u' {
			width = 6
			switch low := surrogate(escape); {
			case low == 'l', low == 'h' && (len(escape) < 12 || surrogate(escape[6:]) != 'l'):
				return fault(string(escape[:6]), "half of a surrogate pair is not a character")
			case low == 'h':
				width = 12
			}
		}
		rest = escape[min(width, len(escape)):]
	}
}

// surrogate says whether text starts with the escape of a high ('h') or low ('l') half of a surrogate pair.
func surrogate(text []byte) byte {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' || text[2]|0x20 != 'd' {
		return 0
	}
	switch c := text[3] | 0x20; {
	case c == '8' || c == '9' || c == 'a' || c == 'b':
		return 'h'
	case 'c' <= c && c <= 'f':
		return 'l'
	}
	return 0
}
