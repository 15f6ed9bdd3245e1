package logclient

// Ledger is what became of all records, at one moment. At every moment
//
//	Accepted + Recovered = Acknowledged + Dropped.Total() + Memory + Spooled
type Ledger struct {
	// Accepted is how many records were given to Log, also those that it refused.
	Accepted uint64
	// Recovered is how many New found in the spool. Some may have been stored before, if the process did not end by Close;
	// the collector stores them once.
	Recovered uint64
	// Acknowledged is how many the collector has stored, and said so.
	Acknowledged uint64
	// Dropped is how many are lost, by reason.
	Dropped Drops
	// Memory is how many wait in memory, those on their way to the collector among them.
	Memory uint64
	// Spooled is how many wait in the spool. They survive a crash.
	Spooled uint64

	// UnknownLosses is at how many places of the spool New has found what cannot be read and nothing that says how
	// many records it was. They are in no other number.
	UnknownLosses int
	// MemoryBytes and SpoolBytes are what the waiting records take, SpoolBytes until their segment is removed.
	MemoryBytes, SpoolBytes int64
	// Connections is how many connections were made, Batches how many batches were sent, again or for the first
	// time, Repeated how many of these the collector had already, and Renumbered how often batches had to be
	// numbered anew, see docs/client.md.
	Connections, Batches, Repeated, Renumbered uint64
	// Connected is true while there is a connection. Away is true from a failure to reach the collector
	// until it acknowledges something.
	Connected, Away bool
}

// Pending is how many records wait.
func (l Ledger) Pending() uint64 { return l.Memory + l.Spooled }

// Drops counts lost records by reason.
type Drops struct {
	// QueueFull: there was no room in memory, and no spool.
	QueueFull uint64
	// SpoolFull: there was no room in memory, and the spool was full or could not be written; or the spool's oldest
	// segment was dropped.
	SpoolFull uint64
	// Invalid: over a limit, or malformed; Log has said so.
	Invalid uint64
	// Rejected: the collector refused the record for ever, for its time for instance.
	Rejected uint64
	// Corrupt: damaged in the spool.
	Corrupt uint64
	// Closed: logged after Close, or in memory when Close ended, and neither delivered nor spooled.
	Closed uint64
}

// Total is the sum of all reasons.
func (d Drops) Total() uint64 {
	return d.QueueFull + d.SpoolFull + d.Invalid + d.Rejected + d.Corrupt + d.Closed
}

// Left is what Close has left.
type Left struct {
	// Spooled is how many records are in the spool. The next Client with it delivers them.
	Spooled uint64
	// Dropped is how many Close has dropped, because they were in memory and there was no time, no collector, and no
	// spool or no room in it.
	Dropped uint64
	// Ledger is the last one. Its Memory is 0.
	Ledger Ledger
}
