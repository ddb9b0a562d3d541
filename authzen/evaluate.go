package authzen

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// evaluation answers a single evaluation.
func (h *Handler) evaluation(s *session, request object) (any, error) {
	e, err := readEvaluation(request, Evaluation{})
	if err != nil {
		return nil, err
	}
	if err := e.complete(allParts); err != nil {
		return nil, err
	}
	return s.decide(e)
}

type batchResponse struct {
	Evaluations []Decision `json:"evaluations"`
}

// evaluations answers a batch; without one it is a single evaluation.
func (h *Handler) evaluations(s *session, request object) (any, error) {
	items, err := request.evaluations()
	if err != nil {
		return nil, err
	}
	semantic, err := request.semantic()
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return h.evaluation(s, request)
	}
	if len(items) > h.o.MaxEvaluations {
		return nil, bad("there are more than %d evaluations", h.o.MaxEvaluations)
	}
	defaults, err := readEvaluation(request, Evaluation{})
	if err != nil {
		return nil, err
	}
	response := batchResponse{Evaluations: make([]Decision, 0, len(items))}
	for _, item := range items {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		d := s.decideItem(item, defaults)
		response.Evaluations = append(response.Evaluations, d)
		if semantic == DenyOnFirstDeny && !d.Decision || semantic == PermitOnFirstPermit && d.Decision {
			break
		}
	}
	return response, nil
}

// evaluations returns the items of a batch.
func (o object) evaluations() ([]any, error) {
	v, there := o["evaluations"]
	if !there || v == nil {
		return nil, nil
	}
	items, ok := v.([]any)
	if !ok {
		return nil, bad("evaluations is not an array")
	}
	return items, nil
}

func (o object) semantic() (Semantic, error) {
	options, err := o.optionalObject("", "options")
	if err != nil {
		return "", err
	}
	if _, there := options["evaluations_semantic"]; !there {
		return ExecuteAll, nil
	}
	word, err := options.text("options", "evaluations_semantic")
	if err != nil {
		return "", err
	}
	switch s := Semantic(word); s {
	case ExecuteAll, DenyOnFirstDeny, PermitOnFirstPermit:
		return s, nil
	}
	return "", bad("options.evaluations_semantic is none of %s, %s and %s", ExecuteAll, DenyOnFirstDeny, PermitOnFirstPermit)
}

// decideItem answers one item of a batch. What is wrong with it denies it, and only it.
func (s *session) decideItem(item any, defaults Evaluation) Decision {
	m, ok := item.(map[string]any)
	if !ok {
		return failed(http.StatusBadRequest, "the evaluation is not an object")
	}
	e, err := readEvaluation(m, defaults)
	if err == nil {
		err = e.complete(allParts)
	}
	if err != nil {
		return failed(http.StatusBadRequest, err.Error())
	}
	d, err := s.decide(e)
	if err != nil {
		s.o.Log.ErrorContext(s.ctx, "authzen: evaluation not answered", "error", err)
		return failed(http.StatusServiceUnavailable, "the evaluation cannot be answered")
	}
	return d
}

// failed is a denial because of an error.
func failed(status int, message string) Decision {
	return Decision{Context: map[string]any{"error": map[string]any{"status": status, "message": message}}}
}

// errUnknown says that an entity has no counterpart in the policy's vocabulary.
var errUnknown = errors.New("the policy has no such name")

// decide answers an evaluation that is complete. A name that the policy does not know is a denial; an error says that
// it could not be found out.
func (s *session) decide(e Evaluation) (Decision, error) {
	q, err := s.question(e)
	if err == nil {
		err = s.ask(q)
	}
	s.tell(q, err)
	switch {
	case err == nil:
		return s.reasoned(true, rolecall.Granted), nil
	case errors.Is(err, rolecall.ErrDenied):
		var reason rolecall.Reason
		errors.As(err, &reason)
		return s.reasoned(false, reason), nil
	case isUnknown(err):
		s.logUnknown(err)
		return failed(http.StatusNotFound, "the policy does not know the subject, the action or the resource"), nil
	}
	return Decision{}, err
}

// isUnknown says whether an error is that of a name, rather than of the policy or of the host's code.
func isUnknown(err error) bool {
	return errors.Is(err, errUnknown) || len(rolecall.ProblemsOf(err)) > 0
}

// logUnknown tells the host which name it was, which the caller is not told. The caller has chosen it, and its length.
func (s *session) logUnknown(err error) {
	if s.toldUnknown {
		return
	}
	s.toldUnknown = true
	const most = 300
	text := err.Error()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	s.o.Log.InfoContext(s.ctx, "authzen: name not known", "error", text)
}

func (s *session) reasoned(allowed bool, reason rolecall.Reason) Decision {
	d := Decision{Decision: allowed}
	if s.o.Reasons {
		d.Context = map[string]any{"reason": reason.String(), "revision": uint64(s.snapshot.Revision())}
	}
	return d
}

func (s *session) tell(q question, err error) {
	if s.o.Observe != nil {
		s.o.Observe(s.ctx, rolecall.Observation{
			Subject: q.subject, Permission: q.permission, Scope: q.scope, Revision: s.snapshot.Revision(), Err: err,
		})
	}
}

