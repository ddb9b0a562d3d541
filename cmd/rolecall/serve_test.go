package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const records = `permission record.read
permission record.write
condition archived
kind scope record
role reader
  allow record.read
role writer
  inherits reader
  allow record.write
  deny record.write when archived
grant user:alice writer at /
grant user:bob reader at /
`

const recordEntities = `{"conditions": {"archived": "resource.status? == \"archived\""},
 "resources": [{"type": "record", "id": "record-2", "properties": {"status": "archived"}}]}`

var listening = regexp.MustCompile(`listening address=(\S+)`)

// start serves until the test ends, and returns the address and how to stop.
func start(t *testing.T, s server, again ...<-chan os.Signal) (address string, stop func() error) {
	t.Helper()
	s.listen = "127.0.0.1:0"
	if s.properties == "" {
		s.properties = "ignore"
	}
	s.maxBody, s.maxEvaluations, s.maxDepth, s.maxResults, s.grace = 1000, 2, 8, 100, time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- s.run(ctx, io.Discard, in, slices.Concat(again, []<-chan os.Signal{nil})[0])
		in.Close()
	}()
	said := bufio.NewScanner(out)
	for said.Scan() {
		if m := listening.FindStringSubmatch(said.Text()); m != nil {
			address = m[1]
			break
		}
	}
	go io.Copy(io.Discard, out)
	if address == "" {
		t.Fatalf("serve %+v: it does not listen: %v", s, <-ended)
	}
	stop = func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(cancel)
	return address, stop
}

// What takes longer than the grace is cut off, which is a stop like any other.
func TestServeCutsOff(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	web := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	})}
	answered := make(chan error, 1)
	go func() {
		answer, err := http.Get("http://" + listener.Addr().String())
		if err == nil {
			answer.Body.Close()
		}
		answered <- err
	}()
	var said strings.Builder
	if err := new(server).serve(ctx, web, listener, slog.New(slog.NewTextHandler(&said, nil))); err != nil || !strings.Contains(said.String(), "cut off") {
		t.Errorf("serve without grace, a request under way: got %v and the log\n%s\nwant no error and that it was cut off", err, said.String())
	}
	if err := <-answered; err == nil {
		t.Error("the request that was cut off: got an answer, want an error")
	}
}

// send posts a body and returns the status and what came back.
func send(t *testing.T, client *http.Client, url, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	method := "POST"
	if body == "" {
		method = "GET"
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, strings.TrimSpace(string(text)), answer.Header
}

const mayWrite = `{"subject":{"type":"user","id":"alice"},"action":{"name":"write"},"resource":{"type":"record","id":"record-1"}}`

const mayRead = `{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}`

func TestServeAnswers(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records, "e": recordEntities})
	address, stop := start(t, server{file: f.path("p"), entities: f.path("e"), baseURL: "https://pdp.example.com"})
	base := "http://" + address
	for _, tc := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/access/v1/evaluation", mayWrite, 200, `{"decision":true}`},
		{"/access/v1/evaluation", strings.Replace(mayWrite, "alice", "bob", 1), 200, `{"decision":false}`},
		{"/access/v1/evaluation", strings.Replace(mayWrite, "record-1", "record-2", 1), 200, `{"decision":false}`},
		{"/access/v1/evaluations", `{"evaluations":[` + mayWrite + `,{}]}`, 200, `"decision":true},{"decision":false`},
		{"/access/v1/evaluations", `{"evaluations":[{},{},{}]}`, 400, "more than 2"},
		{"/access/v1/evaluation", mayWrite + strings.Repeat(" ", 1000), 413, "too large"},
		{"/access/v1/evaluation", `{"context":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `}`, 400, "deeper than 8"},
		{"/access/v1/search/resource", `{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record"}}`, 200, `"record-2"`},
		{"/access/v1/search/subject", `{"subject":{"type":"user"},"action":{"name":"read"},"resource":{"type":"record","id":"x"}}`, 200, `"alice"},{"type":"user","id":"bob"`},
		{"/access/v1/search/action", `{"subject":{"type":"user","id":"bob"},"resource":{"type":"record","id":"x"}}`, 200, `{"results":[{"name":"read"}]}`},
		{"/.well-known/authzen-configuration", "", 200, `"policy_decision_point":"https://pdp.example.com"`},
		{"/healthz", "", 200, `"ok"`},
		{"/readyz", "", 200, `"ok"`},
	} {
		status, got, _ := send(t, http.DefaultClient, base+tc.path, tc.body)
		if status != tc.status || !strings.Contains(got, tc.want) {
			t.Errorf("%s %s: got %d %s, want %d %s", tc.path, tc.body, status, got, tc.status, tc.want)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("after the stop: somebody still listens")
	}
}

