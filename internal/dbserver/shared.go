package dbserver

import "sync"

// Shared is a server of all tests of a package: the first that needs it starts it, and TestMain removes it.
type Shared[S Server] struct {
	Start func() (S, error)

	once   sync.Once
	remove func() error
	server S
	err    error
}

// Server returns the server, or why it could not be started.
func (s *Shared[S]) Server() (S, error) {
	s.once.Do(func() {
		if s.server, s.err = s.Start(); s.err == nil {
			s.remove = s.server.Remove
		}
	})
	return s.server, s.err
}

// Remove removes the server if there is one.
func (s *Shared[S]) Remove() error {
	if s.remove == nil {
		return nil
	}
	return s.remove()
}
