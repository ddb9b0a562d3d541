package main

import (
	"encoding/json"

	"github.com/rolecall-go/rolecall"
)

// A ruleJSON writes a rule as what it comes to: true, false, "ask" where it cannot be taken apart, or what it comes to
// where a condition holds, fails or cannot be said. The last is written only where it is not as if the condition failed.
type ruleJSON struct{ rolecall.ScopeRule }

type splitJSON struct {
	Condition rolecall.Condition `json:"condition"`
	Holds     ruleJSON           `json:"holds"`
	Fails     ruleJSON           `json:"fails"`
	Unknown   *ruleJSON          `json:"unknown,omitempty"`
}

// MarshalJSON writes the rule.
func (r ruleJSON) MarshalJSON() ([]byte, error) {
	if r.Opaque() {
		return []byte(`"ask"`), nil
	}
	c, holds, fails, unknown, ok := r.Split()
	if !ok {
		return json.Marshal(r.Always())
	}
	split := splitJSON{Condition: c, Holds: ruleJSON{holds}, Fails: ruleJSON{fails}}
	if !unknown.Equal(fails) {
		split.Unknown = &ruleJSON{unknown}
	}
	return json.Marshal(split)
}
