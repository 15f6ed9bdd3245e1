package service

// NewSmallHub returns a Hub of any size.
func NewSmallHub(bytes int64) *Hub { return &Hub{limit: bytes} }

// EntryOverhead is what an entry costs beside its records.
const EntryOverhead = entryOverhead

// Ring returns what the hub holds, and the ids that it has.
func (h *Hub) Ring() (bytes int64, oldest, next uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bytes, h.oldestLocked(), h.next
}

// Records returns the records of the entry that has id, nil if there is none, and the id of its first one.
func (h *Hub) Records(id uint64) (records []byte, first uint64) {
	g := h.look(id)
	return g.entry.records, g.entry.first
}

// News returns what is closed when id is there, nil if it is.
func (h *Hub) News(id uint64) <-chan struct{} { return h.look(id).news }

// Begin is begin.
func (h *Hub) Begin(next uint64) { h.begin(next) }

// Chunk is chunk.
const Chunk = chunk
