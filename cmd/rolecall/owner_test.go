//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// What is tidied stays the file that it was: with its owner, under all its names, and as it is where it may not be written.
func TestFmtKeepsTheFile(t *testing.T) {
	const untidy, tidy = "suspend   user:ada\n\n\n", "suspend user:ada\n"
	f := newFolder(t, map[string]string{"two names": untidy, "read-only": untidy, "foreign": untidy})
	if err := errors.Join(os.Link(f.path("two names"), f.path("other name")), os.Chmod(f.path("read-only"), 0o440)); err != nil {
		t.Fatal(err)
	}
	fmtW := func(name string, want int) {
		t.Helper()
		if code, _, errOut := f.run("", "fmt", "-w", "@/"+name); code != want || (code == 0) != (errOut == "") {
			t.Errorf("rolecall fmt -w %q: got exit code %d and %q, want %d", name, code, errOut, want)
		}
	}
	fmtW("two names", 0)
	f.checkFile("two names", tidy)
	f.checkFile("other name", tidy)
	if os.Geteuid() != 0 {
		fmtW("read-only", 3)
		f.checkFile("read-only", untidy)
		return // nobody else gives a file away
	}
	if err := os.Chown(f.path("foreign"), 65534, 65533); err != nil {
		t.Fatal(err)
	}
	fmtW("foreign", 0)
	f.checkFile("foreign", tidy)
	info, err := os.Stat(f.path("foreign"))
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 65534 || s.Gid != 65533 || info.Mode().Perm() != 0o640 {
		t.Errorf("rolecall fmt -w of a file of 65534:65533, 0640: got %d:%d, %v", s.Uid, s.Gid, info.Mode().Perm())
	}
}
