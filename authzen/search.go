package authzen

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

type searchResponse struct {
	Page    *NextPage `json:"page,omitempty"`
	Results []any     `json:"results"`
}

// A candidate is something that may be a result, and what it is sorted and continued by.
type candidate struct {
	key    string
	result any
	ask    func() error // nil: allowed
}

// searchSubject answers who may. What is sent as the subject's id is not looked at.
func (h *Handler) searchSubject(s *session, request object) (any, error) {
	return s.search("subject", request, subjectType|actionName|resourceType|resourceID, s.subjects)
}

// searchResource answers with what it may be done. What is sent as the resource's id is not looked at.
func (h *Handler) searchResource(s *session, request object) (any, error) {
	return s.search("resource", request, subjectType|subjectID|actionName|resourceType, s.resources)
}

// searchAction answers what may be done.
func (h *Handler) searchAction(s *session, request object) (any, error) {
	return s.search("action", request, subjectType|subjectID|resourceType|resourceID, s.actions)
}

// search reads the request, lists the candidates in order and returns the page of those that are allowed.
func (s *session) search(what string, request object, need parts, list func(Evaluation) ([]candidate, error)) (any, error) {
	if target, ok := request[what].(map[string]any); ok {
		delete(target, "id") // to be ignored, whatever it is
	}
	if what == "action" {
		delete(request, what) // no member of this request
	}
	e, err := readEvaluation(request, Evaluation{})
	if err != nil {
		return nil, err
	}
	if err := e.complete(need); err != nil {
		return nil, err
	}
	p, err := s.readPage(what, e, request)
	if err != nil {
		return nil, err
	}
	candidates, err := list(e)
	if isUnknown(err) {
		s.logUnknown(err)
		candidates, err = nil, nil // of what the policy does not know there is nothing
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return strings.Compare(a.key, b.key) })
	return s.page(p, candidates)
}

// page returns the allowed candidates after the page's key, up to its limit.
func (s *session) page(p page, candidates []candidate) (any, error) {
	response := searchResponse{Results: []any{}}
	next := NextPage{}
	last := p.after
	for _, c := range candidates {
		if p.continued && c.key <= p.after {
			continue
		}
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		allowed, err := s.allows(c)
		if err != nil {
			return nil, err
		}
		if !allowed {
			continue
		}
		if len(response.Results) == p.limit {
			next.NextToken = p.token(last, len(response.Results) > 0 || p.continued)
			break
		}
		response.Results = append(response.Results, c.result)
		last = c.key
	}
	next.Count = len(response.Results)
	if p.asked || next.NextToken != "" {
		response.Page = &next
	}
	return response, nil
}

func (s *session) allows(c candidate) (bool, error) {
	if c.ask == nil {
		return true, nil
	}
	switch err := c.ask(); {
	case err == nil:
		return true, nil
	case errors.Is(err, rolecall.ErrDenied):
		return false, nil
	case isUnknown(err):
		s.logUnknown(err)
		return false, nil
	default:
		return false, err
	}
}

// asking makes a candidate of an evaluation.
func (s *session) asking(key string, result any, e Evaluation) candidate {
	return candidate{key, result, func() error {
		q, err := s.question(e)
		if err != nil {
			return err
		}
		return s.ask(q)
	}}
}

// subjects lists those of the type that the policy or the directory names.
func (s *session) subjects(e Evaluation) ([]candidate, error) {
	if found, done, err := s.who(e); done || err != nil {
		return found, err
	}
	var list []candidate
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			one := e
			one.Subject = Entity{Type: e.Subject.Type, ID: id, Properties: e.Subject.Properties}
			list = append(list, s.asking(id, Entity{Type: e.Subject.Type, ID: id}, one))
		}
	}
	for who := range s.snapshot.Subjects() {
		if named, ok := s.o.Mapping.NameSubject(who); ok && named.Type == e.Subject.Type {
			add(named.ID)
		}
	}
	if s.o.Directory != nil {
		for id, err := range s.o.Directory.Subjects(s.ctx, e.Subject.Type) {
			if err != nil {
				return nil, err
			}
			add(id)
		}
	}
	return list, nil
}

