package files

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
)

// ErrPowerCut is what a Mem's methods return once its power is gone.
var ErrPowerCut = errors.New("files: no power")

// Mem is a file system in memory. Each operation that changes something can be its last, and Restart returns what
// a disk may hold after that. It is safe for concurrent use.
type Mem struct {
	mu      sync.Mutex
	names   map[string]*inode // as programs see them
	durable map[string]*inode // as they were at the last SyncDir of their directory
	locks   map[string]bool
	ops     int   // operations that changed something
	last    int   // the number of the last one that happens; negative: no end
	fault   error // what writes and syncs fail with, for as long as it is set
}

type inode struct {
	data   []byte
	synced []byte
}

// NewMem returns an empty file system whose power lasts for n operations that change something; with a negative n
// for ever.
func NewMem(n int) *Mem {
	return &Mem{names: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]bool{}, last: n}
}

// Ops returns how many operations that change something there were.
func (m *Mem) Ops() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// Fail makes writes and syncs fail with err, until it is nil.
func (m *Mem) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = err
}

// Restart returns the file system as a new process finds it, with power for n operations. With lose, the power was
// cut: files have what was synced and the first torn bytes of what was not, and directories the names of their
// last SyncDir. Otherwise the process was killed alone.
func (m *Mem) Restart(lose bool, torn, n int) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = m.ops // The old process does nothing any more.
	next := NewMem(n)
	from := m.names
	if lose {
		from = m.durable
	}
	for name, f := range from {
		data := f.data
		if lose {
			data = f.synced
			if len(f.data) > len(data) {
				data = f.data[:min(len(f.data), len(f.synced)+torn)]
			}
		}
		node := &inode{data: slices.Clone(data), synced: slices.Clone(data)}
		next.names[name], next.durable[name] = node, node
	}
	return next
}

// Bytes returns the files' bytes themselves, by their names: a test may damage them.
func (m *Mem) Bytes() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	files := map[string][]byte{}
	for name, f := range m.names {
		files[name] = f.data
	}
	return files
}

// Put makes a file with these bytes.
func (m *Mem) Put(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node := &inode{data: data, synced: slices.Clone(data)}
	m.names[name], m.durable[name] = node, node
}

// changeLocked counts an operation and reports why it does not happen. The lock is held.
func (m *Mem) changeLocked() error {
	if m.last >= 0 && m.ops >= m.last {
		return ErrPowerCut
	}
	m.ops++
	return m.fault
}

// MkdirAll does nothing: a directory is there with its files.
func (m *Mem) MkdirAll(string) error { return nil }

// Names returns the names of the files in dir.
func (m *Mem) Names(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.names {
		if path.Dir(name) == path.Clean(dir) {
			names = append(names, path.Base(name))
		}
	}
	return names, nil
}

// ReadFrom appends the file's bytes from offset on.
func (m *Mem) ReadFrom(name string, dst []byte, offset, limit int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.names[name]
	if f == nil {
		return dst, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	offset = min(offset, int64(len(f.data)))
	return append(dst, f.data[offset:min(offset+limit, int64(len(f.data)))]...), nil
}

// Create makes a new, empty file.
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.changeLocked(); err != nil {
		return nil, err
	}
	f := &inode{}
	m.names[name] = f
	return &memFile{m, f}, nil
}

// Rename gives a file another name.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.changeLocked(); err != nil {
		return err
	}
	f := m.names[from]
	if f == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(m.names, from)
	m.names[to] = f
	return nil
}

// Remove removes a file.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.changeLocked(); err != nil {
		return err
	}
	if m.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.names, name)
	return nil
}

// SyncDir makes the names durable, of all directories.
func (m *Mem) SyncDir(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.changeLocked(); err != nil {
		return err
	}
	m.durable = maps.Clone(m.names)
	return nil
}

// Lock takes a lock of this Mem.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, ErrLocked
	}
	m.locks[name] = true
	return unlock(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.locks, name)
	}), nil
}

type unlock func()

func (u unlock) Close() error {
	u()
	return nil
}

type memFile struct {
	fs *Mem
	*inode
}

func (f *memFile) Write(b []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.changeLocked(); err != nil {
		if err == ErrPowerCut {
			return 0, err
		}
		n := len(b) / 2 // A write that fails may have written something.
		f.data = append(f.data, b[:n]...)
		return n, err
	}
	f.data = append(f.data, b...)
	return len(b), nil
}

func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.changeLocked(); err != nil {
		return err
	}
	f.synced = slices.Clone(f.data)
	return nil
}

func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.changeLocked(); err != nil {
		return err
	}
	f.data = f.data[:size]
	f.synced = f.synced[:min(len(f.synced), int(size))]
	return nil
}

func (f *memFile) Close() error { return nil }
