package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/testneeds"
	"github.com/rolecall-go/rolecall/rolecalltest"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// A wire forwards connections to a server until some number of bytes has come back, and cuts all of them then. It may be
// slow: then it passes on few bytes at a time, or holds everything back for a while.
type wire struct {
	listener net.Listener
	to       string
	left     atomic.Int64
	width    atomic.Int64 // bytes that pass at a time, 0: as they come
	pieces   atomic.Int64 // that were made of what came
	flow     sync.RWMutex // held for reading by each who writes
	mu       sync.Mutex
	open     map[net.Conn]bool
	done     sync.WaitGroup
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: to, open: map[net.Conn]bool{}}
	w.done.Go(w.accept)
	t.Cleanup(func() {
		l.Close()
		w.cut()
		w.done.Wait()
	})
	return w
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.to)
		if err != nil || w.left.Load() <= 0 {
			client.Close()
			continue
		}
		w.mu.Lock()
		w.open[client], w.open[server] = true, true
		w.mu.Unlock()
		w.done.Go(func() { io.Copy(slow{server, w}, client); server.Close() })
		w.done.Go(func() { io.Copy(slow{metered{client, w}, w}, server); client.Close() })
	}
}

// carry lets some number of bytes through from now on.
func (w *wire) carry(bytes int64) { w.left.Store(bytes) }

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		c.Close()
	}
	clear(w.open)
}

type metered struct {
	net.Conn
	wire *wire
}

func (m metered) Write(b []byte) (int, error) {
	if m.wire.left.Add(-int64(len(b))) < 0 {
		m.wire.cut()
		return 0, io.ErrClosedPipe
	}
	return m.Conn.Write(b)
}

type slow struct {
	net.Conn
	wire *wire
}

func (s slow) Write(b []byte) (n int, err error) {
	s.wire.flow.RLock()
	defer s.wire.flow.RUnlock()
	width := int(s.wire.width.Load())
	if width == 0 {
		return s.Conn.Write(b)
	}
	for piece := range slices.Chunk(b, width) {
		s.wire.pieces.Add(1)
		runtime.Gosched() // so that the other end wakes up for as little as that
		if k, err := s.Conn.Write(piece); err != nil {
			return n + k, err
		}
		n += len(piece)
	}
	return n, nil
}

// hold lets nothing through, either way, until it is released.
func (w *wire) hold() (release func()) {
	w.flow.Lock()
	return w.flow.Unlock
}

// behind returns a database behind a wire.
func behind(t *testing.T, d database) (*wire, database) {
	t.Helper()
	u, err := url.Parse(d.dsn)
	if err != nil || u.Port() == "" {
		testneeds.Missing(t, "the database that ROLECALL_POSTGRES names is not a URL with a port")
	}
	w := newWire(t, u.Host)
	u.Host = w.listener.Addr().String()
	d.dsn = u.String()
	return w, d
}

const plenty = 1 << 40

// The connection is cut after ever more bytes, 29 more each time: in the handshake, in a load, in a feed, in a commit. What a resolver has
// is whole each time, and so is the store.
func TestAConnectionIsCutAnywhere(t *testing.T) {
	d := postgres(t)
	direct := d.migrated(t)
	w, far := behind(t, d)
	var cuts, unknown int
	for bytes := int64(100); ; bytes += 29 {
		tenant := newTenant()
		s := openStore(t, d, direct, sqlstore.Options{Tenant: tenant})
		keeper := openResolver(t, s, nil)
		update(t, keeper, reader)
		name := fmt.Sprint("at", bytes)
		w.carry(bytes)
		acknowledged, err := session(t.Context(), far, tenant, name)
		w.carry(plenty)
		if err := keeper.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := whole(t, s)
		if got < acknowledged {
			t.Errorf("cut after %d bytes: the store is at revision %d, but %d was acknowledged", bytes, got, acknowledged)
		}
		if err == nil {
			break
		}
		if cuts++; acknowledged == 0 && keeper.Check(t.Context(), rolecall.User("a"+name), mayView, folder) == nil {
			unknown++
		}
		if errors.Is(err, rolecall.ErrDenied) {
			t.Errorf("cut after %d bytes: got %v, want an error that is not a denial", bytes, err)
		}
	}
	if cuts < 10 {
		t.Errorf("%d cuts, want at least 10", cuts)
	}
	injected(t, "connections cut", cuts)
	t.Logf("%d commits were kept although their answer was lost", unknown)
}

