package store

import (
	"os"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// writeCategory is what Pebble's statistics of writes know our own files by.
const writeCategory = vfs.WriteCategoryUnspecified

// dirMode is for the directories that the store makes: logs are not for everybody.
const dirMode = 0o750

// fence is the file system of a store. It refuses every change once it is shut: a failed store shuts it, so that nothing which still runs
// inside Pebble, such as a flush or the removal of old logs, acts on a state that may not be on the disk.
type fence struct {
	vfs.FS
	shut *atomic.Bool
}

func newFence(fs vfs.FS) fence { return fence{fs, new(atomic.Bool)} }

func (f fence) check() error {
	if f.shut.Load() {
		return ErrFailed
	}
	return nil
}

func (f fence) wrap(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return fenceFile{file, f}, nil
}

// markerPrefix begins the names of the files by which Pebble says which of its manifests is the current one.
const markerPrefix = "marker."

// Create makes the directory durable before a marker is created. Pebble syncs it afterwards only, and a power cut in between may leave
// the marker without the manifest that it names, on a file system that does not keep the order of such changes: Pebble's issue 5825, which
// 2.1.7 has.
func (f fence) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(f.PathBase(name), markerPrefix) {
		if err := syncDir(f.FS, f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return f.wrap(f.FS.Create(name, category))
}

func (f fence) OpenReadWrite(name string, category vfs.DiskWriteCategory, options ...vfs.OpenOption) (vfs.File, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.wrap(f.FS.OpenReadWrite(name, category, options...))
}

func (f fence) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.wrap(f.FS.ReuseForWrite(oldname, newname, category))
}

func (f fence) OpenDir(name string) (vfs.File, error) { return f.wrap(f.FS.OpenDir(name)) }

func (f fence) Link(oldname, newname string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.Link(oldname, newname)
}

func (f fence) Remove(name string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f fence) RemoveAll(name string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.RemoveAll(name)
}

func (f fence) Rename(oldname, newname string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.Rename(oldname, newname)
}

func (f fence) MkdirAll(dir string, perm os.FileMode) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.MkdirAll(dir, perm)
}

// Unwrap returns the file system below.
func (f fence) Unwrap() vfs.FS { return f.FS }

type fenceFile struct {
	vfs.File
	fence fence
}

func (f fenceFile) Write(p []byte) (int, error) {
	if err := f.fence.check(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f fenceFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.fence.check(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

func (f fenceFile) Preallocate(offset, length int64) error {
	if err := f.fence.check(); err != nil {
		return err
	}
	return f.File.Preallocate(offset, length)
}

func (f fenceFile) Sync() error {
	if err := f.fence.check(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f fenceFile) SyncTo(length int64) (bool, error) {
	if err := f.fence.check(); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}

func (f fenceFile) SyncData() error {
	if err := f.fence.check(); err != nil {
		return err
	}
	return f.File.SyncData()
}
