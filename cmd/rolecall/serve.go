package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/authzen"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

func serveCommand() *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "serve -f FILE",
		Short: "Answer the OpenID Authorization API (AuthZEN) over a policy",
		Long: `Answer the OpenID Authorization API 1.0 (AuthZEN) over HTTP from the policy of a file: evaluation, evaluations and the
three searches, and with --base-url the metadata. GET /healthz says that the process is there, GET /readyz that it
answers, and, to callers, GET /debug/vars what it has decided so far. --decisions writes each decision to the standard
output. The policy is read once. Windows are judged at the present time; steps in the file are not run.

Callers show a bearer token that is a line of --token-file, or a client certificate that --client-ca signed, or what is
configured of both. Without either the server listens on a loopback address only. SIGINT and SIGTERM let requests
under way end first.

A subject's type is its kind, a resource is the scope type:id or the scope that its id spells in full, and an action is
the permission of that name, otherwise type.name. --entities names a JSON file of conditions and of what is known of
subjects and resources:

  {"conditions": {"own": "resource.owner == subject.id"},
   "subjects":   [{"type": "user", "id": "ada", "properties": {"department": "Sales"}}],
   "resources":  [{"type": "record", "id": "101", "properties": {"owner": "ada"}, "scope": "/department:Sales/record:101"}]}

Exit codes: 0 stopped; 2 called wrongly; 3 a file is wrong, or the address cannot be listened on.`,
		Example: "  rolecall serve -f studio.rolecall\n  rolecall serve -f studio.rolecall --listen :8443 --token-file tokens --tls-cert cert.pem --tls-key key.pem",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return s.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	s.flags(cmd.Flags())
	cobra.CheckErr(cmd.MarkFlagRequired("file"))
	return cmd
}

// A server is what the flags of serve say.
type server struct {
	file, entities, properties string
	listen, baseURL            string
	tokenFile, clientCA        string
	tlsCert, tlsKey            string
	maxBody                    int64
	maxBatch, maxDepth, maxHit int
	reasons, decisions         bool
	keepOneIn                  uint64
	grace                      time.Duration
}

func (s *server) flags(f *pflag.FlagSet) {
	f.StringVarP(&s.file, "file", "f", "", "the policy to answer from")
	f.StringVar(&s.entities, "entities", "", "a JSON file of conditions, subjects and resources")
	f.StringVar(&s.properties, "properties", "ignore", "what becomes of properties and context that callers send: ignore them, let them fill what the entities leave open, or trust them first")
	f.StringVar(&s.listen, "listen", "127.0.0.1:8181", "the address to listen on")
	f.StringVar(&s.baseURL, "base-url", "", "the https URL under which callers reach the server, for metadata")
	f.StringVar(&s.tokenFile, "token-file", "", "a file of bearer tokens of at least 16 bytes, one a line")
	f.StringVar(&s.clientCA, "client-ca", "", "a PEM file of the authorities that sign callers' certificates")
	f.StringVar(&s.tlsCert, "tls-cert", "", "a PEM file of the server's certificate")
	f.StringVar(&s.tlsKey, "tls-key", "", "a PEM file of the server's key")
	f.Int64Var(&s.maxBody, "max-body", 1<<20, "the longest request, in bytes")
	f.IntVar(&s.maxBatch, "max-batch", 1000, "the most evaluations of a request")
	f.IntVar(&s.maxDepth, "max-depth", 32, "the deepest nesting of a request")
	f.IntVar(&s.maxHit, "max-results", 1000, "the most results of a page of a search")
	f.BoolVar(&s.reasons, "reasons", false, "tell callers the kind of reason of each decision")
	f.BoolVar(&s.decisions, "decisions", false, "write every decision to the standard output, a line of JSON each")
	f.Uint64Var(&s.keepOneIn, "keep-one-in", 1, "of the permits, write about one of so many; denials and errors are all written")
	f.DurationVar(&s.grace, "grace", 10*time.Second, "how long requests under way may take after a signal to stop")
}

