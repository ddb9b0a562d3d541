package authzen

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// ValidFor says what the entities name that a catalog does not declare, or that is malformed, as the default mapping reads
// them: conditions, kinds of subjects, kinds of scopes. Whatever is asked about such an entity would be denied. The error
// is a rolecall.Problems; what is not declared is in it once.
func (e *Entities) ValidFor(c *rolecall.Catalog) error {
	v := validation{declared: termsOf(c)}
	for _, name := range slices.Sorted(maps.Keys(e.Conditions)) {
		v.term("conditions", term{"condition", string(name)})
	}
	for s := range inOrder(e.subjects) {
		place := fmt.Sprintf("subject %q of type %q", s.ID, s.Type)
		if _, err := subjectOf(s); err != nil {
			v.malformed(place, err)
			continue
		}
		v.term(place, term{"subject kind", s.Type})
	}
	for r, known := range inOrder(e.resources) {
		place := fmt.Sprintf("resource %q of type %q", r.ID, r.Type)
		at := known.Scope
		if at.IsZero() {
			var err error
			if at, err = scopeOf(r); err != nil {
				v.malformed(place, err)
				continue
			}
		}
		for kind := range at.Segments() {
			v.term(place, term{"scope kind", string(kind)})
		}
	}
	if v.problems != nil {
		return v.problems
	}
	return nil
}

// inOrder yields entities by type and id.
func inOrder(all map[string]map[string]Known) iter.Seq2[Entity, Known] {
	return func(yield func(Entity, Known) bool) {
		for _, typ := range slices.Sorted(maps.Keys(all)) {
			for _, id := range slices.Sorted(maps.Keys(all[typ])) {
				if !yield(Entity{Type: typ, ID: id}, all[typ][id]) {
					return
				}
			}
		}
	}
}

// A term is a name that a catalog declares, and as what.
type term struct{ what, name string }

func termsOf(c *rolecall.Catalog) map[term]bool {
	terms := map[term]bool{}
	for kind := range c.SubjectKinds() {
		terms[term{"subject kind", string(kind)}] = true
	}
	d := c.Declarations()
	for _, k := range d.ScopeKinds {
		terms[term{"scope kind", string(k.Kind)}] = true
	}
	for _, one := range d.Conditions {
		terms[term{"condition", string(one.Condition)}] = true
	}
	return terms
}

type validation struct {
	declared map[term]bool
	problems rolecall.Problems
}

// term notes a name that is not declared, the first time.
func (v *validation) term(place string, t term) {
	if v.declared[t] {
		return
	}
	v.declared[t] = true
	v.problems = append(v.problems, &rolecall.Problem{
		Code: rolecall.ErrUnknown, Place: place, Word: t.name, Detail: fmt.Sprintf("no such %s is declared", t.what),
	})
}

func (v *validation) malformed(place string, err error) {
	for _, p := range rolecall.ProblemsOf(err) {
		there := *p
		there.Place = place
		v.problems = append(v.problems, &there)
	}
}