// A request under way ends before the server does.
func TestServeStopsGracefully(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records})
	address, stop := start(t, server{file: f.path("p")})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	head := "POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: "
	if _, err := io.WriteString(c, head+"112\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100") { // the handler is at the body now
		t.Fatalf("before the body: got %q, %v, want to go on", line, err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for { // until nobody new is let in
		probe, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		probe.Close()
	}
	if _, err := io.WriteString(c, mayRead+strings.Repeat(" ", 112-len(mayRead))); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(in)
	if !strings.Contains(string(rest), `{"decision":true}`) {
		t.Errorf("a request under way when the server stops: got %q, want its decision", rest)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestServeWantsTokens(t *testing.T) {
	const token = "0123456789abcdef-second"
	f := newFolder(t, map[string]string{"p": records, "tokens": "# token for the gateway\nfirst-token-0123456789\n\n" + token + "\r\n  # another comment\n"})
	address, _ := start(t, server{file: f.path("p"), tokenFile: f.path("tokens")})
	url := "http://" + address + "/access/v1/evaluation"
	for _, tc := range []struct {
		authorization string
		status        int
		challenge     string
	}{
		{"Bearer " + token, 200, ""},
		{"bearer first-token-0123456789", 200, ""},
		{"", 401, `Bearer realm="rolecall"`},
		{"Bearer", 401, `Bearer realm="rolecall", error="invalid_token"`},
		{"Bearer ", 401, `Bearer realm="rolecall", error="invalid_token"`},
		{"Bearer 0123456789abcdef", 401, `Bearer realm="rolecall", error="invalid_token"`},
		{"Bearer # token for the gateway", 401, `Bearer realm="rolecall", error="invalid_token"`},
		{"Bearer # another comment", 401, `Bearer realm="rolecall", error="invalid_token"`},
		{"Basic " + token, 401, `Bearer realm="rolecall", error="invalid_token"`},
		{token, 401, `Bearer realm="rolecall", error="invalid_token"`},
	} {
		header := []string{"X-Request-ID", "r-1"}
		if tc.authorization != "" {
			header = append(header, "Authorization", tc.authorization)
		}
		status, got, answer := send(t, http.DefaultClient, url, mayRead, header...)
		if status != tc.status || answer.Get("WWW-Authenticate") != tc.challenge || answer.Get("X-Request-ID") != "r-1" {
			t.Errorf("Authorization %q: got %d %s, challenge %q, want %d, %q", tc.authorization, status, got, answer.Get("WWW-Authenticate"), tc.status, tc.challenge)
		}
	}
	if status, _, _ := send(t, http.DefaultClient, "http://"+address+"/healthz", ""); status != 200 {
		t.Errorf("a probe without a token: got %d, want 200", status)
	}
}

// A certificate that another authority signed, or none, does not get as far as a question.
func TestServeWantsCertificates(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records})
	own, other := newAuthority(t), newAuthority(t)
	own.write(t, f.path("ca"), "")
	own.issue(t, "127.0.0.1").write(t, f.path("cert"), f.path("key"))
	address, _ := start(t, server{file: f.path("p"), tlsCert: f.path("cert"), tlsKey: f.path("key"), clientCA: f.path("ca")})
	url := "https://" + address + "/access/v1/evaluation"
	client := func(certificates ...tls.Certificate) *http.Client {
		roots := x509.NewCertPool()
		roots.AddCert(own.cert)
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates}}}
	}
	if status, got, _ := send(t, client(own.issue(t, "caller").tls()), url, mayRead); status != 200 || got != `{"decision":true}` {
		t.Errorf("a caller with a certificate: got %d %s, want a decision", status, got)
	}
	for name, c := range map[string]*http.Client{"no certificate": client(), "another authority": client(other.issue(t, "caller").tls())} {
		if answer, err := c.Post(url, "application/json", strings.NewReader(mayRead)); err == nil {
			answer.Body.Close()
			t.Errorf("%s: got %s, want a broken handshake", name, answer.Status)
		}
	}
}

