package ship

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// fingerprintSize is how much of its beginning a file is known by.
const fingerprintSize = 1024

// Identity is what a file is known by.
type Identity struct {
	// Device and Inode are the system's; zero where it has none.
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	// Head is how many of the first bytes Sum, a part of their SHA-256, is of: what was shipped of them, 1 KiB at most.
	Head int64  `json:"head"`
	Sum  string `json:"sum"`
}

// identify returns the identity of a file of which the bytes before end have been shipped.
func identify(f *os.File, end int64) (id Identity, err error) {
	info, err := f.Stat()
	if err != nil {
		return id, err
	}
	id.Device, id.Inode = number(info)
	id.Head = min(end, fingerprintSize)
	id.Sum, err = sumOf(f, id.Head)
	return id, err
}

func sumOf(f *os.File, n int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, n)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// match says how well a file agrees with an identity.
type match uint8

const (
	other match = iota
	// alike: another inode, and the same beginning, as of a copy that was made before the file was truncated.
	alike
	same
)

// compare tells whether f is the file id was made of and has the bytes before end.
func (id Identity) compare(f *os.File, end int64) (match, error) {
	info, err := f.Stat()
	if err != nil || info.Size() < end || !info.Mode().IsRegular() {
		return other, err
	}
	sum, err := sumOf(f, id.Head)
	if err != nil || sum != id.Sum {
		return other, err
	}
	if id.isNumberOf(info) {
		return same, nil
	}
	return alike, nil
}

// isNumberOf reports whether the system knows the file as it knew that of id.
func (id Identity) isNumberOf(info fs.FileInfo) bool {
	device, inode := number(info)
	return device == id.Device && inode == id.Inode
}

// rotated is what logrotate and others append to the name of a file: .1, .2, -20260102, -20260102-1700.
var rotated = regexp.MustCompile(`^[.-]\d+([.-]\d+)*$`)

// family returns the files that path was rotated to, the oldest first, and path itself as the last one.
func family(path string) ([]string, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type member struct {
		path string
		info os.FileInfo
	}
	var members []member
	for _, e := range entries {
		name := e.Name()
		if len(name) <= len(base) || name[:len(base)] != base || !rotated.MatchString(name[len(base):]) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() { // One that has just gone is none.
			members = append(members, member{filepath.Join(dir, name), info})
		}
	}
	slices.SortFunc(members, func(a, b member) int { return a.info.ModTime().Compare(b.info.ModTime()) })
	var paths []string
	for _, m := range members {
		paths = append(paths, m.path)
	}
	return append(paths, path), nil
}
