package review

import (
	"encoding/binary"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/roles"
)

// A vocabulary has the permissions that a grant or an override may speak of.
type vocabulary map[rolecall.Permission]said

// Said is what rules say of a permission: two permissions of a vocabulary have one class where the same rules match them.
type said struct {
	class int
	when  []rolecall.Condition // of the rules
}

// speaksOf says whether a rule or an override of that effect says something of a permission by a pattern.
func speaksOf(e rolecall.Effect, by rolecall.Pattern, p rolecall.Permission) bool {
	if e == rolecall.Allow {
		return by.AllowMatches(p)
	}
	return by.Matches(p)
}

// pattern returns the vocabulary of an override.
func (r *reviewer) pattern(o rolecall.Override) vocabulary {
	words := vocabulary{}
	for p := range r.snapshot.Catalog().Matching(o.Pattern) {
		if speaksOf(o.Effect, o.Pattern, p) {
			words[p] = said{class: 1}
		}
	}
	return words
}

// role returns the vocabulary of a grant of a role, read once.
func (r *reviewer) role(name rolecall.RoleName) vocabulary {
	if r.roles[name] != nil {
		return r.roles[name]
	}
	words, matched := vocabulary{}, map[rolecall.Permission][]byte{}
	n := uint64(0)
	for _, role := range roles.Lineage(r.snapshot, name) {
		for _, rule := range role.Rules {
			n++
			for _, pattern := range rule.Patterns {
				for p := range r.snapshot.Catalog().Matching(pattern) {
					if speaksOf(rule.Effect, pattern, p) {
						matched[p] = binary.AppendUvarint(matched[p], n)
						words[p] = said{when: with(words[p].when, rule.When)}
					}
				}
			}
		}
	}
	classes := map[string]int{}
	for p, rules := range matched {
		class := classes[string(rules)]
		if class == 0 {
			class = len(classes) + 1
			classes[string(rules)] = class
		}
		words[p] = said{class, words[p].when}
	}
	r.roles[name] = words
	return words
}
