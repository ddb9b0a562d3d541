package authzen

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Test says whether a condition holds for an evaluation, whose entities carry the properties that count. An error says
// that it cannot be said. A number among the properties is a float64, or a json.Number where that cannot hold it. A Test
// changes none of them: other evaluations may share them.
type Test func(Evaluation) (bool, error)

// ParseTest reads a test: one or more comparisons joined by &&.
//
//	resource.owner == subject.id
//	subject.role == "admin" && resource.status == "archived"
//	subject.id in resource.assignees
//	action.soft? != true
//
// Left and right of ==, != and in stand a string in double quotes, a number, true, false, null, or a member: subject,
// resource or action followed by type, id, name or the name of a property, deeper members after further dots; or context
// and a name. (subject.properties.id is the property of that name.) A member that is not there makes the test one that
// cannot be said; with ? after its name it is as null instead (two that are not there are not equal). In wants a list on its right.
func ParseTest(text string) (Test, error) {
	p := &testParser{text: text}
	p.next()
	var all []Test
	for {
		one, err := p.comparison()
		if err != nil {
			return nil, fmt.Errorf("test %q: %w", text, err)
		}
		all = append(all, one)
		switch {
		case p.err != nil:
			return nil, fmt.Errorf("test %q: %w", text, p.err)
		case p.token == "":
			return every(all), nil
		case p.token != "&&":
			return nil, fmt.Errorf("test %q: %q where && or the end is expected", text, p.token)
		}
		p.next()
	}
}

// every holds where all do, fails where one fails, and cannot be said otherwise.
func every(all []Test) Test {
	return func(e Evaluation) (bool, error) {
		var unknown error
		for _, one := range all {
			ok, err := one(e)
			if err == nil && !ok {
				return false, nil
			}
			unknown = errors.Join(unknown, err)
		}
		return unknown == nil, unknown
	}
}

type testParser struct {
	text  string
	token string
	err   error
}

// next reads the next word, operator or quoted string.
func (p *testParser) next() {
	p.text = strings.TrimLeft(p.text, " \t")
	p.token = ""
	switch {
	case p.text == "":
	case p.text[0] == '"':
		quoted, err := strconv.QuotedPrefix(p.text)
		if err != nil {
			p.err = errors.New("a string does not end")
			return
		}
		p.take(len(quoted))
	case strings.HasPrefix(p.text, "=="), strings.HasPrefix(p.text, "!="), strings.HasPrefix(p.text, "&&"):
		p.take(2)
	default:
		n := strings.IndexAny(p.text, " \t=!&\"")
		if n < 0 {
			n = len(p.text)
		}
		p.take(max(n, 1))
	}
}

func (p *testParser) take(n int) { p.token, p.text = p.text[:n], p.text[n:] }

type operand func(Evaluation) (any, error)

func (p *testParser) comparison() (Test, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	operator := p.token
	if p.err != nil {
		return nil, p.err
	}
	if operator != "==" && operator != "!=" && operator != "in" {
		return nil, fmt.Errorf("%q where ==, != or in is expected", operator)
	}
	p.next()
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch operator {
	case "==":
		return compare(left, right, equal), nil
	case "!=":
		return compare(left, right, func(a, b any) (bool, error) {
			same, err := equal(a, b)
			return !same && err == nil, err
		}), nil
	}
	return compare(left, right, in), nil
}

func compare(left, right operand, how func(a, b any) (bool, error)) Test {
	return func(e Evaluation) (bool, error) {
		a, err := left(e)
		if err != nil {
			return false, err
		}
		b, err := right(e)
		if err != nil {
			return false, err
		}
		return how(a, b)
	}
}

// absent is a member that is not there and was asked for with ?. It is equal to null, not to another one: two owners that
// nobody knows are not the same owner.
type absent struct{}

func equal(a, b any) (bool, error) {
	if _, none := a.(absent); none {
		a, b = b, a
	}
	if _, none := b.(absent); none {
		return a == nil, nil
	}
	if inexact(a) || inexact(b) {
		return false, errInexact
	}
	return reflect.DeepEqual(a, b), nil
}

