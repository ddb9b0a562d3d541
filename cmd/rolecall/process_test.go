package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the tests, or the command itself where a test started this binary for that.
func TestMain(m *testing.M) {
	if os.Getenv("ROLECALL_TEST_AS_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// A process is rolecall serve as a process of its own.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	out     *bytes.Buffer  // its standard output, nil where the test has it
	said    *bufio.Scanner // its standard error
	address string
}

// serve starts rolecall serve with further arguments, and ends it with the test.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	var out bytes.Buffer
	p := serveTo(t, &out, args...)
	p.out = &out
	return p
}

// serveTo is serve with a standard output of the test.
func serveTo(t *testing.T, out io.Writer, args ...string) *process {
	t.Helper()
	p := &process{t: t}
	p.cmd = exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Env = append(os.Environ(), "ROLECALL_TEST_AS_COMMAND=1")
	p.cmd.Stdout = out
	errOut, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended, where the test stopped it
	p.said = bufio.NewScanner(errOut)
	for p.said.Scan() {
		if m := listening.FindStringSubmatch(p.said.Text()); m != nil {
			p.address = m[1]
			return p
		}
		t.Log(p.said.Text())
	}
	t.Fatalf("rolecall serve %q does not listen", args)
	return nil
}

// stop asks the process to end, and returns what serve kept of its standard output and how it ended.
func (p *process) stop() (string, error) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	for p.said.Scan() { // to its end, so that Wait may close it
	}
	err := p.cmd.Wait()
	if p.out == nil {
		return "", err
	}
	return p.out.String(), err
}

// post asks over a connection of its own.
func (p *process) post(path, body string, header ...string) (int, string, http.Header) {
	p.t.Helper()
	return send(p.t, http.DefaultClient, "http://"+p.address+path, body, header...)
}

// raw sends bytes and returns the status and the body of what comes back, 0 for nothing.
func (p *process) raw(request string) (int, string) {
	p.t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		return 0, err.Error()
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body) // a connection may be cut after a refusal
	return answer.StatusCode, string(body)
}

// A token on the caller's side, and requests that could be taken for another one. What cannot be read in one way only
// is refused, by the server or by net/http before it; nothing is redirected, and no refusal is a decision.
func TestHostileRequests(t *testing.T) {
	const token = "0123456789abcdef-token"
	f := newFolder(t, map[string]string{"p": records, "tokens": token})
	p := serve(t, "-f", f.path("p"), "--token-file", f.path("tokens"), "--base-url", "https://pdp.example.com", "--max-body", "2000", "--max-batch", "3", "--max-depth", "6")
	length := fmt.Sprintf("Content-Length: %d\r\n", len(mayRead))
	const (
		line = "POST /access/v1/evaluation HTTP/1.1\r\n"
		host = "Host: pdp\r\n"
		typ  = "Content-Type: application/json\r\n"
		auth = "Authorization: Bearer " + token + "\r\n"
		end  = "Connection: close\r\n\r\n"
	)
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(mayRead), mayRead)
	for _, tc := range []struct {
		name, request string
		status        int
	}{
		{"as it should be", line + host + typ + auth + length + end + mayRead, 200},
		{"in chunks", line + host + typ + auth + "Transfer-Encoding: chunked\r\n" + end + chunked, 200},
		{"HTTP/1.0", "POST /access/v1/evaluation HTTP/1.0\r\n" + typ + auth + length + end + mayRead, 200},
		{"no host", line + typ + auth + length + end + mayRead, 400},
		{"no token", line + host + typ + length + end + mayRead, 401},
		{"two tokens", line + host + typ + auth + "Authorization: Bearer other\r\n" + length + end + mayRead, 401},
		{"a token with something after it", line + host + typ + "Authorization: Bearer " + token + ", x\r\n" + length + end + mayRead, 401},
		{"a token in the query", strings.Replace(line, "evaluation", "evaluation?access_token="+token, 1) + host + typ + length + end + mayRead, 401},
		{"a token as a proxy's", line + host + typ + "Proxy-Authorization: Bearer " + token + "\r\n" + length + end + mayRead, 401},
		{"a space before a colon", line + host + typ + "Authorization : Bearer " + token + "\r\n" + length + end + mayRead, 400},
		{"two content types", line + host + typ + "Content-Type: text/plain\r\n" + auth + length + end + mayRead, 400},
		{"two lengths", line + host + typ + auth + length + "Content-Length: 1\r\n" + end + mayRead, 400},
		{"a negative length", line + host + typ + auth + "Content-Length: -1\r\n" + end + mayRead, 400},
		{"a transfer coding that is none", line + host + typ + auth + "Transfer-Encoding: xchunked\r\n" + end + chunked, 501},
		{"a chunk that is too long", line + host + typ + auth + "Transfer-Encoding: chunked\r\n" + end + "ffffffffffffffffff\r\n", 400},
		{"a length beyond the limit", line + host + typ + auth + "Expect: 100-continue\r\nContent-Length: 99999999999\r\n" + end, 413},
		{"a body beyond the limit in chunks", line + host + typ + auth + "Transfer-Encoding: chunked\r\n" + end + "7d1\r\n" + strings.Repeat(" ", 2001) + "\r\n0\r\n\r\n", 413},
		{"a header beyond the limit", line + host + typ + auth + "X: " + strings.Repeat("x", 80<<10) + "\r\n" + length + end + mayRead, 431},
		{"a control character in X-Request-ID", line + host + typ + auth + "X-Request-ID: a\x01b\r\n" + length + end + mayRead, 400},
		{"a header after the request identifier", line + host + typ + auth + "X-Request-ID: a\r\n Set-Cookie: x=1\r\n" + length + end + mayRead, 200},
		{"a path that goes up", "POST /access/v1/../v1/evaluation HTTP/1.1\r\n" + host + typ + auth + length + end + mayRead, 404},
		{"two slashes", "POST //access/v1/evaluation HTTP/1.1\r\n" + host + typ + auth + length + end + mayRead, 404},
		{"an encoded letter", "POST /access/v1/%65valuation HTTP/1.1\r\n" + host + typ + auth + length + end + mayRead, 404},
		{"two slashes to a probe", "GET //healthz HTTP/1.1\r\n" + host + end, 401},
		{"counters without a token", "GET /debug/vars HTTP/1.1\r\n" + host + end, 401},
		{"a path with a backslash", "POST /access\\v1\\evaluation HTTP/1.1\r\n" + host + typ + auth + length + end + mayRead, 404},
		{"another method", strings.Replace(line, "POST", "PATCH", 1) + host + typ + auth + length + end + mayRead, 405},
		{"a method in lower case", strings.Replace(line, "POST", "post", 1) + host + typ + auth + length + end + mayRead, 405},
		{"another method by header", strings.Replace(line, "POST", "GET", 1) + host + typ + auth + "X-HTTP-Method-Override: POST\r\n" + length + end + mayRead, 405},
		{"not HTTP", "\x16\x03\x01\x00\xa5\x01", 400},
	} {
		if tc.name == "not HTTP" {
			tc.request += "\r\n\r\n"
		}
		status, body := p.raw(tc.request)
		if status != tc.status || (status != 200) == strings.Contains(body, "decision") {
			t.Errorf("%s: got %d %q, want %d, and a decision only with 200", tc.name, status, body, tc.status)
		}
	}
	status, body, header := p.post("/access/v1/evaluation", mayRead, "Authorization", "Bearer "+token, "Host", "evil.example", "X-Forwarded-Host", "evil.example", "X-Request-ID", "a\tb")
	if status != 200 || header.Get("X-Request-ID") != "a\tb" || strings.Contains(body+fmt.Sprint(header), "evil") {
		t.Errorf("forwarded from elsewhere: got %d %s %v", status, body, header)
	}
	if _, err := p.stop(); err != nil {
		t.Errorf("after all that: got %v, want a clean end", err)
	}
}

