// Package decisionlog writes down and counts the answers that a resolver and its guards give.
//
//	log := decisionlog.New(slog.NewJSONHandler(os.Stdout, nil), nil)
//	go log.Run(ctx)
//	resolver, err := rolecall.Open(ctx, store, catalog, &rolecall.Options{Observe: log.Observe})
//	guard := httpauthz.New(resolver, identify, &httpauthz.Options{Observe: log.Observe, ObserveBatch: log.ObserveBatch})
//	expvar.Publish("rolecall", log.Var())
//
// Each record has the message "decision" and the keys time (of the answer), subject, actor, permission, scope, allowed,
// reason or error, revision, break_glass and sample; those that do not apply are left out. Denials, errors and what
// happens under break-glass are always kept. Of allows a sample may do: Options.KeepOneIn.
//
// The level of a record is ERROR where it could not be found out, otherwise WARN under break-glass and INFO without. What
// the handler is not enabled for is counted and not written: one for WARN and above gets no denials.
//
// A page of answers is one record, with the message "decisions": its permission names all that were asked for, and asked
// and granted, in place of scope, allowed and reason, are how many answers there were and how many of them were yes. A
// set of scopes has kind instead, and allowed. A page without a no is an allow to sampling.
//
// Observe never waits. Records wait in a queue of a fixed size for Run to write them; where it is full they are dropped
// and counted. This is no audit trail: that is the history of the policy, which is never sampled.
package decisionlog

