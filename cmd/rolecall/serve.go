package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rolecall-go/rolecall/authzen"
)

func serveCommand() *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "serve -f FILE",
		Short: "Answer the OpenID Authorization API (AuthZEN) over a policy",
		Long: `Answer the OpenID Authorization API 1.0 (AuthZEN) over HTTP from the policy of a file: evaluation, evaluations and the
three searches, and with --base-url the metadata. GET /healthz says that the process is there, GET /readyz that it
answers, and, to callers, GET /debug/vars what it has decided so far. --decisions writes each decision to the standard
output. Windows are judged at the present time; steps in the file are not run.

On SIGHUP, and with --watch when one of them changes, all files are read again: the policy, the entities, the tokens and the
certificates. They count together from then on, or, where anything is wrong with one of them, not at all: what is wrong is
logged, and the server goes on with what it had. Put a new file in place by renaming it, so that it is never seen half
written; --watch takes up only what has stayed the same from one look to the next.

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
			again := make(chan os.Signal, 1)
			signal.Notify(again, syscall.SIGHUP)
			defer signal.Stop(again)
			signal.Ignore(syscall.SIGPIPE) // writing to a reader that is gone is an error then, which is counted
			defer signal.Reset(syscall.SIGPIPE)
			return s.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), again)
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
	maxDepth, maxResults       int
	maxEvaluations             int
	reasons, decisions         bool
	keepOneIn                  uint64
	grace, watch               time.Duration
}

func (s *server) flags(f *pflag.FlagSet) {
	f.StringVarP(&s.file, "file", "f", "", "the policy to answer from")
	f.StringVar(&s.entities, "entities", "", "a JSON file of conditions, subjects and resources")
	f.StringVar(&s.properties, "properties", "ignore", "what becomes of properties and context that callers send: ignore them, let them fill what the entities leave open, or trust them first")
	f.StringVar(&s.listen, "listen", "127.0.0.1:8181", "the address to listen on")
	f.StringVar(&s.baseURL, "base-url", "", "the https URL under which callers reach the server, for metadata")
	f.StringVar(&s.tokenFile, "token-file", "", "a file of bearer tokens of at least 16 bytes, one a line; lines that start with # are comments")
	f.StringVar(&s.clientCA, "client-ca", "", "a PEM file of the authorities that sign callers' certificates")
	f.StringVar(&s.tlsCert, "tls-cert", "", "a PEM file of the server's certificate")
	f.StringVar(&s.tlsKey, "tls-key", "", "a PEM file of the server's key")
	f.Int64Var(&s.maxBody, "max-body", 1<<20, "the longest request, in bytes")
	f.IntVar(&s.maxEvaluations, "max-batch", 1000, "the most evaluations of a request")
	f.IntVar(&s.maxDepth, "max-depth", 32, "the deepest nesting of a request")
	f.IntVar(&s.maxResults, "max-results", 1000, "the most results of a page of a search")
	f.BoolVar(&s.reasons, "reasons", false, "tell callers the kind of reason of each decision")
	f.BoolVar(&s.decisions, "decisions", false, "write every decision to the standard output, a line of JSON each")
	f.Uint64Var(&s.keepOneIn, "keep-one-in", 1, "of the permits, write about one of so many; denials and errors are all written")
	f.DurationVar(&s.watch, "watch", 0, "how often to look whether a file has changed, 2s for example (default: never)")
	f.DurationVar(&s.grace, "grace", 10*time.Second, "how long requests under way may take after a signal to stop, and then what is left of the decisions")
}

// run serves until ctx ends, and reads the files again whenever it is told to. Decisions go to out, everything else to
// errOut.
func (s *server) run(ctx context.Context, out, errOut io.Writer, again <-chan os.Signal) error {
	log := slog.New(slog.NewTextHandler(errOut, nil))
	if err := s.check(); err != nil {
		return exit{exitUsage, fmt.Errorf("rolecall: %w", err)}
	}
	if !s.decisions {
		out = nil
	}
	told := newDecisions(out, s.keepOneIn)
	defer func() {
		if !told.stop(s.grace) {
			log.Warn("decisions were cut off: nobody reads them")
		}
	}()
	r := newReloader(s, log, told)
	if err := r.load(ctx); err != nil {
		return bad(err)
	}
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return bad(err)
	}
	web := &http.Server{
		Handler:           r,
		TLSConfig:         r.tls(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if web.TLSConfig == nil && !isLoopback(s.listen) {
		log.Warn("tokens and questions travel in the clear: put TLS in front, or give --tls-cert and --tls-key")
	}
	log.Info("listening", "address", listener.Addr().String(), "tls", web.TLSConfig != nil)
	go r.follow(ctx, again)
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
		_ = web.Close() // of a listener that is closed already: there is nothing more to tell
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
	if s.watch < 0 {
		return errors.New("--watch is not negative")
	}
	if s.maxBody <= 0 || s.maxEvaluations <= 0 || s.maxDepth <= 0 || s.maxResults <= 0 {
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