// Wrong flags and files end the command before it listens.
func TestServeRefuses(t *testing.T) {
	f := newFolder(t, map[string]string{
		"p": records, "broken": "nonsense\n", "short": "secret\n", "none": "\n# a-token-0123456789\n",
		"words":      "0123456789abcdef+/~.-_==\n0123456789abcdef # ours\n\nsesame-öffne-dich\n=0123456789abcdef\n0123456789abcdef\r0123456789abcdef",
		"e":          recordEntities,
		"undeclared": `{"conditions":{"own":"1 == 1"}}`, "bad": `{"x":1}`,
		"misspelt": `{"resources":[{"type":"record","id":"101","scope":"/departmnt:Legal/record:101"}]}`,
	})
	for _, tc := range []struct {
		args string
		code int
		want string
	}{
		{"serve", 2, "file"},
		{"serve -f @/p extra", 2, "extra"},
		{"serve -f @/p --listen :0", 2, "nobody would have to show"},
		{"serve -f @/p --listen 0.0.0.0:0", 2, "nobody would have to show"},
		{"serve -f @/p --listen [::]:0", 2, "nobody would have to show"},
		{"serve -f @/p --listen example.com:0", 2, "nobody would have to show"},
		{"serve -f @/p --listen 127.0.0.1.example.com:0", 2, "nobody would have to show"},
		{"serve -f @/p --listen nonsense", 2, "nobody would have to show"},
		{"serve -f @/p --tls-cert x", 2, "go together"},
		{"serve -f @/p --client-ca x", 2, "needs --tls-cert"},
		{"serve -f @/p --properties all", 2, "not \"all\""},
		{"serve -f @/p --max-body 0", 2, "at least 1"},
		{"serve -f @/missing", 3, "missing"},
		{"serve -f @/broken", 3, "nonsense"},
		{"serve -f @/p --token-file @/short", 3, "at least 16 bytes"},
		{"serve -f @/p --token-file @/words", 3, "@/words:2: a token is letters, digits and -._~+/ with = at its end, one a line\n@/words:4: "},
		{"serve -f @/p --token-file @/words", 3, "\n@/words:5: a token is letters, digits and -._~+/ with = at its end, one a line\n@/words:6: "},
		{"serve -f @/p --token-file @/none", 3, "no token"},
		{"serve -f @/p --token-file @/missing", 3, "missing"},
		{"serve -f @/p --entities @/bad", 3, `"x" is not known`},
		{"serve -f @/p --entities @/undeclared", 3, `no such condition is declared: "own"`},
		{"serve -f @/p --entities @/misspelt", 3, `no such scope kind is declared: "departmnt"`},
		{"serve -f @/p --base-url http://pdp.example.com", 3, "https"},
		{"serve -f @/p --tls-cert @/p --tls-key @/p", 3, "PEM"},
		{"serve -f @/p --listen 127.0.0.1:99999", 3, "99999"},
	} {
		code, _, errOut := f.run("", strings.Fields(tc.args)...)
		if code != tc.code || !strings.Contains(errOut, tc.want) {
			t.Errorf("%s: got exit %d, %s; want %d, %q", tc.args, code, errOut, tc.code, tc.want)
		}
	}
}

// A signed is a certificate and its key.
type signed struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) signed {
	return sign(t, nil, &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
}

func (a signed) issue(t *testing.T, name string) signed {
	return sign(t, &a, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	})
}

func sign(t *testing.T, by *signed, template *x509.Certificate) signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signed{cert, key}
}

func (s signed) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{s.cert.Raw}, PrivateKey: s.key}
}

// write writes the certificate and, where a file is named for it, the key.
func (s signed) write(t *testing.T, cert, key string) {
	t.Helper()
	put := func(file, what string, der []byte) {
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: what, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(cert, "CERTIFICATE", s.cert.Raw)
	if key == "" {
		return
	}
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	put(key, "PRIVATE KEY", der)
}