// run serves until ctx ends. Decisions go to out, everything else to errOut.
func (s *server) run(ctx context.Context, out, errOut io.Writer) error {
	log := slog.New(slog.NewTextHandler(errOut, nil))
	if err := s.check(); err != nil {
		return exit{exitUsage, fmt.Errorf("rolecall: %w", err)}
	}
	if !s.decisions {
		out = nil
	}
	told := newDecisions(out, s.keepOneIn)
	defer told.stop()
	handler, err := s.handler(ctx, log, told)
	if err != nil {
		return bad(err)
	}
	tlsConfig, err := s.tls()
	if err != nil {
		return bad(err)
	}
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return bad(err)
	}
	web := &http.Server{
		Handler:           handler,
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if tlsConfig == nil && !isLoopback(s.listen) {
		log.Warn("tokens and questions travel in the clear: put TLS in front, or give --tls-cert and --tls-key")
	}
	log.Info("listening", "address", listener.Addr().String(), "tls", tlsConfig != nil)
	return s.serve(ctx, web, listener, log)
}

// serve returns once the server has stopped: because ctx ended, or by itself.
func (s *server) serve(ctx context.Context, web *http.Server, listener net.Listener, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() {
		if web.TLSConfig != nil {
			failed <- web.ServeTLS(listener, "", "")
			return
		}
		failed <- web.Serve(listener)
	}()
	select {
	case err := <-failed:
		return bad(err)
	case <-ctx.Done():
	}
	log.Info("stopping")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	if err := web.Shutdown(grace); err != nil {
		log.Warn("requests were cut off", "error", err)
		return web.Close()
	}
	return nil
}

