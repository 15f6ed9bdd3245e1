package store

import (
	"math/rand/v2"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// cutFS is a file system in memory that can lose its power: at random operations it calls cut, which may take a
// CrashClone. It knows how many written bytes were not synced.
type cutFS struct {
	*vfs.MemFS
	cut func(unsynced int64)

	mu       sync.Mutex
	rng      *rand.Rand // guarded by mu, as are the following
	one      int        // one operation in so many is followed by a cut; 0: none
	unsynced int64
}

func newCutFS(fs *vfs.MemFS, seed uint64) *cutFS {
	return &cutFS{MemFS: fs, rng: rand.New(rand.NewPCG(seed, 1))}
}

// operation is called before each change, with the bytes that it writes, or those that it syncs as a negative number.
func (f *cutFS) operation(bytes int64) {
	f.mu.Lock()
	now, unsynced := f.one > 0 && f.rng.IntN(f.one) == 0, f.unsynced
	f.unsynced += bytes
	f.mu.Unlock()
	if now {
		f.cut(unsynced)
	}
}

func (f *cutFS) wrap(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &cutFile{File: file, fs: f}, nil
}

func (f *cutFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.operation(0)
	return f.wrap(f.MemFS.Create(name, c))
}

func (f *cutFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f.operation(0)
	return f.wrap(f.MemFS.OpenReadWrite(name, c, o...))
}

func (f *cutFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.operation(0)
	return f.wrap(f.MemFS.ReuseForWrite(oldname, newname, c))
}

func (f *cutFS) OpenDir(name string) (vfs.File, error) { return f.wrap(f.MemFS.OpenDir(name)) }

func (f *cutFS) Remove(name string) error {
	f.operation(0)
	return f.MemFS.Remove(name)
}

func (f *cutFS) Rename(oldname, newname string) error {
	f.operation(0)
	return f.MemFS.Rename(oldname, newname)
}

// cutFile is used by one writer at a time.
type cutFile struct {
	vfs.File
	fs    *cutFS
	dirty int64
}

func (f *cutFile) Write(p []byte) (int, error) {
	f.fs.operation(int64(len(p)))
	f.dirty += int64(len(p))
	return f.File.Write(p)
}

func (f *cutFile) clean(err error) error {
	if err == nil {
		f.fs.operation(-f.dirty)
		f.dirty = 0
	}
	return err
}

func (f *cutFile) Sync() error {
	f.fs.operation(0)
	return f.clean(f.File.Sync())
}

func (f *cutFile) SyncData() error {
	f.fs.operation(0)
	return f.clean(f.File.SyncData())
}
