package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// await returns the next line of the log with a text in it.
func (p *process) await(text string) string {
	p.t.Helper()
	for p.said.Scan() {
		if line := p.said.Text(); strings.Contains(line, text) {
			return line
		}
	}
	p.t.Fatalf("the process ended without saying %q", text)
	return ""
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// put replaces a file whole.
func (f folder) put(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path("new"), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(f.path("new"), f.path(name)); err != nil {
		f.t.Fatal(err)
	}
}

const (
	readAgain = "files are read again"
	keptOld   = "files are not taken up"
)

// Each step changes a file and signals. The answers are those of the new files, or, where anything is wrong with one of
// them, those of the last good ones.
func TestServeReloadsOnSignal(t *testing.T) {
	const first, second = "first-token-0123456789", "second-token-0123456789"
	demoted := strings.Replace(records, "alice writer", "alice reader", 1)
	f := newFolder(t, map[string]string{"p": records, "e": recordEntities, "tokens": first})
	p := serve(t, "-f", f.path("p"), "--entities", f.path("e"), "--token-file", f.path("tokens"))
	base := "http://" + p.address + "/access/v1/"
	search := `{"subject":{"type":"user"},"action":{"name":"read"},"resource":{"type":"record","id":"x"},"page":{"limit":1}}`
	_, page, _ := send(t, http.DefaultClient, base+"search/subject", search, "Authorization", "Bearer "+first)
	_, token, _ := strings.Cut(page, `"next_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	next := strings.Replace(search, `"limit":1`, `"limit":1,"token":"`+token+`"`, 1)
	p.signal(syscall.SIGHUP)
	p.await(readAgain)
	if status, got, _ := send(t, http.DefaultClient, base+"search/subject", next, "Authorization", "Bearer "+first); status != 200 || !strings.Contains(got, "bob") {
		t.Errorf("the next page after a reload that changed nothing: got %d %s, want 200 and bob", status, got)
	}
	for _, step := range []struct {
		file, text string // empty for what is to be removed
		says       string // the log, and what it names
		names      string
		token      string
		mayWrite   bool
	}{
		{"p", records + "# the same\n", readAgain, "revision=1", first, true},
		{"p", demoted, readAgain, "revision=2", first, false},
		{"p", "nonsense\n", keptOld, "nonsense", first, false},
		{"p", "", keptOld, "no such file", first, false},
		{"p", "\n", keptOld, "declares no permission", first, false},
		{"p", strings.Replace(records, "role reader", "role r", 1), keptOld, "p:8:12: ", first, false},
		{"p", strings.ReplaceAll(records, "archived", "locked"), keptOld, `no such condition`, first, false},
		{"p", records, readAgain, "revision=3", first, true},
		{"e", "{", keptOld, "e: ", first, true},
		{"e", recordEntities, readAgain, "revision=3", first, true},
		{"tokens", "short", keptOld, "at least 16 bytes", first, true},
		{"tokens", second, readAgain, "revision=3", second, true},
		{"p", strings.ReplaceAll(demoted, "allow record.write", "allow record.*") + "permission record.burn\n", readAgain, "revision=4", second, false},
	} {
		if step.text == "" {
			os.Remove(f.path(step.file))
		} else {
			f.put(step.file, step.text)
		}
		p.signal(syscall.SIGHUP)
		if line := p.await("files are "); !strings.Contains(line, step.says) || !strings.Contains(line, step.names) {
			t.Errorf("after %s became %q: the log says %s, want %s and %s", step.file, step.text, line, step.says, step.names)
		}
		for token, want := range map[string]int{first: 401, second: 401, step.token: 200} {
			status, got, _ := send(t, http.DefaultClient, base+"evaluation", mayWrite, "Authorization", "Bearer "+token)
			if status != want || status == 200 && strings.Contains(got, `"decision":true`) != step.mayWrite {
				t.Errorf("after %s became %q: %s is answered %d %s, want %d and %t", step.file, step.text, token, status, got, want, step.mayWrite)
			}
		}
	}
	if status, got, _ := send(t, http.DefaultClient, base+"search/subject", next, "Authorization", "Bearer "+second); status != 400 || !strings.Contains(got, "changed") {
		t.Errorf("a page of a search that began before: got %d %s, want 400: the policy has changed", status, got)
	}
	if _, err := p.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// plain is records without conditions.
var plain = strings.Replace(records, "  deny record.write when archived\n", "", 1)

// With --watch nobody has to signal, whether a file is replaced or written in place.
func TestServeReloadsOnChange(t *testing.T) {
	f := newFolder(t, map[string]string{"p": plain})
	p := serve(t, "-f", f.path("p"), "--watch", "5ms")
	url := "http://" + p.address + "/access/v1/evaluation"
	check := func(want bool) {
		t.Helper()
		if _, got, _ := send(t, http.DefaultClient, url, mayWrite); strings.Contains(got, `"decision":true`) != want {
			t.Errorf("got %s, want %t", got, want)
		}
	}
	check(true)
	f.put("p", strings.Replace(plain, "alice writer", "alice reader", 1))
	p.await(readAgain)
	check(false)
	f.put("p", "nonsense\n")
	p.await(keptOld)
	check(false)
	if err := os.WriteFile(f.path("p"), []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	p.await(readAgain)
	check(true)
}

// What changes is left alone until it rests, and what could not be read is not read again before it changes.
func TestReloaderWaitsForRest(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records, "tokens": "first-token-0123456789"})
	told := newDecisions(nil, 1)
	defer told.stop(time.Minute)
	r := newReloader(&server{file: f.path("p"), tokenFile: f.path("tokens"), properties: "ignore"}, slog.New(slog.DiscardHandler), told)
	if err := r.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.seen = r.loaded
	for n, step := range []struct {
		text string // empty for no change
		want bool   // settled
		load bool
	}{
		{"", false, false},
		{records[:60], false, false},
		{records[:80], false, false},
		{"nonsense\n", false, false},
		{"", true, true},
		{"", false, false},
		{records, false, false},
		{"", true, true},
		{"", false, false},
	} {
		if step.text != "" {
			f.put("p", step.text)
		}
		if got := r.settled(); got != step.want {
			t.Errorf("step %d: settled is %t, want %t", n, got, step.want)
		}
		if step.load {
			_ = r.load(t.Context())
		}
	}
}

// Requests during reloads are answered by one policy or the other, never by something in between, and by each in its turn.
func TestServeReloadsWhole(t *testing.T) {
	other := strings.NewReplacer("alice writer", "alice reader", "bob reader", "bob writer").Replace(plain)
	f := newFolder(t, map[string]string{"p": plain})
	again := make(chan os.Signal)
	address, _ := start(t, server{file: f.path("p")}, again)
	enough, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			f.put("p", [...]string{other, plain, "nonsense\n"}[n%3])
			for range 2 { // the second is taken when the first is done
				select {
				case again <- syscall.SIGHUP:
				case <-enough:
					return
				}
			}
		}
	}()
	defer func() {
		close(enough)
		<-done
	}()
	both := `{"evaluations":[` + mayWrite + "," + strings.Replace(mayWrite, "alice", "bob", 1) + "]}"
	const atFirst, afterwards = `{"evaluations":[{"decision":true},{"decision":false}]}`, `{"evaluations":[{"decision":false},{"decision":true}]}`
	last, turns := atFirst, 0
	for n := 0; turns < 20; n++ {
		_, got, _ := send(t, http.DefaultClient, "http://"+address+"/access/v1/evaluations", both)
		switch {
		case got != atFirst && got != afterwards:
			t.Fatalf("during reloads: got %s, want %s or %s", got, atFirst, afterwards)
		case got != last:
			last, turns = got, turns+1
		case n == 20000:
			t.Fatalf("in %d answers during reloads the policy changed %d times, want 20", n, turns)
		}
	}
}

// Certificates and the authorities that sign those of callers count from the reload on.
func TestServeReloadsCertificates(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records})
	first, second := newAuthority(t), newAuthority(t)
	use := func(a signed) {
		a.write(t, f.path("ca"), "")
		a.issue(t, "127.0.0.1").write(t, f.path("cert"), f.path("key"))
	}
	use(first)
	again := make(chan os.Signal)
	address, _ := start(t, server{file: f.path("p"), tlsCert: f.path("cert"), tlsKey: f.path("key"), clientCA: f.path("ca")}, again)
	asks := func(server, caller signed) bool {
		roots := x509.NewCertPool()
		roots.AddCert(server.cert)
		config := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{caller.issue(t, "caller").tls()}}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		answer, err := client.Post("https://"+address+"/access/v1/evaluation", "application/json", strings.NewReader(mayRead))
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	check := func(when string, old, new bool) {
		t.Helper()
		if a, b, mixed := asks(first, first), asks(second, second), asks(first, second) || asks(second, first); a != old || b != new || mixed {
			t.Errorf("%s: the first authority's caller is answered: %t, the second's: %t, across: %t; want %t, %t, false", when, a, b, mixed, old, new)
		}
	}
	reload := func() {
		again <- syscall.SIGHUP
		again <- syscall.SIGHUP // is taken when the one before is done
	}
	check("at first", true, false)
	f.put("key", "nonsense")
	reload()
	check("after a key that is none", true, false)
	use(second)
	reload()
	check("after both were replaced", false, true)
}

// A caller whose authority is no longer there is refused from the reload on, also on a connection that is open, and when it
// takes up a session of TLS again.
func TestServeForgetsAuthorities(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records})
	gone, stays := newAuthority(t), newAuthority(t)
	both := append(pemOf(gone.cert), pemOf(stays.cert)...)
	f.put("ca", string(both))
	stays.issue(t, "127.0.0.1").write(t, f.path("cert"), f.path("key"))
	again := make(chan os.Signal)
	address, _ := start(t, server{file: f.path("p"), tlsCert: f.path("cert"), tlsKey: f.path("key"), clientCA: f.path("ca")}, again)
	roots := x509.NewCertPool()
	roots.AddCert(stays.cert)
	caller := func(a signed, http2, keep bool) *http.Client {
		config := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{a.issue(t, "caller").tls()}, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
		return &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: http2, DisableKeepAlives: !keep}}
	}
	callers := []struct {
		name   string
		client *http.Client
		stays  bool
	}{
		{"HTTP/1.1 of the authority that goes", caller(gone, false, true), false},
		{"HTTP/2 of the authority that goes", caller(gone, true, true), false},
		{"a session of the authority that goes", caller(gone, false, false), false},
		{"HTTP/1.1 of the authority that stays", caller(stays, false, true), true},
		{"HTTP/2 of the authority that stays", caller(stays, true, true), true},
		{"a session of the authority that stays", caller(stays, false, false), true},
	}
	check := func(when string, all bool) {
		t.Helper()
		for _, c := range callers {
			status := 0
			answer, err := c.client.Post("https://"+address+"/access/v1/evaluation", "application/json", strings.NewReader(mayRead))
			if err == nil {
				status = answer.StatusCode
				_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
				answer.Body.Close()
			}
			if want := all || c.stays; (status == http.StatusOK) != want {
				t.Errorf("%s, %s: got %d, %v, want an answer: %t", when, c.name, status, err, want)
			}
		}
	}
	check("at first", true)
	f.put("ca", string(pemOf(stays.cert)))
	again <- syscall.SIGHUP
	again <- syscall.SIGHUP // is taken when the one before is done
	check("after an authority went", false)
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
