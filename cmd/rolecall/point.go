package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/authzen"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

// A point is a decision point as the files of a server say: all of them as of one reading.
type point struct {
	handler  http.Handler
	tls      *tls.Config // nil for none
	source   [sha256.Size]byte
	resolver *rolecall.Resolver
}

func (p *point) revision() rolecall.Revision { return p.resolver.Health().Revision }

// read reads the files of the server. Where the policy is another one than that of the point before, it is at the next
// revision, which the log of decisions tells, and a search that began on the one does not go on in the other.
func (r *reloader) read(ctx context.Context, before *point) (*point, error) {
	s := r.server
	src, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	p := &point{source: sha256.Sum256(src)}
	switch {
	case before == nil:
		p.resolver, err = s.resolver(ctx, src, 0)
	case p.source == before.source:
		p.resolver = before.resolver
	default:
		p.resolver, err = s.resolver(ctx, src, before.revision()+1)
	}
	if err != nil {
		return nil, err
	}
	authorities, err := readAuthorities(s.clientCA)
	if err != nil {
		return nil, err
	}
	if p.handler, err = r.handler(p.resolver, authorities); err != nil {
		return nil, err
	}
	p.tls, err = s.tls(authorities)
	return p, err
}

func (s *server) resolver(ctx context.Context, src []byte, revision rolecall.Revision) (*rolecall.Resolver, error) {
	f, snapshot, err := policy.Load(s.file, src)
	if err != nil {
		return nil, err
	}
	if len(f.Declarations.Permissions) == 0 { // a file that was cut off, more likely than meant
		return nil, fmt.Errorf("%s: it declares no permission, so nothing can be asked", s.file)
	}
	snapshot, err = atRevision(snapshot, revision)
	if err != nil {
		return nil, err
	}
	return rolecall.Open(ctx, memstore.With(snapshot), snapshot.Catalog(), nil)
}

// handler puts the decision point behind the authentication of its callers, and the probes beside it.
func (r *reloader) handler(resolver *rolecall.Resolver, authorities []*x509.Certificate) (http.Handler, error) {
	s := r.server
	o := &authzen.Options{
		BaseURL: s.baseURL, Properties: propertyModes()[s.properties], Reasons: s.reasons, Log: r.log, Observe: r.told.log.Observe,
		MaxBody: s.maxBody, MaxEvaluations: s.maxEvaluations, MaxDepth: s.maxDepth, MaxResults: s.maxResults, PageKey: r.pageKey,
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
	guarded := certified(authorities, authenticated(tokens, beside(map[string]http.Handler{"/debug/vars": r.told.vars()}, point)))
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

// readEntities reads the file of entities. A condition or a kind in it that the policy does not declare is a mistake.
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
	if err := e.ValidFor(snapshot.Catalog()); err != nil {
		return fmt.Errorf("%s, with %s: %w", s.entities, s.file, err)
	}
	o.Directory, o.Conditions = e, e.Conditions
	return nil
}

// minToken is the length from which on a token is no guess.
const minToken = 16

// tokenForm is how a bearer token is written in a header (RFC 6750, b64token).
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// readTokens returns the digests of the tokens of a file, none without one. Blank lines and those that start with # are
// no tokens; any other line is one, or a mistake, which is told without what may be half a token.
func readTokens(file string) ([][sha256.Size]byte, error) {
	if file == "" {
		return nil, nil
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tokens [][sha256.Size]byte
	var errs []error
	for n, line := range strings.Split(string(src), "\n") {
		token := strings.TrimSpace(line)
		switch {
		case token == "" || token[0] == '#':
		case !tokenForm.MatchString(token):
			errs = append(errs, fmt.Errorf("%s:%d: a token is letters, digits and -._~+/ with = at its end, one a line", file, n+1))
		case len(token) < minToken:
			errs = append(errs, fmt.Errorf("%s:%d: a token has at least %d bytes", file, n+1, minToken))
		default:
			tokens = append(tokens, sha256.Sum256([]byte(token)))
		}
	}
	if tokens == nil && errs == nil {
		return nil, fmt.Errorf("%s: no token in it", file)
	}
	return tokens, errors.Join(errs...)
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

// readAuthorities returns the certificates of a file, none without one.
func readAuthorities(file string) ([]*x509.Certificate, error) {
	if file == "" {
		return nil, nil
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var authorities []*x509.Certificate
	for block, rest := pem.Decode(src); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		authorities = append(authorities, c)
	}
	if authorities == nil {
		return nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return authorities, nil
}

// certified lets those pass whose certificate one of the authorities signed, where there are some: TLS has seen to it when
// the connection began, which may be before one of them went.
func certified(authorities []*x509.Certificate, next http.Handler) http.Handler {
	if authorities == nil {
		return next
	}
	known := func(chain []*x509.Certificate) bool {
		return slices.ContainsFunc(authorities, chain[len(chain)-1].Equal)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.ContainsFunc(r.TLS.VerifiedChains, known) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		answerJSON(w, http.StatusForbidden, "the authority that signed this certificate does not count any more")
	})
}

// tls returns the configuration of TLS, nil for none.
func (s *server) tls(authorities []*x509.Certificate) (*tls.Config, error) {
	if s.tlsCert == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(s.tlsCert, s.tlsKey)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if authorities == nil {
		return c, nil
	}
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	for _, authority := range authorities {
		c.ClientCAs.AddCert(authority)
	}
	return c, nil
}
