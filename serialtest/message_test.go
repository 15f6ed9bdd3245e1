package serialtest_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

func TestReadMessage(t *testing.T) {
	for wire, want := range map[string]struct {
		message string // as JSON
		err     error
	}{
		"":                       {"{}", io.EOF},
		"\x00\x02hi\x00":         {`{"ok":"6869"}`, nil},
		"\x00\x01h\x01i\x00\x00": {`{"ok":"6869"}`, nil},
		"\x00\x00":               {`{"ok":""}`, nil},
		"\x00\x02hi":             {`{"cut":"6869"}`, nil},
		"\x00\x02h":              {`{"cut":"68"}`, nil},
		"\x00":                   {`{"cut":""}`, nil},
		"\x01\x07":               {`{"error":7}`, nil},
		"\x01":                   {"{}", io.ErrUnexpectedEOF},
		"\x02":                   {`{"goodbye":true}`, nil},
	} {
		for name, r := range map[string]io.Reader{
			"whole":   strings.NewReader(wire),
			"by byte": iotest.OneByteReader(strings.NewReader(wire)),
		} {
			m, err := serialtest.ReadMessage(bufio.NewReader(r))
			require.Equal(t, want.message, m.String(), "%x, %s", wire, name)
			require.Equal(t, want.err, err, "%x, %s", wire, name)
		}
	}
	_, err := serialtest.ReadMessage(bufio.NewReader(bytes.NewReader([]byte{3})))
	require.ErrorContains(t, err, "response code 3")
	_, err = serialtest.ReadMessage(bufio.NewReader(iotest.ErrReader(iotest.ErrTimeout)))
	require.Equal(t, iotest.ErrTimeout, err)
	_, err = serialtest.ReadMessage(bufio.NewReader(io.MultiReader(strings.NewReader("\x01"), iotest.ErrReader(iotest.ErrTimeout))))
	require.Equal(t, iotest.ErrTimeout, err)
}
