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

	// A store that may only read and finds its database restored has a name of its own for the history.
	name struct{ there, here string }
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

// here returns what a history in the database is called by this store.
func (m *memory) here(history string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.called(history)
}

func (m *memory) called(history string) string {
	if history == m.name.there {
		return m.name.here
	}
	return history
}

// there is the other way round. What was called by the name in the database before is there no more.
func (m *memory) there(history string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch history {
	case m.name.here:
		return m.name.there
	case m.name.there:
		return ""
	}
	return history
}

// call gives a history in the database a name here, unless it is no longer called what it was.
func (m *memory) call(there, was, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.called(there) == was {
		m.name.there, m.name.here = there, name
	}
}

// at says that h is where p begins.
func (h head) at(p *rolecall.Proposal) bool {
	return h.history == p.History() && h.revision == p.Base()
}
