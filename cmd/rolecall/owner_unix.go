//go:build unix

package main

import (
	"os"
	"syscall"
)

// names returns how many names a file has.
func names(info os.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Nlink)
	}
	return 1
}

// keepOwner gives a copy of a file the owner and the group of the file.
func keepOwner(f *os.File, info os.FileInfo) error {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return f.Chown(int(s.Uid), int(s.Gid))
	}
	return nil
}