// Every decision is written as a line, and counted; the search of one is neither.
func TestServeWritesDecisions(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records})
	p := serve(t, "-f", f.path("p"), "--decisions")
	p.post("/access/v1/evaluations", `{"evaluations":[`+mayRead+`,`+strings.Replace(mayWrite, "alice", "bob", 1)+`,`+strings.Replace(mayWrite, "record", "planet", 1)+`]}`)
	p.post("/access/v1/search/action", mayRead)
	if _, got, _ := p.post("/debug/vars", ""); !strings.HasPrefix(got, `{"decisions": {"allowed":1,"denied":1,"failed":1,`) {
		t.Errorf("/debug/vars: got %s", got)
	}
	out, err := p.stop()
	if err != nil {
		t.Errorf("stop: %v", err)
	}
	var got []string
	for line := range strings.Lines(out) {
		var r struct {
			Subject, Permission, Scope, Reason string
			Allowed                            bool
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		got = append(got, fmt.Sprintf("%s %s %s %v %s", r.Subject, r.Permission, r.Scope, r.Allowed, r.Reason))
	}
	want := []string{
		"user:alice record.read /record:record-1 true granted",
		"user:bob record.write /record:record-1 false nothing said",
		"user:alice (no permission) (no scope) false ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("decisions: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Where nobody reads the decisions any more they are counted as dropped, and the answers go on.
func TestServeOutlivesTheReaderOfDecisions(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records})
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := serveTo(t, writer, "-f", f.path("p"), "--decisions")
	if err := errors.Join(writer.Close(), reader.Close()); err != nil { // the process has its own end
		t.Fatal(err)
	}
	for range 3 {
		if status, got, _ := p.post("/access/v1/evaluation", mayRead); status != 200 || got != `{"decision":true}` {
			t.Fatalf("with nobody to read the decisions: got %d %s, want a decision", status, got)
		}
	}
	var got string
	for range 10000 {
		if _, got, _ = p.post("/debug/vars", ""); strings.Contains(got, `"dropped":3`) {
			break
		}
	}
	if !strings.HasPrefix(got, `{"decisions": {"allowed":3,`) || !strings.Contains(got, `"dropped":3`) {
		t.Errorf("/debug/vars: got %s, want three allowed and dropped", got)
	}
	if _, err := p.stop(); err != nil {
		t.Errorf("stop: got %v, want a clean end", err)
	}
}

// Where whoever reads the decisions stops reading, the answers go on, and so does the end: after the grace.
func TestServeEndsThoughNobodyReadsTheDecisions(t *testing.T) {
	f := newFolder(t, map[string]string{"p": records})
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	p := serveTo(t, writer, "-f", f.path("p"), "--decisions", "--max-batch", "2000", "--grace", "10ms")
	if err := writer.Close(); err != nil { // the process has its own end
		t.Fatal(err)
	}
	many := `{"evaluations":[` + strings.Repeat(mayRead+",", 1999) + mayRead + `]}`
	for range 2 { // more than a pipe holds
		if status, got, _ := p.post("/access/v1/evaluations", many); status != 200 {
			t.Fatalf("with nobody to read the decisions: got %d %s, want decisions", status, got)
		}
	}
	if _, err := p.stop(); err != nil {
		t.Errorf("stop: got %v, want a clean end", err)
	}
}
