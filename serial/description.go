package serial

// Description is the JSON document that answers TaskDescribe (docs/protocol.md, "Describe").
// Fields may be added to it; a client ignores those it does not know.
type Description struct {
	// Server is the name that the server was given, "" if none.
	Server string `json:"server"`
	// Limits hold for the connection that asked.
	Limits Limits `json:"limits"`
	// Tasks are the registered tasks by ascending code. On the wire it is a list, also where it is
	// empty.
	Tasks []TaskDescription `json:"tasks"`
}

// TaskDescription is one registered task.
type TaskDescription struct {
	Code   TaskCode   `json:"code"`
	Name   string     `json:"name"`
	Limits TaskLimits `json:"limits"`
}

// Limits are a server's limits. 0 means that there is none.
type Limits struct {
	// WaitMillis, ReadMillis and WriteMillis are the three timeouts in milliseconds, rounded up.
	WaitMillis  int64 `json:"wait_ms"`
	ReadMillis  int64 `json:"read_ms"`
	WriteMillis int64 `json:"write_ms"`
	// MinRate is the least bytes per second at which a peer must take or give data while the
	// server is blocked on it, measured over MinRateWindowMillis.
	MinRate             int64 `json:"min_rate_bytes_per_second"`
	MinRateWindowMillis int64 `json:"min_rate_window_ms"`
}

// TaskLimits are the limits of one task.
type TaskLimits struct {
	// UnreadInput is how many bytes of a message the server discards, when the task did not read
	// them, before it says Goodbye instead; with 0 it discards none.
	UnreadInput int64 `json:"unread_input_bytes"`
	// MessageMillis is for how many milliseconds, rounded up, the server waits in all for the bytes of one
	// message, and again for its answer to be taken. 0: there is no limit.
	MessageMillis int64 `json:"message_ms"`
	// TaskMillis is how many milliseconds, rounded up, the task may take. 0: there is no limit.
	TaskMillis int64 `json:"task_ms"`
	// MinRate and MinRateWindowMillis hold for the task in place of those in Limits; nil: it has none of its own.
	// A MinRate of 0: there is no minimum for it.
	MinRate             *int64 `json:"min_rate_bytes_per_second,omitempty"`
	MinRateWindowMillis *int64 `json:"min_rate_window_ms,omitempty"`
}
