package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// copyTree copies the files of a git work tree, as they are now, to the directory dst: those that git knows and
// those that it does not ignore.
func copyTree(ctx context.Context, root, dst string) error {
	list := exec.CommandContext(ctx, "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("mutants: listing the files of %s: %w", root, err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(root, name), filepath.Join(dst, name)); err != nil {
			return fmt.Errorf("mutants: copying the tree: %w", err)
		}
	}
	return nil
}

// copyFile copies a regular file. One that was deleted, or is no file, is left out.
func copyFile(src, dst string) error {
	info, err := os.Lstat(src)
	if os.IsNotExist(err) || err == nil && info.Mode().Type() != fs.FileMode(0) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	return os.WriteFile(dst, text, info.Mode().Perm())
}
