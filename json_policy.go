package rolecall

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Catalogs and whole policies as JSON.

func (d *PermissionDecl) fields() []field {
	return []field{{"permission", &d.Permission, required}, {"title", &d.Title, prose}, {"group", &d.Group, prose}}
}

func (d *ConditionDecl) fields() []field {
	return []field{{"condition", &d.Condition, required}, {"title", &d.Title, prose}}
}

func (d *ScopeKindDecl) fields() []field {
	return []field{{"kind", &d.Kind, required}, {"title", &d.Title, prose}}
}

func (d *SubjectKindDecl) fields() []field {
	return []field{{"kind", &d.Kind, required}, {"title", &d.Title, prose}}
}

func (d *Declarations) fields() []field {
	return []field{
		{"permissions", (*list[PermissionDecl])(&d.Permissions), optional},
		{"conditions", (*list[ConditionDecl])(&d.Conditions), optional},
		{"scopeKinds", (*list[ScopeKindDecl])(&d.ScopeKinds), optional},
		{"subjectKinds", (*list[SubjectKindDecl])(&d.SubjectKinds), optional},
	}
}

// UnmarshalJSON reads the declaration of a permission.
func (d *PermissionDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*PermissionDecl).fields)
}

// UnmarshalJSON reads the declaration of a condition.
func (d *ConditionDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*ConditionDecl).fields)
}

// UnmarshalJSON reads the declaration of a kind of scope.
func (d *ScopeKindDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*ScopeKindDecl).fields)
}

// UnmarshalJSON reads the declaration of a kind of subject.
func (d *SubjectKindDecl) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*SubjectKindDecl).fields)
}

// UnmarshalJSON reads declarations: {"permissions", "conditions", "scopeKinds", "subjectKinds"}.
func (d *Declarations) UnmarshalJSON(data []byte) error {
	return decodeInto(d, data, (*Declarations).fields)
}

// MarshalJSON writes the catalog as its declarations. To read one, read Declarations and call NewCatalog.
func (c *Catalog) MarshalJSON() ([]byte, error) { return json.Marshal(c.Declarations()) }

// UnmarshalJSON refuses: a catalog is immutable.
func (c *Catalog) UnmarshalJSON([]byte) error {
	return problem(ErrInvalid, "catalog", "", "read Declarations and make a catalog of them")
}

// MarshalJSON writes the whole policy: {"declarations", "revision", "statements"}, statements in their usual order.
func (s *Snapshot) MarshalJSON() ([]byte, error) {
	declarations, err := json.Marshal(s.Catalog())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"declarations":%s,"revision":%d,"statements":[`, declarations, s.Revision())
	separator := ""
	for statement := range s.Statements() {
		text, err := MarshalStatement(statement)
		if err != nil {
			return nil, err
		}
		b.WriteString(separator)
		b.Write(text)
		separator = ","
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

// UnmarshalSnapshot reads what marshalling a Snapshot writes: a whole policy with its vocabulary. Everything is judged
// as when a snapshot is built; where anything is wrong there is no snapshot.
func UnmarshalSnapshot(data []byte) (*Snapshot, error) {
	var d Declarations
	var revision Revision
	var statements list[StatementJSON]
	err := decodeObject(data,
		field{"declarations", &d, required}, field{"revision", &revision, required}, field{"statements", &statements, required})
	if err != nil {
		return nil, fmt.Errorf("policy in JSON: %w", err)
	}
	c, err := NewCatalog(d)
	if err != nil {
		return nil, fmt.Errorf("policy in JSON: declarations: %w", err)
	}
	s, err := LoadSnapshot(c, State{Revision: revision, Statements: func(yield func(Statement, error) bool) {
		for _, s := range statements {
			if !yield(s.Statement, nil) {
				return
			}
		}
	}})
	if err != nil {
		return nil, fmt.Errorf("policy in JSON: %w", err)
	}
	return s, nil
}
