package service

import (
	"sort"
	"sync"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

const (
	// DefaultRing is how many bytes of records the Hub keeps for tails: some 300,000 records of 200 bytes, a second
	// of the highest load.
	DefaultRing = 64 << 20
	// MinRing is the least that a Hub keeps: two of the largest batches, with the room that their slices may have
	// beyond their length.
	MinRing = 4 * logwire.MaxBatch
)

// entryOverhead is what an entry costs beside its records: itself, its place in a slice that has grown, and the
// head of the message in which the records arrived.
const entryOverhead = 256

// Hub is a ring of the records that were committed last. The store publishes, tails read; neither waits for the
// other. Its methods are safe for concurrent use.
type Hub struct {
	limit int64 // never changes

	mu      sync.Mutex
	entries []entry       // guarded by mu: ids ascend without a gap; entries[:gone] are zero
	gone    int           // guarded by mu
	bytes   int64         // guarded by mu: what the entries cost, at most limit
	next    uint64        // guarded by mu: the id after the last one; 0 before begin
	news    chan struct{} // guarded by mu: closed by the next Publish; nil: nobody waits
}

// entry are the records of one commit, in the form of a batch. They never change.
type entry struct {
	first   uint64
	count   int
	records []byte
}

func (e *entry) end() uint64 { return e.first + uint64(e.count) }

// cost is what the entry holds in memory. Behind the records there may be room of the same slice.
func (e *entry) cost() int64 { return int64(cap(e.records)) + entryOverhead }

// NewHub returns a Hub that keeps at most so many bytes: 0 or less means DefaultRing, and at least it is MinRing.
func NewHub(bytes int64) *Hub {
	if bytes <= 0 {
		bytes = DefaultRing
	}
	return &Hub{limit: max(bytes, MinRing)}
}

// begin tells an unused Hub the id of the next record.
func (h *Hub) begin(next uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = max(h.next, next)
}

// Publish adds the count records from firstID on, in the form of a batch, and removes the oldest ones that there is
// no more room for. It is the store's OnCommit: called in the order of ids, after the sync. The records are kept, and
// must not change any more. It does not block.
func (h *Hub) Publish(firstID uint64, count int, records []byte) {
	e := entry{firstID, count, records}
	h.mu.Lock()
	defer h.mu.Unlock()
	if firstID != h.next {
		h.dropLocked(len(h.entries)) // Ids in the ring have no gap; tails are told of those that it does not have.
	}
	h.next = e.end()
	h.entries = append(h.entries, e)
	h.bytes += e.cost()
	n := h.gone
	for over := h.bytes - h.limit; over > 0; n++ {
		over -= h.entries[n].cost()
	}
	h.dropLocked(n)
	if h.news != nil {
		close(h.news)
		h.news = nil
	}
}

// dropLocked removes the entries before the nth. Their places are used again once they are half of all.
func (h *Hub) dropLocked(n int) {
	for ; h.gone < n; h.gone++ {
		h.bytes -= h.entries[h.gone].cost()
		h.entries[h.gone] = entry{}
	}
	if h.gone*2 >= len(h.entries) {
		kept := copy(h.entries, h.entries[h.gone:])
		clear(h.entries[kept:])
		h.entries, h.gone = h.entries[:kept], 0
	}
}

// oldestLocked returns the first id that the ring has, or the next one if it is empty.
func (h *Hub) oldestLocked() uint64 {
	if h.gone < len(h.entries) {
		return h.entries[h.gone].first
	}
	return h.next
}

// covers reports whether a tail that wants id next misses nothing if it lives from the ring.
func (h *Hub) covers(id uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return id >= h.oldestLocked()
}

// nextID returns the id after the last one that was published.
func (h *Hub) nextID() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next
}

// glance is what a Hub knows of an id.
type glance struct {
	// entry has the id, if found.
	entry entry
	found bool
	// next is the id after the last one. If it is above the one that was not found, that has been overtaken.
	next uint64
	// news is closed when there is more. It is nil unless the id is yet to come.
	news <-chan struct{}
}

// look looks for id.
func (h *Hub) look(id uint64) glance {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := glance{next: h.next}
	if id >= h.next {
		if h.news == nil {
			h.news = make(chan struct{})
		}
		g.news = h.news
		return g
	}
	if id < h.oldestLocked() {
		return g
	}
	kept := h.entries[h.gone:]
	g.entry, g.found = kept[sort.Search(len(kept), func(i int) bool { return kept[i].end() > id })], true
	return g
}