// session opens a resolver, commits, checks and follows, and returns what was acknowledged.
func session(ctx context.Context, d database, tenant, name string) (acknowledged rolecall.Revision, err error) {
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	s, err := sqlstore.Open(ctx, db, d.dialect, &sqlstore.Options{Tenant: tenant})
	if err != nil {
		return 0, err
	}
	r, err := rolecall.Open(ctx, s, vocabulary(), nil)
	if err != nil {
		return 0, err
	}
	acknowledged, err = r.Edit(ctx, rolecall.Meta{Reason: name}, puts(grant("a"+name), grant("b"+name))...)
	if err != nil {
		return 0, err
	}
	for _, user := range []string{"a" + name, "b" + name} {
		if err := r.Check(ctx, rolecall.User(user), mayView, folder); err != nil {
			return acknowledged, err
		}
	}
	seen := rolecall.Revision(0)
	for e, err := range s.Changes(ctx, 0) {
		if err != nil {
			return acknowledged, err
		}
		seen = e.Revision
	}
	if seen < acknowledged {
		return acknowledged, fmt.Errorf("the feed ended at %d without an error: %w", seen, rolecall.ErrDenied)
	}
	return acknowledged, nil
}

// A replica that is cut off stops answering when what it has is too old, and goes on when it is connected again.
func TestAReplicaThatIsCutOff(t *testing.T) {
	d := postgres(t)
	direct := d.migrated(t)
	w, far := behind(t, d)
	w.carry(plenty)
	tenant := newTenant()
	writer := openResolver(t, openStore(t, d, direct, sqlstore.Options{Tenant: tenant}), nil)
	update(t, writer, reader, grant("eve"))
	clock := rolecalltest.NewClock(t, time.Unix(0, 0))
	replica := openResolver(t, openStore(t, far, far.open(t), sqlstore.Options{Tenant: tenant}), &rolecall.Options{MaxStaleness: time.Minute, Clock: clock.Now})
	may(t, replica, "eve", nil)

	w.carry(0)
	w.cut()
	remove(t, writer, grant("eve"))
	clock.Advance(time.Minute)
	if err := replica.Refresh(t.Context()); err == nil {
		t.Error("Refresh without a connection: got nil, want an error")
	}
	may(t, replica, "eve", nil)
	clock.Advance(1)
	if err := replica.Refresh(t.Context()); err == nil {
		t.Error("Refresh without a connection: got nil, want an error")
	}
	may(t, replica, "eve", rolecall.ErrStale)
	injected(t, "connections cut", 1)

	w.carry(plenty)
	for replica.Refresh(t.Context()) != nil { // connections of the pool that are dead
	}
	may(t, replica, "eve", rolecall.ErrDenied)
}

// A network that brings a few bytes at a time changes nothing but the time it takes.
func TestANetworkThatTrickles(t *testing.T) {
	d := postgres(t)
	direct := d.migrated(t)
	w, far := behind(t, d)
	w.carry(plenty)
	for _, width := range []int64{1, 2, 5, 17} {
		tenant := newTenant()
		s := openStore(t, d, direct, sqlstore.Options{Tenant: tenant})
		update(t, openResolver(t, s, nil), reader)
		w.width.Store(width)
		acknowledged, err := session(t.Context(), far, tenant, "at1")
		if got := whole(t, s); err != nil || got != 2 || acknowledged != 2 {
			t.Errorf("%d bytes at a time: acknowledged %d, %v, the store is at %d; want revision 2", width, acknowledged, err, got)
		}
	}
	injected(t, "pieces that a slow network made of a message", int(w.pieces.Load()))
}

// A network holds everything back. A replica that hangs on it does not answer from what is too old; a commit whose
// answer is held back is kept, and acknowledged when the answer arrives.
func TestANetworkThatHoldsEverythingBack(t *testing.T) {
	d := postgres(t)
	direct := d.migrated(t)
	w, far := behind(t, d)
	w.carry(plenty)
	tenant := newTenant()
	near := openResolver(t, openStore(t, d, direct, sqlstore.Options{Tenant: tenant}), nil)
	update(t, near, reader, grant("eve"))
	clock := rolecalltest.NewClock(t, time.Unix(0, 0))
	replica := openResolver(t, openStore(t, far, far.open(t), sqlstore.Options{Tenant: tenant}), &rolecall.Options{MaxStaleness: time.Minute, Clock: clock.Now})
	const holds = 10
	for range holds {
		may(t, replica, "eve", nil)
		release := w.hold()
		caught := make(chan error)
		go func() { caught <- replica.Refresh(t.Context()) }()
		remove(t, near, grant("eve"))
		clock.Advance(time.Minute + 1)
		may(t, replica, "eve", rolecall.ErrStale)
		release()
		if err := <-caught; err != nil {
			t.Fatalf("Refresh over a network that works again: %v", err)
		}
		if err := replica.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		may(t, replica, "eve", rolecall.ErrDenied)

		update(t, near, grant("eve"))
		if err := replica.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	injected(t, "times that a network held everything back", holds)
}
