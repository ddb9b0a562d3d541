package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall/policy"
)

func fmtCommand() *cobra.Command {
	var f formatter
	cmd := &cobra.Command{
		Use:   "fmt [-w|-l] [FILE…]",
		Short: "Tidy files, keeping their order, comments and steps",
		Long: `Print files in canonical spelling, or standard input where no file is named. Order, comments, blank lines and steps stay
as they are. A file with errors is left alone.

Exit codes: 0 done; 2 called wrongly; 3 a file cannot be read or written, or does not parse.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			f.out = cmd.OutOrStdout()
			if len(files) == 0 {
				if f.write {
					return errors.New("-w needs a file")
				}
				return f.input(cmd.InOrStdin())
			}
			var errs []error
			for _, name := range files {
				if err := f.file(name); err != nil {
					errs = append(errs, err)
				}
			}
			if errs != nil {
				return bad(errors.Join(errs...))
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&f.write, "write", "w", false, "write the result to the file instead of standard output")
	cmd.Flags().BoolVarP(&f.list, "list", "l", false, "list the files that are not tidy instead of printing them")
	return cmd
}

type formatter struct {
	write, list bool
	out         io.Writer
}

func (f *formatter) input(in io.Reader) error {
	src, err := io.ReadAll(in)
	if err != nil {
		return bad(err)
	}
	if err := f.source("standard input", src); err != nil {
		return bad(err)
	}
	return nil
}

func (f *formatter) file(name string) error {
	src, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return f.source(name, src)
}

func (f *formatter) source(name string, src []byte) error {
	tidy, err := policy.FormatSource(name, src)
	if err != nil {
		return err
	}
	changed := !bytes.Equal(src, tidy)
	if f.list && changed {
		if _, err := fmt.Fprintln(f.out, name); err != nil {
			return err
		}
	}
	if f.write && changed {
		return replaceFile(name, tidy)
	}
	if !f.list && !f.write {
		_, err = f.out.Write(tidy)
	}
	return err
}

// replaceFile writes a file whole or not at all: a copy beside it takes its place, with its permissions and its owner. A
// link stays a link. A file that has other names, or whose owner nobody else may be given, is written where it is. One that
// may not be written stays as it is.
func replaceFile(name string, content []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0) // whoever may not write a file does not replace it either
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if names(info) == 1 {
		if replaced, err := replaceBy(name, info, content); replaced || err != nil {
			return err
		}
	}
	return os.WriteFile(name, content, 0)
}

// replaceBy puts a copy with other content in the place of a file, unless the copy cannot have its owner.
func replaceBy(name string, info os.FileInfo, content []byte) (replaced bool, err error) {
	temp, err := os.CreateTemp(filepath.Dir(name), ".rolecall-*")
	if err != nil {
		return false, err
	}
	defer func() {
		if !replaced {
			os.Remove(temp.Name())
		}
	}()
	if keepOwner(temp, info) != nil {
		return false, temp.Close()
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Chmod(info.Mode().Perm()), temp.Close()); err != nil {
		return false, err
	}
	err = os.Rename(temp.Name(), name)
	return err == nil, err
}
