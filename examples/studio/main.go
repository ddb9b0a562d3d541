// Command studio shows a studio's security at work: who may do what, why, why not, and what would change it.
//
//	go run ./examples/studio                   # a generated studio of 400 people
//	go run ./examples/studio -policy my.file   # a policy of your own, in the text form
//
// It loads the policy into the store in memory and asks it the questions that come up in a production.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

//go:generate go run . -write studio.rolecall

// studioFile is the generated studio in the text form.
//
//go:embed studio.rolecall
var studioFile []byte

// studioSeed is the seed of the studio in studioFile.
const studioSeed = 1

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout, stopwatch)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stopwatch measures how long f takes.
func stopwatch(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// run does what the arguments say. Everything in the report but what measure returns is the same each time.
func run(ctx context.Context, args []string, out io.Writer, measure func(func()) time.Duration) error {
	flags := flag.NewFlagSet("studio", flag.ContinueOnError)
	file := flags.String("policy", "", "show this policy, a `FILE` in the text form, instead of the generated studio")
	now := flags.String("now", "", "judge at this `TIME`, for example 2026-03-02 (default: the file's clock line)")
	write := flags.String("write", "", "write the generated studio to `FILE` and stop")
	flags.SetOutput(io.Discard) // errors are returned, and told once
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(out)
		flags.Usage()
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("studio takes no arguments, only flags: %q", flags.Args())
	}
	if *write != "" {
		return os.WriteFile(*write, generated(), 0o644)
	}
	show, err := open(ctx, *file, *now)
	if err != nil {
		return err
	}
	show.measure = measure
	text, err := show.report(ctx)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// generated returns the studio in the text form.
func generated() []byte {
	w := ftrack.Studio(ftrack.Mid, studioSeed)
	head := "# A studio of 400 people on 60 projects, made by: go generate ./examples/studio\n\nclock " +
		rolecall.FormatTime(w.Now) + "\n\n"
	return append([]byte(head), policy.Format(w.Declarations, w.Statements)...)
}

// open loads a policy, the generated one where no file is named, into a store in memory, and finds whom to look at.
func open(ctx context.Context, file, now string) (*tour, error) {
	name, source := "studio.rolecall", studioFile
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name, source = file, text
	}
	parsed, snapshot, err := policy.Load(name, source)
	if err != nil {
		return nil, err
	}
	at := parsed.Now()
	if now != "" {
		if at, err = rolecall.ParseTime(now); err != nil {
			return nil, fmt.Errorf("-now: %w", err)
		}
	}
	resolver, err := store(ctx, snapshot.Catalog(), parsed.Statements, at)
	if err != nil {
		return nil, err
	}
	t := &tour{name: name, now: at, resolver: resolver}
	if file == "" {
		t.cast = castOf(ftrack.Studio(ftrack.Mid, studioSeed))
		return t, nil
	}
	t.cast, err = choose(snapshot.At(at))
	return t, err
}

// store keeps the statements in a store in memory, as one change, and opens a resolver on it.
func store(ctx context.Context, c *rolecall.Catalog, statements []rolecall.Statement, now time.Time) (*rolecall.Resolver, error) {
	resolver, err := rolecall.Open(ctx, memstore.New(), c, &rolecall.Options{Clock: func() time.Time { return now }})
	if err != nil {
		return nil, err
	}
	edits := make([]rolecall.Edit, len(statements))
	for i, s := range statements {
		edits[i] = rolecall.Put(s)
	}
	_, err = resolver.Edit(ctx, rolecall.Meta{Reason: "load the policy"}, edits...)
	return resolver, err
}
