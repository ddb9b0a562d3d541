package rolecall

import (
	"slices"
	"strconv"
	"strings"
)

// A RoleName names a role: letters, digits, '.', '_' and '-', at most 128 bytes.
type RoleName string

// An Effect is what a statement says of a permission, in rising strictness.
type Effect uint8

// The effects. The zero Effect says nothing and is refused in statements.
const (
	Allow  Effect = iota + 1 // may
	Except                   // in a role: what the role and those it inherits from allow does not include this
	Deny                     // may not, unless something nearer says otherwise
	Forbid                   // may not, whatever else is said
)

var effectNames = [...]string{"nothing", "allow", "except", "deny", "forbid"}

// String returns the effect's word, "nothing" for the zero Effect.
func (e Effect) String() string {
	if int(e) >= len(effectNames) {
		return "effect(" + strconv.Itoa(int(e)) + ")"
	}
	return effectNames[e]
}

// ParseEffect reads an effect's word.
func ParseEffect(word string) (Effect, error) {
	if i := slices.Index(effectNames[1:], word); i >= 0 {
		return Effect(i + 1), nil
	}
	return 0, problem(ErrInvalid, "", word, "an effect is allow, except, deny or forbid")
}

// MarshalText writes the effect's word.
func (e Effect) MarshalText() ([]byte, error) {
	if e == 0 || e > Forbid {
		return nil, problem(ErrInvalid, "", e.String(), "not an effect")
	}
	return []byte(e.String()), nil
}

// UnmarshalText reads the effect's word; an unknown one is an error, never a silent "no opinion".
func (e *Effect) UnmarshalText(text []byte) error {
	parsed, err := ParseEffect(string(text))
	if err != nil {
		return err
	}
	*e = parsed
	return nil
}

// A Rule is a line of a role: an effect on some permissions, always or under a condition.
type Rule struct {
	Effect   Effect    `json:"effect"`
	Patterns []Pattern `json:"patterns"`
	When     Condition `json:"when,omitempty"`
}

// String returns the text form, for example: allow task.* when assigned.
func (r Rule) String() string {
	var b strings.Builder
	b.WriteString(r.Effect.String())
	for _, p := range r.Patterns {
		b.WriteByte(' ')
		b.WriteString(string(p))
	}
	writeWhen(&b, r.When)
	return b.String()
}

// matches says whether the rule speaks of permission.
func (r Rule) matches(permission Permission) bool {
	return slices.ContainsFunc(r.Patterns, func(p Pattern) bool { return p.matches(r.Effect, permission) })
}

// A Role is a named set of rules. It adds to the roles it inherits from; what it says itself is nearer than what they
// say. Holders and Scopes limit the kinds of subject that may hold it and the kinds of scope where; empty means any.
type Role struct {
	Name        RoleName      `json:"name"`
	Title       string        `json:"title,omitempty"`
	Description string        `json:"description,omitempty"`
	Inherits    []RoleName    `json:"inherits,omitempty"`
	Rules       []Rule        `json:"rules,omitempty"`
	Holders     []SubjectKind `json:"holders,omitempty"`
	Scopes      []ScopeKind   `json:"scopes,omitempty"`
}

// String returns the text form, of several lines where the role has a body.
func (r Role) String() string {
	var b strings.Builder
	b.WriteString("role ")
	b.WriteString(string(r.Name))
	if r.Title != "" {
		b.WriteByte(' ')
		b.WriteString(strconv.Quote(r.Title))
	}
	writeLimits(&b, " holders ", r.Holders)
	writeLimits(&b, " scopes ", r.Scopes)
	if r.Description != "" {
		b.WriteString("\n  description ")
		b.WriteString(strconv.Quote(r.Description))
	}
	if len(r.Inherits) > 0 {
		b.WriteString("\n  inherits")
		for _, name := range r.Inherits {
			b.WriteByte(' ')
			b.WriteString(string(name))
		}
	}
	for _, rule := range r.Rules {
		b.WriteString("\n  ")
		b.WriteString(rule.String())
	}
	return b.String()
}

func writeLimits[K ~string](b *strings.Builder, word string, kinds []K) {
	for i, k := range kinds {
		if i > 0 {
			word = ","
		}
		b.WriteString(word)
		b.WriteString(string(k))
	}
}

func writeWhen(b *strings.Builder, c Condition) {
	if c != "" {
		b.WriteString(" when ")
		b.WriteString(string(c))
	}
}

// canonical returns the one spelling of the role's content: what does not matter to meaning is sorted and folded, so
// that two roles mean the same to Rolecall exactly where their canonical forms are equal. Rules keep no order: the
// strictest one counts, wherever it stands.
func (r Role) canonical() Role {
	r.Inherits = sortedSet(r.Inherits)
	r.Holders = sortedSet(r.Holders)
	r.Scopes = sortedSet(r.Scopes)
	type key struct {
		effect Effect
		when   Condition
	}
	byKey := map[key][]Pattern{}
	for _, rule := range r.Rules {
		k := key{rule.Effect, rule.When}
		byKey[k] = append(byKey[k], rule.Patterns...)
	}
	r.Rules = nil
	for k, patterns := range byKey {
		r.Rules = append(r.Rules, Rule{k.effect, orEmpty(sortedSet(patterns)), k.when})
	}
	slices.SortFunc(r.Rules, func(a, b Rule) int {
		if a.Effect != b.Effect {
			return int(a.Effect) - int(b.Effect)
		}
		return strings.Compare(string(a.When), string(b.When))
	})
	return r
}

func (r Role) equal(other Role) bool {
	return r.Name == other.Name && r.Title == other.Title && r.Description == other.Description &&
		slices.Equal(r.Inherits, other.Inherits) && slices.Equal(r.Holders, other.Holders) &&
		slices.Equal(r.Scopes, other.Scopes) &&
		slices.EqualFunc(r.Rules, other.Rules, func(a, b Rule) bool {
			return a.Effect == b.Effect && a.When == b.When && slices.Equal(a.Patterns, b.Patterns)
		})
}

// sortedSet returns the elements sorted without repetitions, nil where there are none, in a slice of its own.
func sortedSet[S ~string](in []S) []S {
	if len(in) == 0 {
		return nil
	}
	out := slices.Clone(in)
	slices.Sort(out)
	return slices.Compact(out)
}