import (
	"context"
	"expvar"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A Record is one answer, or the answers of a page, on its way into the log.
type Record struct {
	Time       time.Time
	Subject    string
	Actor      string // empty where nobody acts on behalf of Subject
	Permission string // several of a page, with a space between them
	Scope      string // empty for a page and a set
	Kind       string // of the scopes of a set, otherwise empty
	Batch      bool   // a page or a set
	Asked      int    // the answers of a page
	Granted    int    // those of them that are yes
	Allowed    bool   // not of a page
	Reason     string // the kind of answer; empty where it could not be found out, and of a page
	Error      string // why it could not be found out
	Revision   rolecall.Revision
	BreakGlass bool
	Sample     uint64 // the record stands for this many allows, 0 for one that is always kept
}

// page says whether the record is of a page of answers.
func (r Record) page() bool { return r.Batch && r.Kind == "" }

// Options configure a Log. A nil *Options is the zero Options.
type Options struct {
	// KeepOneIn keeps about one of so many allows, the same ones in every process for a minute: all or none of the allows
	// of one subject, permission and scope. Zero and one keep all.
	KeepOneIn uint64
	// Redact changes a record before it is queued, to mask ids for example. It runs on the goroutine that asked.
	Redact func(*Record)
	// Queue is how many records may wait. Zero is 4096.
	Queue int
	// Clock tells the present. Nil is time.Now.
	Clock func() time.Time
}

// A Log writes decisions to a slog.Handler. It is safe for concurrent use. It starts no goroutine: call Run in one.
type Log struct {
	handler slog.Handler
	o       Options
	queue   chan Record
	counters
}

type counters struct {
	allowed, denied, failed, written, sampled, dropped atomic.Uint64
}

// Counters are what a log has seen so far.
type Counters struct {
	Allowed uint64 `json:"allowed"`
	Denied  uint64 `json:"denied"`
	Failed  uint64 `json:"failed"`  // could not be found out
	Written uint64 `json:"written"` // records
	Sampled uint64 `json:"sampled"` // records of allows that were left out on purpose
	Dropped uint64 `json:"dropped"` // records for which the queue had no room, or that the handler refused
}

// New returns a log that writes to handler.
func New(handler slog.Handler, o *Options) *Log {
	l := &Log{handler: handler}
	if o != nil {
		l.o = *o
	}
	if l.o.Queue <= 0 {
		l.o.Queue = 4096
	}
	if l.o.Clock == nil {
		l.o.Clock = time.Now
	}
	l.queue = make(chan Record, l.o.Queue)
	return l
}

type breakGlassKey struct{}

// BreakGlass marks everything decided under the context as break-glass, so that the log keeps it and says so.
func BreakGlass(ctx context.Context) context.Context {
	return context.WithValue(ctx, breakGlassKey{}, true)
}

func underBreakGlass(ctx context.Context) bool { return ctx.Value(breakGlassKey{}) != nil }

// levelOf returns the level at which a record is written.
func levelOf(failed, breakGlass bool) slog.Level {
	switch {
	case failed:
		return slog.LevelError
	case breakGlass:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Observe counts an answer, and queues its record. It is a rolecall.Observer.
func (l *Log) Observe(ctx context.Context, o rolecall.Observation) {
	reason, known := o.Reason()
	switch {
	case !known:
		l.failed.Add(1)
	case reason == rolecall.Granted:
		l.allowed.Add(1)
	default:
		l.denied.Add(1)
	}
	if !l.handler.Enabled(ctx, levelOf(!known, underBreakGlass(ctx))) {
		return
	}
	r := l.record(ctx, o.Subject, o.Actor, o.Revision)
	r.Permission, r.Scope = o.Permission.String(), o.Scope.String()
	if known {
		r.Allowed, r.Reason = reason == rolecall.Granted, reason.String()
	} else {
		r.Error = o.Err.Error()
	}
	l.enqueue(r, r.Allowed)
}

// ObserveBatch counts the answers of a page or a set, and queues one record of them. It is a rolecall.BatchObserver.
func (l *Log) ObserveBatch(ctx context.Context, o rolecall.BatchObservation) {
	if o.Err != nil {
		l.failed.Add(1)
	} else {
		l.allowed.Add(uint64(o.Granted))
		l.denied.Add(uint64(o.Asked - o.Granted))
	}
	if !l.handler.Enabled(ctx, levelOf(o.Err != nil, underBreakGlass(ctx))) {
		return
	}
	r := l.record(ctx, o.Subject, o.Actor, o.Revision)
	r.Batch, r.Kind, r.Asked, r.Granted = true, string(o.Kind), o.Asked, o.Granted
	r.Allowed = !r.page() && o.Granted > 0
	names := make([]string, len(o.Permissions))
	for i, p := range o.Permissions {
		names[i] = p.String()
	}
	r.Permission = strings.Join(names, " ")
	if o.Err != nil {
		r.Error = o.Err.Error()
	}
	l.enqueue(r, o.Err == nil && o.Granted == o.Asked)
}

func (l *Log) record(ctx context.Context, subject, actor rolecall.Subject, revision rolecall.Revision) Record {
	r := Record{Time: l.o.Clock(), Subject: subject.String(), BreakGlass: underBreakGlass(ctx), Revision: revision}
	if !actor.IsZero() {
		r.Actor = actor.String()
	}
	return r
}

// The sample is taken by FNV-1a, which is the same in every process, so that a trace across them is whole. It is written
// out here because hash/fnv takes bytes, and each allow would copy its texts.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// keeps says whether an allow is in the sample of its minute.
func (l *Log) keeps(r Record) bool {
	h := uint64(fnvOffset)
	for _, s := range [...]string{r.Subject, r.Permission, r.Scope + r.Kind, r.Time.UTC().Format("200601021504")} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * fnvPrime
		}
		h = (h ^ 0xff) * fnvPrime
	}
	h ^= h >> 32
	h *= 0x9E3779B97F4A7C15
	return (h>>32)%l.o.KeepOneIn == 0
}

// enqueue queues a record, unless it is an allow that is left out of the sample or finds no room.
func (l *Log) enqueue(r Record, allow bool) {
	if allow && !r.BreakGlass && l.o.KeepOneIn > 1 {
		if r.Sample = l.o.KeepOneIn; !l.keeps(r) {
			l.sampled.Add(1)
			return
		}
	}
	if l.o.Redact != nil {
		l.o.Redact(&r)
	}
	select {
	case l.queue <- r:
	default:
		l.dropped.Add(1)
	}
}

// Run writes records until ctx ends, then those that wait at that moment, and returns the error of ctx. Call it once:
// records keep their order as long as one goroutine writes them.
func (l *Log) Run(ctx context.Context) error {
	for {
		select {
		case r := <-l.queue:
			l.write(r)
		case <-ctx.Done():
			for range len(l.queue) { // what comes meanwhile could go on for ever
				select {
				case r := <-l.queue:
					l.write(r)
				default:
				}
			}
			return ctx.Err()
		}
	}
}

// write hands a record to the handler, which has no request's context any more.
func (l *Log) write(r Record) {
	message := "decision"
	if r.Batch {
		message = "decisions"
	}
	record := slog.NewRecord(r.Time, levelOf(r.Error != "", r.BreakGlass), message, 0)
	record.AddAttrs(r.attrs()...)
	if err := l.handler.Handle(context.Background(), record); err != nil {
		l.dropped.Add(1)
		return
	}
	l.written.Add(1)
}

func (r Record) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("subject", r.Subject)}
	if r.Actor != "" {
		attrs = append(attrs, slog.String("actor", r.Actor))
	}
	attrs = append(attrs, slog.String("permission", r.Permission))
	switch {
	case r.page():
		attrs = append(attrs, slog.Int("asked", r.Asked), slog.Int("granted", r.Granted))
	case r.Batch:
		attrs = append(attrs, slog.String("kind", r.Kind), slog.Bool("allowed", r.Allowed))
	default:
		attrs = append(attrs, slog.String("scope", r.Scope), slog.Bool("allowed", r.Allowed))
	}
	if r.Reason != "" {
		attrs = append(attrs, slog.String("reason", r.Reason))
	}
	if r.Error != "" {
		attrs = append(attrs, slog.String("error", r.Error))
	}
	attrs = append(attrs, slog.Uint64("revision", uint64(r.Revision)))
	if r.BreakGlass {
		attrs = append(attrs, slog.Bool("break_glass", true))
	}
	if r.Sample > 0 {
		attrs = append(attrs, slog.Uint64("sample", r.Sample))
	}
	return attrs
}

// Counters returns what the log has seen so far. The counts are read one after the other.
func (l *Log) Counters() Counters {
	return Counters{
		Allowed: l.allowed.Load(), Denied: l.denied.Load(), Failed: l.failed.Load(),
		Written: l.written.Load(), Sampled: l.sampled.Load(), Dropped: l.dropped.Load(),
	}
}

// Var returns the counters for expvar.Publish.
func (l *Log) Var() expvar.Var { return expvar.Func(func() any { return l.Counters() }) }
