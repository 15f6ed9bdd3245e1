package main

import (
	"bufio"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// file is one file to work on.
type file struct {
	fsys fs.FS
	name string
	size uint64 // bytes
}

func (f file) open() (fs.File, error) { return f.fsys.Open(f.name) }

//go:embed *.go
var ownSources embed.FS

// host is the file system of the host, with paths as a shell has them.
type host struct{}

func (host) Open(name string) (fs.File, error) { return os.Open(name) }

// findFiles returns the named files. Without names these are the documents and sources of the
// module around dir, and where there is none, the sources of this program. It also says in words
// whose files they are.
func findFiles(dir string, names []string) (files []file, whose string, err error) {
	if len(names) > 0 {
		files, err = openAll(host{}, names)
		return files, "the files that were named", err
	}
	if root, ok := moduleRoot(dir); ok {
		files, err = openTree(os.DirFS(root))
		if len(files) > 0 || err != nil {
			return files, root, err
		}
	}
	files, err = openTree(ownSources)
	return files, "this program's own sources", err
}

// moduleRoot returns the nearest directory with a go.mod, from dir upwards.
func moduleRoot(dir string) (root string, ok bool) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// openTree returns the documents and sources of a file system.
func openTree(fsys fs.FS) ([]file, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.Type().IsRegular() && slices.Contains([]string{".go", ".md"}, filepath.Ext(name)):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return openAll(fsys, names)
}

// openAll makes sure that all files can be read. The error names each one that cannot.
func openAll(fsys fs.FS, names []string) ([]file, error) {
	var files []file
	var errs []error
	for _, name := range names {
		size, err := sizeOf(fsys, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot read %s: %w", name, err))
		}
		files = append(files, file{fsys, name, size})
	}
	return files, errors.Join(errs...)
}

func sizeOf(fsys fs.FS, name string) (uint64, error) {
	f, err := fsys.Open(name)
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err // without the name, which is known
		}
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, errors.New("not a regular file")
	}
	return uint64(info.Size()), nil
}

// linesOf iterates over the lines of the files, without their ends. A line is valid until the next.
func linesOf(files []file) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, f := range files {
			content, err := f.open()
			if err != nil {
				yield(nil, err)
				return
			}
			goOn := yieldLines(content, yield)
			content.Close()
			if !goOn {
				return
			}
		}
	}
}

// yieldLines reports whether all lines were wanted.
func yieldLines(r io.Reader, yield func([]byte, error) bool) bool {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && !yield(bytes.TrimSuffix(line, []byte("\n")), nil) {
			return false
		}
		if err == io.EOF {
			return true
		}
		if err != nil {
			return yield(nil, err)
		}
	}
}
