package peers

// Rolecall is the library itself.
func Rolecall(st *Studio, _ *Limit) (Peer, error) {
	snapshot, err := st.Snapshot()
	return Peer{Check: func(q *Asked) bool { return snapshot.Check(q.Subject, q.Permission, q.Scope) == nil }}, err
}

// Maps is what one writes in an afternoon: maps of slices of roles, and a set of permissions a role. The maps of the
// grants and the closures of the groups are the studio's, copied.
func Maps(st *Studio, _ *Limit) (Peer, error) {
	permissions := map[string]map[string]bool{}
	for role, list := range st.Permissions {
		permissions[role] = map[string]bool{}
		for _, p := range list {
			permissions[role][p] = true
		}
	}
	grants := map[string]map[string][]string{}
	for at, holders := range st.Grants {
		grants[at] = make(map[string][]string, len(holders))
		for h, roles := range holders {
			grants[at][h] = append([]string(nil), roles...)
		}
	}
	holders := make(map[string][]string, len(st.Holders))
	for who, list := range st.Holders {
		holders[who] = append([]string(nil), list...)
	}
	return Peer{Check: func(q *Asked) bool {
		for _, at := range q.Path {
			here := grants[at]
			if here == nil {
				continue
			}
			for _, h := range holders[q.Who] {
				for _, role := range here[h] {
					if permissions[role][q.May] {
						return true
					}
				}
			}
		}
		return false
	}}, nil
}