// A question is an evaluation in Rolecall's names.
type question struct {
	subject    rolecall.Subject
	permission rolecall.Permission
	scope      rolecall.Scope
	facts      rolecall.Facts
}

func (s *session) ask(q question) error {
	v, err := s.view(q.subject)
	if err != nil {
		return err
	}
	return v.Check(q.permission, q.scope, q.facts)
}

func (s *session) question(e Evaluation) (question, error) {
	var q question
	var err error
	if q.subject, err = s.o.Mapping.Subject(e.Subject); err != nil {
		return q, unknown(err)
	}
	if q.permission, err = s.o.Mapping.Action(s.snapshot.Catalog(), e.Action, e.Resource.Type); err != nil {
		return q, unknown(err)
	}
	var known Known
	if e.Resource, known, err = s.resource(e.Resource); err != nil {
		return q, err
	}
	if q.scope, err = s.place(e.Resource, known); err != nil {
		return q, unknown(err)
	}
	q.facts = s.facts(e, known)
	return q, nil
}

func unknown(err error) error { return fmt.Errorf("%w: %w", errUnknown, err) }

// resource returns a resource by its id, whatever it was named by, and what the directory knows of it. What follows goes
// by that id alone, so that another spelling is not another resource.
func (s *session) resource(r Entity) (Entity, Known, error) {
	if s.paths {
		r.ID = plainID(r)
	}
	if s.o.Directory == nil {
		return r, Known{}, nil
	}
	known, err := s.lastResource.ask(s.ctx, r.Type, r.ID, s.lookUp)
	if known.ID != "" {
		r.ID = known.ID
	}
	return r, known, err
}

// lookUp asks the directory for a resource, and where it knows nothing of a path, for the one that may lie there.
func (s *session) lookUp(ctx context.Context, typ, id string) (Known, error) {
	known, err := s.o.Directory.Resource(ctx, typ, id)
	at, isPath := pathOf(Entity{Type: typ, ID: id})
	if err != nil || !s.paths || !isPath || known.Properties != nil || !known.Scope.IsZero() {
		return known, err
	}
	last, err := s.o.Directory.Resource(ctx, typ, at.ID())
	if err != nil || last.Scope != at {
		return Known{}, err
	}
	last.ID = at.ID()
	return last, nil
}

func (s *session) place(r Entity, known Known) (rolecall.Scope, error) {
	if !known.Scope.IsZero() {
		return known.Scope, nil
	}
	return s.o.Mapping.Resource(r)
}

// facts answers conditions by the host's tests, from the properties that count. Properties are put together when a
// condition matters, and once.
func (s *session) facts(e Evaluation, resource Known) rolecall.Facts {
	ready := false
	var failure error
	return rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
		test := s.o.Conditions[c]
		if test == nil {
			return false, fmt.Errorf("no test is configured for condition %s", c)
		}
		if !ready {
			ready = true
			e, failure = s.known(e, resource)
		}
		if failure != nil {
			return false, failure
		}
		return test(e)
	})
}

// known returns the evaluation with the properties that count.
func (s *session) known(e Evaluation, resource Known) (Evaluation, error) {
	var subject Known
	if s.o.Directory != nil {
		var err error
		if subject, err = s.lastSubject.ask(s.ctx, e.Subject.Type, e.Subject.ID, s.o.Directory.Subject); err != nil {
			return e, err
		}
	}
	e.Subject.Properties = s.blended(&s.ofSubject, e.Subject, subject.Properties)
	e.Resource.Properties = s.blended(&s.ofResource, e.Resource, resource.Properties)
	e.Action.Properties = s.counting(e.Action.Properties, nil)
	e.Context = s.counting(e.Context, nil)
	return e, nil
}

// A blend is what was sent and what is stored of one entity, put together. A session keeps the one of which most was sent:
// the evaluations of a batch may share it, and each would cost them all.
type blend struct {
	typ, id   string
	sent, all map[string]any
}

// blended returns the properties of an entity that count.
func (s *session) blended(kept *blend, e Entity, stored map[string]any) map[string]any {
	if kept.typ == e.Type && kept.id == e.ID && same(kept.sent, e.Properties) {
		return kept.all
	}
	all := s.counting(e.Properties, stored)
	if len(e.Properties) > 0 && len(e.Properties) >= len(kept.sent) {
		*kept = blend{e.Type, e.ID, e.Properties, all}
	}
	return all
}

// same says whether two maps are one.
func same(a, b map[string]any) bool {
	return a != nil && reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

func (s *session) counting(sent, stored map[string]any) map[string]any {
	switch s.o.Properties {
	case FillFromSent:
		return over(stored, sent)
	case TrustSent:
		return over(sent, stored)
	case IgnoreSent:
	}
	return stored
}

// over returns the members of first, and those of second that first has not. It copies only where both have some.
func over(first, second map[string]any) map[string]any {
	switch {
	case len(second) == 0 && first != nil:
		return first
	case len(first) == 0:
		return second
	}
	all := maps.Clone(second)
	maps.Copy(all, first)
	return all
}
