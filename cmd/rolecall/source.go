package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

// instantHelp is what every command says that judges windows.
const instantHelp = `Windows are judged at the instant of --now, otherwise at the file's clock line, otherwise at the present. Steps in the
file are not run.`

// A source is the policy that -f names, and the instant of --now.
type source struct{ file, now string }

func (s *source) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.file, "file", "f", "", "the policy to ask")
	s.instantFlag(cmd)
	cobra.CheckErr(cmd.MarkFlagRequired("file"))
}

func (s *source) instantFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.now, "now", "", "the instant to judge at, RFC 3339 or a date (default: the file's clock line, else the present)")
}

func (s *source) load() (*policy.File, *rolecall.Snapshot, error) { return readPolicy(s.file) }

// instant returns when to judge.
func (s *source) instant(f *policy.File, errs *[]error) time.Time {
	switch {
	case s.now != "":
		return parse(errs, rolecall.ParseTime, s.now)
	case f.Clock.IsZero():
		return time.Now()
	}
	return f.Clock
}

func readPolicy(name string) (*policy.File, *rolecall.Snapshot, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	return policy.Load(name, src)
}
