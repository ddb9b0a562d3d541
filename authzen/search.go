package authzen

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"math"
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
	e, err := readEvaluation(request, Evaluation{})
	if err != nil {
		return nil, err
	}
	switch what {
	case "subject":
		e.Subject.ID = ""
	case "resource":
		e.Resource.ID = ""
	case "action":
		e.Action = Action{}
	}
	if err := e.complete(need); err != nil {
		return nil, err
	}
	p, err := s.readPage(what, e, request)
	if err != nil {
		return nil, err
	}
	candidates, err := list(e)
	if errors.Is(err, errUnknown) || len(rolecall.ProblemsOf(err)) > 0 {
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
		allowed, err := c.allowed()
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

func (c candidate) allowed() (bool, error) {
	if c.ask == nil {
		return true, nil
	}
	switch err := c.ask(); {
	case err == nil:
		return true, nil
	case errors.Is(err, rolecall.ErrDenied), errors.Is(err, errUnknown), len(rolecall.ProblemsOf(err)) > 0:
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

// who answers with one question to the policy where all subjects have the same facts. Groups are left to the long way.
func (s *session) who(e Evaluation) (found []candidate, done bool, err error) {
	if s.o.Directory != nil || len(s.o.Conditions) > 0 || e.Subject.Type == string(rolecall.KindGroup) {
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
	var list []candidate
	taken := map[rolecall.Scope]bool{}
	add := func(id string) {
		one := e
		one.Resource = Entity{Type: e.Resource.Type, ID: id, Properties: e.Resource.Properties}
		list = append(list, s.asking(id, Entity{Type: e.Resource.Type, ID: id}, one))
	}
	for id, err := range s.listed(e.Resource.Type) {
		if err != nil {
			return nil, err
		}
		r := Entity{Type: e.Resource.Type, ID: id}
		known, err := s.resource(r)
		if err != nil {
			return nil, err
		}
		at, err := s.place(r, known)
		if err == nil && !taken[at] {
			taken[at] = true
			add(id)
		}
	}
	for at := range s.named() {
		if taken[at] {
			continue
		}
		taken[at] = true
		if r, ok := s.o.Mapping.NameResource(at); ok && r.Type == e.Resource.Type {
			add(r.ID)
		}
	}
	return list, nil
}

func (s *session) listed(typ string) iter.Seq2[string, error] {
	if s.o.Directory == nil {
		return func(func(string, error) bool) {}
	}
	return s.o.Directory.Resources(s.ctx, typ)
}

// named yields the scopes that the policy names, and those above them; some repeatedly.
func (s *session) named() iter.Seq[rolecall.Scope] {
	return func(yield func(rolecall.Scope) bool) {
		for one := range s.snapshot.Statements() {
			var at rolecall.Scope
			switch one := one.(type) {
			case rolecall.Grant:
				at = one.Scope
			case rolecall.Override:
				at = one.Scope
			case rolecall.PrivateScope:
				at = one.Scope
			default:
				continue
			}
			for above := range at.Ancestors() {
				if !yield(above) {
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

// A page is which part of the results a request wants.
type page struct {
	asked     bool // the request has a page object
	limit     int
	continued bool   // it goes on after a key
	after     string // that key
	query     string // digest of everything that must not change between pages
	sent      string // the limit as it was asked for, 0 for none
	revision  rolecall.Revision
}

// A pageToken is what a token says, in JSON and base64.
type pageToken struct {
	Query    string            `json:"q"` // digest of the search and its entities
	Limit    string            `json:"l"`
	Revision rolecall.Revision `json:"r"`
	After    string            `json:"a"`
	Started  bool              `json:"s"`
}

// readPage reads which page is wanted. A token belongs to one search at one revision; the limit may be left out when
// going on, and is then what it was.
func (s *session) readPage(what string, e Evaluation, request object) (page, error) {
	p := page{limit: s.o.MaxResults, revision: s.snapshot.Revision(), query: digest(what, e)}
	o, err := request.optionalObject("", "page")
	if err != nil {
		return p, err
	}
	p.asked = o != nil
	limit, err := o.limit()
	if err != nil {
		return p, err
	}
	token, err := o.text("page", "token")
	if err != nil {
		return p, err
	}
	if token != "" {
		if limit, err = p.resume(token, limit); err != nil {
			return p, err
		}
	}
	if limit != "" {
		p.sent = limit
		p.limit = min(p.limit, atoi(limit))
	}
	return p, nil
}

// limit returns page.limit as digits, empty where it is not there.
func (o object) limit() (string, error) {
	v, there := o["limit"]
	if !there || v == nil {
		return "", nil
	}
	n, ok := v.(float64)
	if !ok || n != math.Trunc(n) || n < 0 {
		return "", bad("page.limit is not a whole number from 0 on")
	}
	digits, err := json.Marshal(int64(min(n, math.MaxInt32)))
	return string(digits), err
}

func atoi(digits string) int {
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}

// resume goes on where a token says, and returns the limit that counts.
func (p *page) resume(token, limit string) (string, error) {
	var t pageToken
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(raw, &t) != nil || strings.Trim(t.Limit, "0123456789") != "" || len(t.Limit) > 10 {
		return "", bad("page.token is not one of ours")
	}
	switch {
	case t.Query != p.query:
		return "", bad("page.token belongs to another search")
	case limit != "" && limit != t.Limit:
		return "", bad("page.limit is not what it was on the page before")
	case t.Revision != p.revision:
		return "", bad("the policy has changed since the page before; start again without page.token")
	}
	p.continued, p.after = t.Started, t.After
	return t.Limit, nil
}

// token returns where to go on. Without started the next page begins at the beginning, as with a limit of zero.
func (p *page) token(after string, started bool) string {
	text, err := json.Marshal(pageToken{p.query, p.sent, p.revision, after, started})
	if err != nil {
		panic(err) // strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// digest identifies a search and its entities.
func digest(what string, e Evaluation) string {
	text, err := json.Marshal([]any{what, e}) // the members of objects are sorted
	if err != nil {
		panic(err) // strings, and what was read from JSON
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
