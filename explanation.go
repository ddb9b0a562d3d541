package rolecall

import (
	"encoding/json"
	"errors"
	"slices"
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
	told := map[StatementKey]bool{}
	return e.decision.text(func(b *strings.Builder, f Finding) { e.tell(b, f, told) })
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

// memberships returns the steps of the path; being in Everyone is none.
func (f *Finding) memberships() []Membership {
	var steps []Membership
	for i := 1; i < len(f.Path); i++ {
		if !f.Path[i].isEveryone() {
			steps = append(steps, Membership{Member: f.Path[i-1], Group: f.Path[i]})
		}
	}
	return steps
}

// keys returns the keys of what a finding rests on, of what it lost to, and of the roles that both grant.
func (f *Finding) keys() []StatementKey {
	var keys []StatementKey
	for _, one := range append(f.rests(), f.By) {
		if one == nil {
			continue
		}
		keys = append(keys, KeyOf(one))
		if g, granted := one.(Grant); granted {
			keys = append(keys, KeyOf(Role{Name: g.Role}))
		}
	}
	return keys
}

// Keys returns the keys of every statement that the explanation names, in order: what decided and what lost, what
// overrode or stopped it, the memberships on the way and the roles that speak.
func (d Decision) Keys() []StatementKey {
	var keys []StatementKey
	for _, f := range slices.Concat(d.deciding, d.losing) {
		keys = append(keys, f.keys()...)
	}
	slices.SortFunc(keys, StatementKey.Compare)
	return slices.Compact(keys)
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
	return slices.Contains(e.decision.request.Groups, m.Group)
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
