package rolecall

import (
	"encoding/json"
	"errors"
	"strings"
)

// An Explanation is a decision that also tells where its statements come from. It is for those who may see the policy;
// Decision.Notice is for whoever asked. It is immutable.
type Explanation struct {
	decision Decision
	origins  map[StatementKey]Origin
	untold   map[StatementKey]error
}

// Explain joins a decision with the origins of everything in it. Without a provenance, or where it does not tell, the
// explanation says that the origin is not known.
func (d Decision) Explain(p *Provenance) Explanation {
	if p == nil {
		p = &Provenance{}
	}
	e := Explanation{d, map[StatementKey]Origin{}, map[StatementKey]error{}}
	for _, key := range d.Keys() {
		origin, err := p.Of(key, d.revision)
		if err != nil {
			e.untold[key] = err
			continue
		}
		e.origins[key] = origin
	}
	return e
}

// Decision returns the decision.
func (e Explanation) Decision() Decision { return e.decision }

// Origin returns where a statement of the decision comes from. Its errors are those of Provenance.Of, and ErrInvalid for a
// statement that the decision does not name.
func (e Explanation) Origin(key StatementKey) (Origin, error) {
	if origin, told := e.origins[key]; told {
		return origin, nil
	}
	if err := e.untold[key]; err != nil {
		return Origin{}, err
	}
	return Origin{}, problem(ErrInvalid, key.String(), "", "the decision does not name this statement")
}

// String returns what Decision.String does, and beneath each statement the change that made it what it is, and the same of
// the memberships on the way to it, of the role that speaks and of the private scope that stops it, each once.
func (e Explanation) String() string {
	d := e.decision
	var b strings.Builder
	b.WriteString(d.head())
	told := map[StatementKey]bool{}
	for _, f := range d.deciding {
		b.WriteString("\n  because " + f.String())
		e.tell(&b, f, told)
	}
	for _, f := range d.losing {
		b.WriteString("\n  not     " + f.String())
		e.tell(&b, f, told)
	}
	if len(d.deciding) == 0 && len(d.losing) == 0 {
		b.WriteString(nothingSpeaks)
	}
	return b.String()
}

func (e Explanation) tell(b *strings.Builder, f Finding, told map[StatementKey]bool) {
	for i, one := range f.rests() {
		key := KeyOf(one)
		if told[key] {
			continue
		}
		told[key] = true
		b.WriteString("\n          ")
		if i > 0 {
			b.WriteString(key.String() + ": ")
		}
		b.WriteString(e.describe(one))
	}
}

// rests returns what a finding rests on: its statement first, then the memberships on the way, the role that speaks and
// the private scope that stops it.
func (f *Finding) rests() []Statement {
	list := []Statement{f.Statement}
	for _, m := range f.memberships() {
		list = append(list, m)
	}
	if f.Role != "" {
		list = append(list, Role{Name: f.Role})
	}
	if f.Fate == StoppedByPrivacy {
		list = append(list, PrivateScope{f.Where})
	}
	return list
}

func (e Explanation) describe(one Statement) string {
	origin, err := e.Origin(KeyOf(one))
	switch {
	case err == nil:
		return origin.String()
	case e.vouched(one):
		return "vouched for by the caller"
	case errors.Is(err, ErrUnknown):
		return "not there at this revision, the history says"
	}
	return "origin not known"
}

// vouched says whether a membership is one that the request vouches for.
func (e Explanation) vouched(one Statement) bool {
	m, joins := one.(Membership)
	if !joins || m.Member != e.decision.request.Subject {
		return false
	}
	for _, g := range e.decision.request.Groups {
		if g == m.Group {
			return true
		}
	}
	return false
}

// MarshalJSON writes {"decision", "origins"}: origins has the known ones by the keys of their statements in words.
func (e Explanation) MarshalJSON() ([]byte, error) {
	origins := map[string]Origin{}
	for key, origin := range e.origins {
		origins[key.String()] = origin
	}
	return json.Marshal(struct {
		Decision Decision          `json:"decision"`
		Origins  map[string]Origin `json:"origins"`
	}{e.decision, origins})
}
