package serialtest

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/serialkit/serialkit/serial"
)

// Vector is a golden transcript of one connection to the reference daemon, examples/interop. The
// same transcripts are for the tests of every language; docs/protocol.md, "Conformance", specifies
// them and their file, testdata/vectors.json.
type Vector struct {
	// Name and About are for people. Names are unique.
	Name  string `json:"name"`
	About string `json:"about"`
	// Order is the byte order of the daemon: "big" or "little".
	Order string `json:"order"`
	// Send is what the client sends: one request, or several.
	Send Hex `json:"send"`
	// Receive is what a server answers, its answers in full blocks.
	Receive Hex `json:"receive"`
	// End is what comes after Receive: "open", "goodbye" or "cut".
	End string `json:"end"`
	// Messages is what a client makes of Receive.
	Messages []Message `json:"messages"`
}

// Message is one response. One of its fields is set.
type Message struct {
	// OK is the answer of a response that is complete.
	OK *Hex `json:"ok,omitempty"`
	// Error is the code of an Error response.
	Error *serial.ErrorCode `json:"error,omitempty"`
	// Goodbye is true for a Goodbye.
	Goodbye bool `json:"goodbye,omitempty"`
	// Cut is what came of an answer that broke off, or empty if none had begun.
	Cut *Hex `json:"cut,omitempty"`
}

// String returns the message as in the file.
func (m Message) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Hex is a byte slice that is hexadecimal in JSON.
type Hex []byte

// MarshalText implements encoding.TextMarshaler.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

//go:embed testdata/vectors.json
var vectors []byte

// Vectors returns all golden transcripts. They are the caller's.
func Vectors() []Vector {
	var v []Vector
	if err := json.Unmarshal(vectors, &v); err != nil {
		panic(fmt.Sprintf("serialtest: vectors.json: %v", err)) // tested: cannot happen
	}
	return v
}

// ReadMessage reads one response from what a server sends. At the end of the connection it returns
// io.EOF. If that comes within an OK answer it returns a Cut message and no error, and within an Error
// io.ErrUnexpectedEOF. Other bytes than a response's are an error.
func ReadMessage(r interface {
	io.Reader
	serial.Source
}) (Message, error) {
	var code [1]byte
	if _, err := io.ReadFull(r, code[:]); err != nil {
		return Message{}, err
	}
	switch serial.ResponseCode(code[0]) {
	case serial.ResponseOK:
		return readAnswer(r)
	case serial.ResponseError:
		if _, err := io.ReadFull(r, code[:]); err == io.EOF {
			return Message{}, io.ErrUnexpectedEOF
		} else if err != nil {
			return Message{}, err
		}
		e := serial.ErrorCode(code[0])
		return Message{Error: &e}, nil
	case serial.ResponseGoodbye:
		return Message{Goodbye: true}, nil
	}
	return Message{}, fmt.Errorf("serialtest: response code %v", serial.ResponseCode(code[0]))
}

func readAnswer(r serial.Source) (Message, error) {
	var blocks serial.Reader
	blocks.Reset(r)
	b, err := io.ReadAll(&blocks)
	h := Hex(b)
	switch err {
	case nil:
		return Message{OK: &h}, nil
	case io.ErrUnexpectedEOF:
		return Message{Cut: &h}, nil
	}
	return Message{}, err
}
