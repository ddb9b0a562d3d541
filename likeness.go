package rolecall

import "encoding/binary"

// likeness returns a key that is the same for subjects whom nothing in two policies tells apart, so that one of them can
// be asked for all: of each nothing is said but that it is always in the same groups. It is empty for a subject of which
// more is said, and for groups.
func likeness(policies [2]*policy, who Subject) string {
	var key []byte
	for _, p := range policies {
		h := p.holder(who)
		if h == nil {
			h = unnamed
		}
		if h.isGroup() || h.suspended || len(h.grants) > 0 || h.rare != nil {
			return ""
		}
		key = binary.LittleEndian.AppendUint32(key, uint32(len(h.groups)))
		for _, m := range h.groups {
			key = binary.LittleEndian.AppendUint32(key, m.group)
		}
	}
	return string(key)
}
