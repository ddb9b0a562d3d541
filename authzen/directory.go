package authzen

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// Known is what the host knows of an entity. The zero Known is nothing.
type Known struct {
	Properties map[string]any
	// Scope is where a resource lies, where the host knows better than the mapping. Zero leaves it to the mapping.
	Scope rolecall.Scope
	// ID is the id of a resource that was asked for by another spelling. Empty says that it was asked for by its id.
	ID string
}

// A Directory tells of the host's entities: what is known of them, for conditions, and which there are, for searches.
// What the policy names is found without it. It is safe for concurrent use and honours the cancellation of ctx.
type Directory interface {
	// Subject returns what is known of a subject, the zero Known where nothing is.
	Subject(ctx context.Context, typ, id string) (Known, error)
	// Resource returns what is known of a resource, the zero Known where nothing is. Callers may name a resource by the
	// path of its scope. With the default mapping a path of one step is asked for as the id that it spells; a longer one
	// as it is, and where nothing is known of it as the id at its end, which counts where its Scope is that path. A
	// Directory with other ids than those at the ends of paths answers for the paths, too.
	Resource(ctx context.Context, typ, id string) (Known, error)
	// Subjects yields the ids of the subjects of a type, in any order.
	Subjects(ctx context.Context, typ string) iter.Seq2[string, error]
	// Resources yields the ids of the resources of a type, in any order.
	Resources(ctx context.Context, typ string) iter.Seq2[string, error]
}

// Entities are a Directory in memory, read from JSON, with the conditions that their properties answer:
//
//	{
//	  "conditions": {"own": "resource.owner == subject.id"},
//	  "subjects":   [{"type": "user", "id": "ada", "properties": {"department": "Sales"}}],
//	  "resources":  [{"type": "record", "id": "101", "properties": {"owner": "ada"}, "scope": "/department:Sales/record:101"}]
//	}
//
// They are read-only and safe for concurrent use.
type Entities struct {
	// Conditions are for Options.Conditions.
	Conditions map[rolecall.Condition]Test

	subjects  map[string]map[string]Known // by type, by id
	resources map[string]map[string]Known
	paths     map[string]map[string]string // by type, by another name: the id
}

// ParseEntities reads entities. It is strict: members that it does not know are errors, and so are two resources that one
// path would name.
func ParseEntities(data []byte) (*Entities, error) {
	o, err := parseObject(data, 64)
	if err != nil {
		return nil, fmt.Errorf("entities: %w", err)
	}
	e := &Entities{Conditions: map[rolecall.Condition]Test{}, subjects: map[string]map[string]Known{}, resources: map[string]map[string]Known{}, paths: map[string]map[string]string{}}
	if err := e.read(o); err != nil {
		return nil, fmt.Errorf("entities: %w", err)
	}
	return e, nil
}

func (e *Entities) read(o object) error {
	if err := o.only("", "conditions", "subjects", "resources"); err != nil {
		return err
	}
	conditions, err := o.optionalObject("", "conditions")
	if err != nil {
		return err
	}
	for name := range conditions {
		text, err := conditions.text("conditions", name)
		if err != nil {
			return err
		}
		if e.Conditions[rolecall.Condition(name)], err = ParseTest(text); err != nil {
			return fmt.Errorf("condition %s: %w", name, err)
		}
	}
	if err := readKnown(o, "subjects", e.subjects, "type", "id", "properties"); err != nil {
		return err
	}
	if err := readKnown(o, "resources", e.resources, "type", "id", "properties", "scope"); err != nil {
		return err
	}
	return e.readPaths()
}

// readPaths notes by what else than their ids resources can be named.
func (e *Entities) readPaths() error {
	for _, typ := range slices.Sorted(maps.Keys(e.resources)) {
		known := e.resources[typ]
		e.paths[typ] = map[string]string{}
		for _, id := range slices.Sorted(maps.Keys(known)) {
			for _, name := range otherNames(typ, id, known[id].Scope) {
				other, twice := e.paths[typ][name]
				if _, isID := known[name]; isID {
					other, twice = name, true
				}
				if twice && other != id {
					return bad("resources %q and %q of type %q have one name, %q", other, id, typ, name)
				}
				e.paths[typ][name] = id
			}
		}
	}
	return nil
}

// otherNames returns what else an id is spelled, and what the scope is named by where it ends in the type.
func otherNames(typ, id string, at rolecall.Scope) []string {
	names := []string{plainID(Entity{Type: typ, ID: id})}
	if !at.IsZero() && string(at.Kind()) == typ {
		names = append(names, plainID(Entity{Type: typ, ID: at.String()}))
	}
	return names
}

// only refuses members of other names.
func (o object) only(where string, names ...string) error {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(names, name) {
			return bad("%s is not known", join(where, fmt.Sprintf("%q", name)))
		}
	}
	return nil
}

func readKnown(o object, list string, into map[string]map[string]Known, names ...string) error {
	v, there := o[list]
	if !there {
		return nil
	}
	elements, ok := v.([]any)
	if !ok {
		return bad("%s is not an array", list)
	}
	for i, element := range elements {
		where := fmt.Sprintf("%s[%d]", list, i)
		m, ok := element.(map[string]any)
		if !ok {
			return bad("%s is not an object", where)
		}
		if err := readOne(m, where, into, names); err != nil {
			return err
		}
	}
	return nil
}

func readOne(o object, where string, into map[string]map[string]Known, names []string) error {
	if err := o.only(where, names...); err != nil {
		return err
	}
	entity, err := readEntity(o, where)
	if err != nil {
		return err
	}
	if entity.Type == "" || entity.ID == "" {
		return bad("%s has no type or no id", where)
	}
	known := Known{Properties: entity.Properties}
	text, err := o.text(where, "scope")
	if err != nil {
		return err
	}
	if text != "" {
		if known.Scope, err = rolecall.ParseScope(text); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	if into[entity.Type] == nil {
		into[entity.Type] = map[string]Known{}
	}
	if _, twice := into[entity.Type][entity.ID]; twice {
		return bad("%s is there twice", where)
	}
	into[entity.Type][entity.ID] = known
	return nil
}

// Subject returns what is known of a subject.
func (e *Entities) Subject(ctx context.Context, typ, id string) (Known, error) {
	return e.subjects[typ][id], ctx.Err()
}

// Resource returns what is known of a resource, by its id or by the path of the scope that it was given.
func (e *Entities) Resource(ctx context.Context, typ, id string) (Known, error) {
	known, there := e.resources[typ][id]
	if plain, placed := e.paths[typ][id]; !there && placed {
		known = e.resources[typ][plain]
		known.ID = plain
	}
	return known, ctx.Err()
}

// Subjects yields the ids of the subjects of a type.
func (e *Entities) Subjects(_ context.Context, typ string) iter.Seq2[string, error] {
	return ids(e.subjects[typ])
}

// Resources yields the ids of the resources of a type.
func (e *Entities) Resources(_ context.Context, typ string) iter.Seq2[string, error] {
	return ids(e.resources[typ])
}

func ids(known map[string]Known) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for id := range known {
			if !yield(id, nil) {
				return
			}
		}
	}
}