var errInexact = errors.New("a number is beyond double precision; send it as a string")

// inexact says whether a value is or has a number that double precision cannot hold.
func inexact(v any) bool {
	switch v := v.(type) {
	case json.Number:
		return true
	case []any:
		return slices.ContainsFunc(v, inexact)
	case map[string]any:
		for _, member := range v {
			if inexact(member) {
				return true
			}
		}
	}
	return false
}

func in(a, b any) (bool, error) {
	list, ok := b.([]any)
	if !ok {
		return false, errors.New("in wants a list on its right")
	}
	if inexact(a) {
		return false, errInexact
	}
	for _, element := range list {
		if reflect.DeepEqual(a, element) {
			return true, nil
		}
	}
	if inexact(list) {
		return false, errInexact
	}
	return false, nil
}

func (p *testParser) operand() (operand, error) {
	token := p.token
	if p.err != nil {
		return nil, p.err
	}
	if token == "" {
		return nil, errors.New("it ends where a member or a value is expected")
	}
	p.next()
	if v, ok := literal(token); ok {
		if inexact(v) {
			return nil, fmt.Errorf("%s is beyond double precision", token)
		}
		return func(Evaluation) (any, error) { return v, nil }, nil
	}
	return member(token)
}

func literal(token string) (any, bool) {
	switch token {
	case "true":
		return true, true
	case "false":
		return false, true
	case "null":
		return nil, true
	}
	if token[0] == '"' {
		s, err := strconv.Unquote(token)
		return s, err == nil
	}
	if c := token[0]; c == '-' || '0' <= c && c <= '9' {
		_, err := strconv.ParseFloat(token, 64)
		return parseNumber(json.Number(token)), err == nil || errors.Is(err, strconv.ErrRange)
	}
	return nil, false
}

// member reads a path such as resource.owner or context.ip?.
func member(token string) (operand, error) {
	path, optional := strings.CutSuffix(token, "?")
	steps := strings.Split(path, ".")
	if len(steps) < 2 {
		return nil, fmt.Errorf("%q is no member: write subject, resource, action or context, a dot and a name", token)
	}
	for _, s := range steps {
		if s == "" {
			return nil, fmt.Errorf("%q has an empty name", token)
		}
	}
	root, ok := roots(steps[0])
	if !ok {
		return nil, fmt.Errorf("%q starts with none of subject, resource, action and context", token)
	}
	return func(e Evaluation) (any, error) {
		at, there := root(e, steps[1])
		for _, s := range steps[2:] {
			m, _ := at.(map[string]any)
			at, there = m[s]
		}
		switch {
		case there:
			return at, nil
		case optional:
			return absent{}, nil
		}
		return nil, fmt.Errorf("%s is not known", path)
	}, nil
}

// roots returns how to find a member by its name; it costs the same of however many there are.
func roots(name string) (func(Evaluation, string) (any, bool), bool) {
	switch name {
	case "subject":
		return func(e Evaluation, s string) (any, bool) { return e.Subject.member(s) }, true
	case "resource":
		return func(e Evaluation, s string) (any, bool) { return e.Resource.member(s) }, true
	case "action":
		return func(e Evaluation, s string) (any, bool) { return e.Action.member(s) }, true
	case "context":
		return func(e Evaluation, s string) (any, bool) { v, there := e.Context[s]; return v, there }, true
	}
	return nil, false
}

func (e Entity) member(s string) (any, bool) {
	switch s {
	case "type":
		return e.Type, true
	case "id":
		return e.ID, true
	}
	return property(e.Properties, s)
}

func (a Action) member(s string) (any, bool) {
	if s == "name" {
		return a.Name, true
	}
	return property(a.Properties, s)
}

// property finds a property by its name, and all of them as properties.
func property(all map[string]any, s string) (any, bool) {
	if s == "properties" && all != nil {
		return all, true
	}
	v, there := all[s]
	return v, there
}
