package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// A reloader answers from the last point that could be read whole, and reads the files again when it is told to, or sees
// that they changed. A file with anything wrong in it changes nothing but the log.
type reloader struct {
	server  *server
	log     *slog.Logger
	told    decisions
	pageKey []byte // so that a search goes on over a reload that leaves the policy as it is
	current atomic.Pointer[point]
	loaded  []stamp // of the files at the last attempt to read them
	seen    []stamp // of the files at the last look
}

func newReloader(s *server, log *slog.Logger, told decisions) *reloader {
	r := &reloader{server: s, log: log, told: told, pageKey: make([]byte, 32)}
	_, _ = rand.Read(r.pageKey) // never fails
	return r
}

// ServeHTTP answers from the current point. A request under way goes on with the point it began with.
func (r *reloader) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.current.Load().handler.ServeHTTP(w, request)
}

// tls returns the configuration that gives each connection the current one, nil for no TLS.
func (r *reloader) tls() *tls.Config {
	if r.current.Load().tls == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return r.current.Load().tls, nil },
	}
}

var errChanging = errors.New("a file changed while it was read")

// load reads the files and takes them up, whole or not at all.
func (r *reloader) load(ctx context.Context) error {
	r.loaded = r.look()
	p, err := r.read(ctx, r.current.Load())
	if err != nil {
		return err
	}
	if !same(r.loaded, r.look()) {
		return errChanging
	}
	r.current.Store(p)
	return nil
}

// follow reads the files again at each signal, and when they have changed and come to rest, until ctx ends.
func (r *reloader) follow(ctx context.Context, again <-chan os.Signal) {
	var ticks <-chan time.Time
	if r.server.watch > 0 {
		ticker := time.NewTicker(r.server.watch)
		defer ticker.Stop()
		ticks = ticker.C
	}
	r.seen = r.loaded
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
			r.reload(ctx)
		case <-ticks:
			if r.settled() {
				r.reload(ctx)
			}
		}
	}
}

// settled says whether the files are others than at the last attempt to read them, and the same as at the last look.
func (r *reloader) settled() bool {
	now := r.look()
	rests := same(now, r.seen)
	r.seen = now
	return rests && !same(now, r.loaded)
}

func (r *reloader) reload(ctx context.Context) {
	if err := r.load(ctx); err != nil {
		r.log.Error("files are not taken up, the last good ones count", "revision", r.current.Load().revision(), "error", err)
		return
	}
	r.log.Info("files are read again", "revision", r.current.Load().revision())
}

// A stamp tells one state of a file from another; nil where there is none.
type stamp os.FileInfo

func (r *reloader) look() []stamp {
	var stamps []stamp
	for _, name := range []string{r.server.file, r.server.entities, r.server.tokenFile, r.server.clientCA, r.server.tlsCert, r.server.tlsKey} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			info = nil // reading it tells why
		}
		stamps = append(stamps, info)
	}
	return stamps
}

func same(a, b []stamp) bool {
	return slices.EqualFunc(a, b, func(x, y stamp) bool {
		if x == nil || y == nil {
			return x == nil && y == nil
		}
		return os.SameFile(x, y) && x.Size() == y.Size() && x.ModTime().Equal(y.ModTime())
	})
}