// check says what is wrong with the flags.
func (s *server) check() error {
	if (s.tlsCert == "") != (s.tlsKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	if s.clientCA != "" && s.tlsCert == "" {
		return errors.New("--client-ca needs --tls-cert and --tls-key: certificates are shown over TLS only")
	}
	if s.maxBody <= 0 || s.maxBatch <= 0 || s.maxDepth <= 0 || s.maxHit <= 0 {
		return errors.New("a limit is at least 1")
	}
	if _, ok := propertyModes()[s.properties]; !ok {
		return fmt.Errorf("--properties is ignore, fill or trust, not %q", s.properties)
	}
	if s.tokenFile == "" && s.clientCA == "" && !isLoopback(s.listen) {
		return fmt.Errorf("nobody would have to show who they are: --listen %s needs --token-file or --client-ca, or a loopback address", s.listen)
	}
	return nil
}

func propertyModes() map[string]authzen.Properties {
	return map[string]authzen.Properties{"ignore": authzen.IgnoreSent, "fill": authzen.FillFromSent, "trust": authzen.TrustSent}
}

// isLoopback says whether only this machine reaches the address. A name other than localhost may be anything.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// handler puts the decision point behind the authentication of its callers, and the probes beside it.
func (s *server) handler(ctx context.Context, log *slog.Logger, told decisions) (http.Handler, error) {
	resolver, err := s.resolver(ctx)
	if err != nil {
		return nil, err
	}
	o := &authzen.Options{
		BaseURL: s.baseURL, Properties: propertyModes()[s.properties], Reasons: s.reasons, Log: log, Observe: told.log.Observe,
		MaxBody: s.maxBody, MaxEvaluations: s.maxBatch, MaxDepth: s.maxDepth, MaxResults: s.maxHit,
	}
	if err := s.readEntities(o, resolver); err != nil {
		return nil, err
	}
	point, err := authzen.NewHandler(resolver, o)
	if err != nil {
		return nil, err
	}
	tokens, err := readTokens(s.tokenFile)
	if err != nil {
		return nil, err
	}
	guarded := authenticated(tokens, beside(map[string]http.Handler{"/debug/vars": told.vars()}, point))
	return beside(map[string]http.Handler{
		"/healthz": probe(func() bool { return true }),
		"/readyz":  probe(func() bool { return !resolver.Health().Stale }),
	}, guarded), nil
}

// beside puts handlers for GET beside another one. Their paths have one spelling, like those of the other one.
func beside(pages map[string]http.Handler, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, there := pages[r.URL.EscapedPath()]; there && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			h.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

func (s *server) resolver(ctx context.Context) (*rolecall.Resolver, error) {
	src, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	_, snapshot, err := policy.Load(s.file, src)
	if err != nil {
		return nil, err
	}
	return rolecall.Open(ctx, memstore.With(snapshot), snapshot.Catalog(), nil)
}

// readEntities reads the file of entities. A condition in it that the policy does not declare is a mistake.
func (s *server) readEntities(o *authzen.Options, r *rolecall.Resolver) error {
	if s.entities == "" {
		return nil
	}
	src, err := os.ReadFile(s.entities)
	if err != nil {
		return err
	}
	e, err := authzen.ParseEntities(src)
	if err != nil {
		return fmt.Errorf("%s: %w", s.entities, err)
	}
	snapshot, err := r.Snapshot()
	if err != nil {
		return err
	}
	declared := map[rolecall.Condition]bool{}
	for _, d := range snapshot.Catalog().Declarations().Conditions {
		declared[d.Condition] = true
	}
	for c := range e.Conditions {
		if !declared[c] {
			return fmt.Errorf("%s: %s declares no condition %q", s.entities, s.file, c)
		}
	}
	o.Directory, o.Conditions = e, e.Conditions
	return nil
}

// minToken is the length from which on a token is no guess.
const minToken = 16

// readTokens returns the digests of the tokens of a file, none without one.
func readTokens(file string) ([][sha256.Size]byte, error) {
	if file == "" {
		return nil, nil
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tokens [][sha256.Size]byte
	for n, line := range strings.Split(string(src), "\n") {
		token := strings.TrimSpace(line)
		switch {
		case token == "":
		case len(token) < minToken:
			return nil, fmt.Errorf("%s:%d: a token has at least %d bytes", file, n+1, minToken)
		default:
			tokens = append(tokens, sha256.Sum256([]byte(token)))
		}
	}
	if tokens == nil {
		return nil, fmt.Errorf("%s: no token in it", file)
	}
	return tokens, nil
}

// authenticated lets those pass who show one of the tokens; where there are none TLS has seen to it, or the address.
func authenticated(tokens [][sha256.Size]byte, next http.Handler) http.Handler {
	if tokens == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if accepts(tokens, r.Header) {
			next.ServeHTTP(w, r)
			return
		}
		challenge := `Bearer realm="rolecall"`
		if r.Header.Get("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		if id := r.Header.Values("X-Request-ID"); len(id) > 0 {
			w.Header().Set("X-Request-ID", id[0])
		}
		w.Header().Set("WWW-Authenticate", challenge)
		answerJSON(w, http.StatusUnauthorized, "a bearer token is needed")
	})
}

func accepts(tokens [][sha256.Size]byte, header http.Header) bool {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for i := range tokens {
		found |= subtle.ConstantTimeCompare(tokens[i][:], sum[:])
	}
	return found == 1
}

// tls returns the configuration of TLS, nil for none.
func (s *server) tls() (*tls.Config, error) {
	if s.tlsCert == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(s.tlsCert, s.tlsKey)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if s.clientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.clientCA)
	if err != nil {
		return nil, err
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", s.clientCA)
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	return c, nil
}

// probe answers 200 where ok, otherwise 503.
func probe(ok func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ok() {
			answerJSON(w, http.StatusOK, "ok")
			return
		}
		answerJSON(w, http.StatusServiceUnavailable, "not ready")
	})
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // of our own words
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller that is gone needs no answer
}