// who answers with one question to the policy where all subjects have the same facts, and nobody but the policy knows of
// any. Groups are left to the long way.
func (s *session) who(e Evaluation) (found []candidate, done bool, err error) {
	if !s.plainSubjects || s.o.Directory != nil || len(s.o.Conditions) > 0 || e.Subject.Type == string(rolecall.KindGroup) {
		return nil, false, nil
	}
	e.Subject.ID = "-" // anybody's: it has no part in what follows
	q, err := s.question(e)
	if err != nil {
		return nil, true, err
	}
	subjects, _, err := s.snapshot.Who(q.permission, q.scope, q.facts)
	if err != nil {
		return nil, true, err
	}
	for _, who := range subjects {
		if named, ok := s.o.Mapping.NameSubject(who); ok && named.Type == e.Subject.Type {
			found = append(found, candidate{key: named.ID, result: Entity{Type: named.Type, ID: named.ID}})
		}
	}
	return found, true, nil
}

// resources lists those of the type that the directory or the policy names; one that both name is the directory's.
func (s *session) resources(e Evaluation) ([]candidate, error) {
	if s.o.Directory == nil && s.plainResources {
		return s.allowedScopes(e)
	}
	var list []candidate
	seen, taken := map[string]bool{}, map[rolecall.Scope]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			one := e
			one.Resource = Entity{Type: e.Resource.Type, ID: id, Properties: e.Resource.Properties}
			list = append(list, s.asking(id, Entity{Type: e.Resource.Type, ID: id}, one))
		}
	}
	for id, err := range s.listed(e.Resource.Type) {
		if err != nil {
			return nil, err
		}
		r, known, err := s.resource(Entity{Type: e.Resource.Type, ID: id})
		if err != nil {
			return nil, err
		}
		at, err := s.place(r, known)
		if err == nil && !taken[at] {
			taken[at] = true
			add(r.ID)
		}
	}
	for at := range s.named(e.Resource.Type) {
		if r, ok := s.o.Mapping.NameResource(at); ok && !taken[at] && r.Type == e.Resource.Type {
			add(r.ID)
		}
	}
	return list, nil
}

// allowedScopes answers with one question to the policy where nobody but it knows of resources.
func (s *session) allowedScopes(e Evaluation) ([]candidate, error) {
	e.Resource.ID = "-" // any: it has no part in what follows
	q, err := s.question(e)
	if err != nil {
		return nil, err
	}
	v, err := s.view(q.subject)
	if err != nil {
		return nil, err
	}
	set, err := v.Scopes(rolecall.ScopeKind(e.Resource.Type), q.permission)
	if err != nil {
		return nil, err
	}
	facts := func(at rolecall.Scope) rolecall.Facts {
		one := e
		r, _ := nameResource(at)
		one.Resource.ID = r.ID
		return s.facts(one, Known{})
	}
	var found []candidate
	for at := range set.Named(rolecall.Scope{}, facts) {
		if r, ok := nameResource(at); ok {
			found = append(found, candidate{key: r.ID, result: Entity{Type: r.Type, ID: r.ID}})
		}
	}
	return found, nil
}

func (s *session) listed(typ string) iter.Seq2[string, error] {
	if s.o.Directory == nil {
		return func(func(string, error) bool) {}
	}
	return s.o.Directory.Resources(s.ctx, typ)
}

// named yields the scopes that the policy names and that may be of the type.
func (s *session) named(typ string) iter.Seq[rolecall.Scope] {
	if s.plainResources {
		return s.snapshot.NamedScopes(rolecall.ScopeKind(typ), rolecall.Scope{})
	}
	return func(yield func(rolecall.Scope) bool) {
		for _, d := range s.snapshot.Catalog().Declarations().ScopeKinds {
			for at := range s.snapshot.NamedScopes(d.Kind, rolecall.Scope{}) {
				if !yield(at) {
					return
				}
			}
		}
	}
}

// actions lists all that the catalog declares.
func (s *session) actions(e Evaluation) ([]candidate, error) {
	c := s.snapshot.Catalog()
	var list []candidate
	for p := range c.Permissions() {
		name, ok := s.o.Mapping.NameAction(c, p, e.Resource.Type)
		if !ok {
			continue
		}
		one := e
		one.Action = Action{Name: name}
		list = append(list, s.asking(name, Action{Name: name}, one))
	}
	return list, nil
}
