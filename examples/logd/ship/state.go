package ship

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/serialkit/serialkit/examples/logd/lines"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// stateVersion is the format of State.
const stateVersion = 1

// State is what is known of the shipping of one file to one collector.
type State struct {
	// Version is the format, Path and Collector say what is shipped where.
	Version   int    `json:"version"`
	Path      string `json:"path"`
	Collector string `json:"collector"`
	// Producer, in hexadecimal digits, and Epoch are those of the batches.
	Producer string `json:"producer"`
	Epoch    uint64 `json:"epoch"`
	// Sequence is the number of the first batch of Planned, or of the next one if there is none.
	Sequence uint64 `json:"sequence"`
	// File is the one that is being read, and Position how much of it is settled.
	File     Identity `json:"file"`
	Position int64    `json:"position"`
	// Carry is what the lines before Position say of those behind it.
	Carry lines.Carry `json:"carry"`
	// Planned are the ends of batches that may have been sent: the first one begins at Position, the others where the one before ends.
	Planned []int64 `json:"planned"`
}

// end is the position behind everything that may have been sent.
func (s *State) end() int64 {
	if n := len(s.Planned); n > 0 {
		return s.Planned[n-1]
	}
	return s.Position
}

func (s *State) producer() (id logwire.ProducerID, err error) {
	b, err := hex.DecodeString(s.Producer)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("ship: state of %s: producer %q", s.Path, s.Producer)
	}
	return logwire.ProducerID(b), nil
}

// newState is the state of a file of which nothing was shipped.
func newState(path, collector string) State {
	var id logwire.ProducerID
	rand.Read(id[:])
	return State{Version: stateVersion, Path: path, Collector: collector, Producer: id.String(), Epoch: 1, Sequence: 1}
}

// check returns an error for a state that this package has not written.
func (s *State) check() error {
	_, err := s.producer()
	last := s.Position
	for _, end := range s.Planned {
		if end <= last {
			err = fmt.Errorf("ship: state of %s: a batch ends at %d, after %d", s.Path, end, last)
		}
		last = end
	}
	switch {
	case s.Version != stateVersion:
		return fmt.Errorf("ship: state of %s: version %d", s.Path, s.Version)
	case s.Epoch == 0 || s.Sequence == 0 || s.Position < 0:
		return fmt.Errorf("ship: state of %s: epoch %d, sequence %d, position %d", s.Path, s.Epoch, s.Sequence, s.Position)
	}
	return err
}

// Store keeps a state. It belongs to one goroutine.
type Store interface {
	// Load returns the state that was saved last, and false if there is none.
	Load() (State, bool, error)
	// Save returns when the state is durable. If it fails the old or the new one is kept, and nothing else.
	Save(State) error
}

// FileStore keeps a state in a file, which it locks until Close.
type FileStore struct {
	path string
	lock *os.File
}

// OpenFileStore opens the state at path, whose directory is made if need be. The error is ErrLocked while another process has it.
func OpenFileStore(path string) (*FileStore, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", err, path), f.Close())
	}
	return &FileStore{path, f}, nil
}

// Close unlocks the state.
func (s *FileStore) Close() error { return s.lock.Close() }

// Load reads the state. One that is damaged is an error: without it nobody knows what was shipped.
func (s *FileStore) Load() (st State, ok bool, err error) {
	b, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return st, false, nil
	case err != nil:
		return st, false, err
	}
	if err := json.Unmarshal(b, &st); err != nil {
		return st, false, fmt.Errorf("ship: state %s: %w", s.path, err)
	}
	return st, true, st.check()
}

// Save writes the state beside the old one, and renames it.
func (s *FileStore) Save(st State) error {
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	next := s.path + ".new"
	if err := writeSynced(next, b); err != nil {
		return err
	}
	if err := os.Rename(next, s.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	return errors.Join(syncDir(dir), dir.Close())
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
