package authzen

import "fmt"

// What a client believes of a response. It is read as strictly as a request is, and its members have exact names: what
// two programs could read in two ways is no answer.

// maxResponseDepth bounds how deep a response may be nested.
const maxResponseDepth = 1000

func readDecision(o object) (Decision, error) {
	allowed, ok := o["decision"].(bool)
	if !ok {
		return Decision{}, bad("decision is missing or no boolean")
	}
	context, err := o.optionalObject("", "context")
	if err != nil {
		return Decision{}, err
	}
	return Decision{allowed, context}, nil
}

// results is one page of what a search found.
type results[R any] struct {
	list []R
	next string // token of the next page, empty for none
}

func readEntities(o object) (results[Entity], error) {
	return readResults(o, func(o object) (Entity, error) {
		e, err := readEntity(o, "")
		if err == nil && (e.Type == "" || e.ID == "") {
			err = bad("it has no type or no id")
		}
		return e, err
	})
}

func readActions(o object) (results[Action], error) {
	return readResults(o, func(o object) (Action, error) {
		a, err := readAction(o)
		if err == nil && a.Name == "" {
			err = bad("it has no name")
		}
		return a, err
	})
}

func readResults[R any](o object, read func(object) (R, error)) (results[R], error) {
	var r results[R]
	page, err := o.optionalObject("", "page")
	if err != nil {
		return r, err
	}
	if r.next, err = page.text("page", "next_token"); err != nil {
		return r, err
	}
	r.list, err = readList(o, "results", read)
	return r, err
}

// readList reads a member that is an array of objects.
func readList[R any](o object, name string, read func(object) (R, error)) ([]R, error) {
	elements, ok := o[name].([]any)
	if !ok {
		return nil, bad("%s is missing or no array", name)
	}
	list := make([]R, len(elements))
	for i, element := range elements {
		m, ok := element.(map[string]any)
		if !ok {
			return nil, bad("%s[%d] is not an object", name, i)
		}
		var err error
		if list[i], err = read(m); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return list, nil
}

func readMetadata(o object) (Metadata, error) {
	var m Metadata
	for name, into := range map[string]*string{
		"policy_decision_point":       &m.PolicyDecisionPoint,
		"access_evaluation_endpoint":  &m.Evaluation,
		"access_evaluations_endpoint": &m.Evaluations,
		"search_subject_endpoint":     &m.SearchSubject,
		"search_resource_endpoint":    &m.SearchResource,
		"search_action_endpoint":      &m.SearchAction,
	} {
		var err error
		if *into, err = o.text("", name); err != nil {
			return Metadata{}, err
		}
	}
	if o["capabilities"] == nil {
		return m, nil
	}
	elements, ok := o["capabilities"].([]any)
	for _, element := range elements {
		name, isText := element.(string)
		ok = ok && isText
		m.Capabilities = append(m.Capabilities, name)
	}
	if !ok {
		return Metadata{}, bad("capabilities is no array of strings")
	}
	return m, nil
}
