package sqlstore

import (
	"sync"

	"github.com/rolecall-go/rolecall"
)

// A memory is where a store saw the policy stand when it last looked. Nobody holds it while the database is asked: who
// waits for a connection would hold up those who have one.
type memory struct {
	mu   sync.Mutex
	seen head
}

func (m *memory) last() head {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

// note remembers h, which was found to follow was. It is false where something else was noted meanwhile: whether h follows
// that has yet to be found out.
func (m *memory) note(was, h head) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen != was && m.seen != h {
		return false
	}
	m.seen = h
	return true
}

// at says that h is where p begins.
func (h head) at(p *rolecall.Proposal) bool {
	return h.history == p.History() && h.revision == p.Base()
}
