package authzen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/rolecall-go/rolecall/internal/strictjson"
)

// A badRequest says what is wrong with the form of a request. Its text names members, never values.
type badRequest string

func (b badRequest) Error() string { return string(b) }

func bad(format string, args ...any) error { return badRequest(fmt.Sprintf(format, args...)) }

// An object is a JSON object whose names were compared exactly.
type object map[string]any

// maxExactInteger is the largest integer of which double precision can tell all smaller ones apart.
const maxExactInteger = 1<<53 - 1

// parseObject reads one JSON object. It refuses what two readers may take for different things: names that are there
// twice, text that is not Unicode (RFC 7493); and nesting beyond a depth. A number that double precision cannot hold
// stays a json.Number: it may stand in a member that nobody looks at, and what is compared with it cannot be said.
func parseObject(body []byte, maxDepth int) (object, error) {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return nil, bad("the body is empty")
	case strictjson.Unicode(body) != nil:
		return nil, bad("the body is not Unicode")
	case depth(body) > maxDepth:
		return nil, bad("the body is nested deeper than %d", maxDepth)
	case !json.Valid(body):
		return nil, bad("the body is not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := parseValue(d)
	if err != nil {
		return nil, err
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, bad("the body is not an object")
	}
	return o, nil
}

// depth returns how deep text is nested, whatever else is wrong with it.
func depth(body []byte) int {
	deepest, now := 0, 0
	inString := false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// parseValue reads one value of text that is known to be JSON.
func parseValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, bad("the body is not JSON")
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return parseArray(d)
		}
		return parseMembers(d)
	case json.Number:
		return parseNumber(t), nil
	}
	return token, nil
}

func parseArray(d *json.Decoder) (any, error) {
	list := []any{}
	for d.More() {
		v, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func parseMembers(d *json.Decoder) (any, error) {
	members := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		key := name.(string)
		if _, twice := members[key]; twice {
			return nil, bad("a member of an object is there twice")
		}
		members[key] = v
	}
	_, err := d.Token()
	return members, err
}

func parseNumber(number json.Number) any {
	n, err := number.Float64()
	if err != nil || !strings.ContainsAny(number.String(), ".eE") && math.Abs(n) > maxExactInteger {
		return number
	}
	return n
}

// readBody reads at most limit bytes.
func readBody(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, bad("the body cannot be read")
	}
	if int64(len(body)) > limit {
		return nil, errTooLarge
	}
	return body, nil
}

var errTooLarge = errors.New("the body is too large")

// The readers of members. Where is the object that holds the member, in words.

// optionalObject returns a member that is an object; null is as if it were not there.
func (o object) optionalObject(where, name string) (object, error) {
	v, ok := o[name]
	if !ok || v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, bad("%s is not an object", join(where, name))
	}
	return m, nil
}

func (o object) requiredObject(where, name string) (object, error) {
	if _, there := o[name]; !there {
		return nil, bad("%s is missing", join(where, name))
	}
	m, err := o.optionalObject(where, name)
	if err == nil && m == nil {
		err = bad("%s is not an object", join(where, name))
	}
	return m, err
}

// text returns a member that is a string, empty where it is not there.
func (o object) text(where, name string) (string, error) {
	v, there := o[name]
	if !there {
		return "", nil
	}
	s, ok := v.(string)
	if !ok {
		return "", bad("%s is not a string", join(where, name))
	}
	return s, nil
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}

// readEntity reads the form of an entity; which of its names are missing is for complete to say.
func readEntity(o object, where string) (Entity, error) {
	var e Entity
	var err error
	if e.Type, err = o.text(where, "type"); err != nil {
		return e, err
	}
	if e.ID, err = o.text(where, "id"); err != nil {
		return e, err
	}
	e.Properties, err = o.optionalObject(where, "properties")
	return e, err
}

func readAction(o object) (Action, error) {
	var a Action
	var err error
	if a.Name, err = o.text("action", "name"); err != nil {
		return a, err
	}
	a.Properties, err = o.optionalObject("action", "properties")
	return a, err
}

// readEvaluation reads the entities that are there, and from defaults those that are not: each whole, or not at all.
func readEvaluation(o object, defaults Evaluation) (Evaluation, error) {
	e := defaults
	if m, err := o.entity("subject"); err != nil {
		return e, err
	} else if m != nil {
		if e.Subject, err = readEntity(m, "subject"); err != nil {
			return e, err
		}
	}
	if m, err := o.entity("action"); err != nil {
		return e, err
	} else if m != nil {
		if e.Action, err = readAction(m); err != nil {
			return e, err
		}
	}
	if m, err := o.entity("resource"); err != nil {
		return e, err
	} else if m != nil {
		if e.Resource, err = readEntity(m, "resource"); err != nil {
			return e, err
		}
	}
	if m, err := o.optionalObject("", "context"); err != nil {
		return e, err
	} else if m != nil {
		e.Context = m
	}
	return e, nil
}

// entity returns a member that is an object if it is there.
func (o object) entity(name string) (object, error) {
	if _, there := o[name]; !there {
		return nil, nil
	}
	return o.requiredObject("", name)
}

// The parts that a request must have.
type parts uint8

const (
	subjectType = parts(1 << iota)
	subjectID
	actionName
	resourceType
	resourceID

	allParts = subjectType | subjectID | actionName | resourceType | resourceID
)

// complete says which required part is missing. An empty name is none.
func (e Evaluation) complete(need parts) error {
	for _, p := range []struct {
		part parts
		has  string
		name string
	}{
		{subjectType, e.Subject.Type, "subject.type"},
		{subjectID, e.Subject.ID, "subject.id"},
		{actionName, e.Action.Name, "action.name"},
		{resourceType, e.Resource.Type, "resource.type"},
		{resourceID, e.Resource.ID, "resource.id"},
	} {
		if need&p.part != 0 && p.has == "" {
			return bad("%s is missing", p.name)
		}
	}
	return nil
}
