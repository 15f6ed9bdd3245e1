package logwire

// Stats is the answer of TaskStats, after StatusOK: one JSON document.
type Stats struct {
	// NextID is the id that the next record will get; ids begin at 1.
	NextID uint64 `json:"next_id"`
	// FirstID is the id of the oldest record that is kept.
	FirstID uint64 `json:"first_id"`
	// Records is the number of records that are kept, and Unsealed those of them that are not in a block yet.
	Records  int64 `json:"records"`
	Unsealed int64 `json:"unsealed"`
	// Blocks is the number of sealed blocks, and BlockBytes their size on disk.
	Blocks     int64 `json:"blocks"`
	BlockBytes int64 `json:"block_bytes"`
	// RawBytes is the size of the sealed records before they were compressed.
	RawBytes int64 `json:"raw_bytes"`
	// Days is the number of directories.
	Days int `json:"days"`
	// Producers is the number of producers with a mark.
	Producers int64 `json:"producers"`
	// ReadOnly says why no records are taken; empty: they are.
	ReadOnly string `json:"read_only,omitempty"`
	// FreeBytes is the free space of the file system.
	FreeBytes int64 `json:"free_bytes"`
	// Corrupt is the number of blocks that were found damaged since the start.
	Corrupt int64 `json:"corrupt"`

	// The following count since the process started. Appended are records stored, Repeated batches that had been stored
	// before, Refused batches that were invalid, Gaps those out of sequence, Busy calls refused for load.
	Appended int64 `json:"appended"`
	Batches  int64 `json:"batches"`
	Commits  int64 `json:"commits"`
	Repeated int64 `json:"repeated"`
	Refused  int64 `json:"refused"`
	Gaps     int64 `json:"gaps"`
	Busy     int64 `json:"busy"`
	// Expired are records that retention has removed.
	Expired int64 `json:"expired"`
	Queries int64 `json:"queries"`
	// Tails is the number of tails now, and Missed how many records tails were told that they had missed.
	Tails  int64 `json:"tails"`
	Missed int64 `json:"missed"`
	// UptimeSeconds is how long the process has run.
	UptimeSeconds float64 `json:"uptime_seconds"`
}
