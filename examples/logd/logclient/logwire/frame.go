package logwire

import (
	"encoding/binary"
	"encoding/json"
	"io"
)

// FrameKind is the first byte of a frame. The answers of TaskQuery and TaskTail are StatusOK and frames.
type FrameKind uint8

const (
	// FrameRecord is a record: its id (8), its length (4), and itself.
	FrameRecord FrameKind = 1
	// FrameEnd ends a query: a length (4) and that much JSON, see End. Without it the answer is not complete.
	FrameEnd FrameKind = 2
	// FrameMissed tells a tail that it was too slow: the number of records that were passed over without being looked
	// at (8), and the id (8) of the one it goes on with.
	FrameMissed FrameKind = 3
	// FramePosition tells a tail how far it is: the id (8) of the next record that is looked at. It is the cursor
	// to go on with after the connection has failed, and a sign of life.
	FramePosition FrameKind = 4
)

// MaxEnd bounds the JSON of a FrameEnd: 64 KiB.
const MaxEnd = 64 << 10

// Frame is one decoded frame.
type Frame struct {
	// Kind says which of the other fields are set.
	Kind FrameKind
	// ID is that of the record, or of the next one that is looked at.
	ID uint64
	// Record is valid until the next call to FrameReader.Next.
	Record []byte
	// Missed is the number of records that were passed over.
	Missed uint64
	// End is the end of a query.
	End *End
}

// End is what a query says at its end.
type End struct {
	// Cursor is where to go on, 0 if there is nothing more.
	Cursor uint64 `json:"cursor"`
	// Reason is why the query ended: "end" (everything was looked at), "limit", "time", "bytes" or "error".
	Reason string `json:"reason"`
	// Error says what went wrong; then the records before may not be all.
	Error string `json:"error,omitempty"`
	// Plan says what was done.
	Plan Plan `json:"plan"`
}

// Plan is what a query did.
type Plan struct {
	// Blocks is the number of sealed blocks in range of the cursor.
	Blocks int `json:"blocks"`
	// SkippedTime, SkippedLevel, SkippedService and SkippedTokens are those that the skip index ruled out, by
	// what it ruled them out first.
	SkippedTime    int `json:"skipped_time"`
	SkippedLevel   int `json:"skipped_level"`
	SkippedService int `json:"skipped_service"`
	SkippedTokens  int `json:"skipped_tokens"`
	// Read is the number of blocks that were read, and ReadBytes their size on disk.
	Read      int   `json:"read"`
	ReadBytes int64 `json:"read_bytes"`
	// Corrupt is the number of blocks that could not be read, and Lost the number of records in them.
	Corrupt int   `json:"corrupt"`
	Lost    int64 `json:"lost"`
	// Scanned is the number of records that were looked at, Matched those that were returned, and Unsealed those
	// of Scanned that were not in a block yet.
	Scanned  int64 `json:"scanned"`
	Matched  int64 `json:"matched"`
	Unsealed int64 `json:"unsealed"`
	// Nanoseconds is what it took.
	Nanoseconds int64 `json:"ns"`
}

// AppendRecordFrame appends the frame of an encoded record.
func AppendRecordFrame(dst []byte, id uint64, record []byte) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, byte(FrameRecord)), id)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(record)))
	return append(dst, record...)
}

// AppendMissedFrame appends a frame that tells of missed records.
func AppendMissedFrame(dst []byte, missed, next uint64) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, byte(FrameMissed)), missed)
	return binary.BigEndian.AppendUint64(dst, next)
}

// AppendPositionFrame appends a frame with a tail's position.
func AppendPositionFrame(dst []byte, next uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, byte(FramePosition)), next)
}

// AppendEndFrame appends the end of a query. An error text that would make it too long is cut.
func AppendEndFrame(dst []byte, end End) []byte {
	const most = 4096
	end.Error = end.Error[:min(len(end.Error), most)]
	b, err := json.Marshal(end)
	if err != nil { // End has no field that can fail.
		panic(err)
	}
	dst = binary.BigEndian.AppendUint32(append(dst, byte(FrameEnd)), uint32(len(b)))
	return append(dst, b...)
}

// FrameReader reads the frames behind StatusOK.
type FrameReader struct {
	r   io.Reader
	buf []byte
}

// NewFrameReader returns a reader of frames from r, which it reads in small parts: r should have a buffer.
func NewFrameReader(r io.Reader) *FrameReader { return &FrameReader{r: r} }

// Next returns the next frame. io.EOF is the end of the answer between two frames, io.ErrUnexpectedEOF within one;
// a frame that means nothing is a *FieldError with the field "frame".
func (f *FrameReader) Next() (Frame, error) {
	var head [1 + 8 + 8]byte
	if _, err := io.ReadFull(f.r, head[:1]); err != nil {
		return Frame{}, err
	}
	frame := Frame{Kind: FrameKind(head[0])}
	switch frame.Kind {
	case FrameRecord:
		if err := f.full(head[1:13]); err != nil {
			return Frame{}, err
		}
		frame.ID = binary.BigEndian.Uint64(head[1:])
		err := f.body(binary.BigEndian.Uint32(head[9:]), MaxRecord)
		frame.Record = f.buf
		return frame, err
	case FrameEnd:
		if err := f.full(head[1:5]); err != nil {
			return Frame{}, err
		}
		if err := f.body(binary.BigEndian.Uint32(head[1:]), MaxEnd); err != nil {
			return Frame{}, err
		}
		frame.End = new(End)
		if err := json.Unmarshal(f.buf, frame.End); err != nil {
			return Frame{}, fail(ErrMalformed, "frame", "end: %v", err)
		}
		return frame, nil
	case FrameMissed:
		err := f.full(head[1:17])
		frame.Missed, frame.ID = binary.BigEndian.Uint64(head[1:]), binary.BigEndian.Uint64(head[9:])
		return frame, err
	case FramePosition:
		err := f.full(head[1:9])
		frame.ID = binary.BigEndian.Uint64(head[1:])
		return frame, err
	default:
		return Frame{}, fail(ErrMalformed, "frame", "kind %d", head[0])
	}
}

func (f *FrameReader) body(n uint32, limit int) error {
	if n > uint32(limit) {
		return fail(ErrTooLarge, "frame", "%d, and the limit is %d", n, limit)
	}
	if cap(f.buf) < int(n) {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:n]
	return f.full(f.buf)
}

// full is io.ReadFull within a frame.
func (f *FrameReader) full(b []byte) error {
	_, err := io.ReadFull(f.r, b)
	if err == io.EOF && len(b) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}
