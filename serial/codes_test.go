package serial_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

// TestCodeValues: the wire is for ever.
func TestCodeValues(t *testing.T) {
	for want, code := range map[byte]serial.TaskCode{
		250: serial.TaskKeepAlive, 251: serial.TaskDescribe, 252: serial.TaskCancel, 255: serial.TaskDisconnect,
	} {
		require.Equal(t, serial.TaskCode(want), code)
	}
	for want, code := range map[byte]serial.ResponseCode{
		0: serial.ResponseOK, 1: serial.ResponseError, 2: serial.ResponseGoodbye, 3: serial.ResponseProcessing,
	} {
		require.Equal(t, serial.ResponseCode(want), code)
	}
	for want, code := range map[byte]serial.ErrorCode{
		250: serial.ErrorUnknownTask, 251: serial.ErrorTooLarge, 252: serial.ErrorBusy,
		253: serial.ErrorCancelled, 254: serial.ErrorDeadlineExceeded, 255: serial.ErrorDenied,
	} {
		require.Equal(t, serial.ErrorCode(want), code)
	}
	require.Equal(t, 255, serial.MaxBlock)
}

func TestCodeStrings(t *testing.T) {
	tasks := map[int]string{
		250: "250 (KeepAlive)", 251: "251 (Describe)", 252: "252 (Cancel)", 255: "255 (Disconnect)",
	}
	responses := map[int]string{0: "0 (OK)", 1: "1 (Error)", 2: "2 (Goodbye)", 3: "3 (Processing)"}
	errorCodes := map[int]string{
		250: "250 (unknown task)", 251: "251 (too large)", 252: "252 (busy)",
		253: "253 (cancelled)", 254: "254 (deadline exceeded)", 255: "255 (denied)",
	}
	for i := range 256 {
		require.Equal(t, nameOrDecimal(tasks, i), serial.TaskCode(i).String())
		require.Equal(t, nameOrDecimal(responses, i), serial.ResponseCode(i).String())
		require.Equal(t, nameOrDecimal(errorCodes, i), serial.ErrorCode(i).String())
	}
}

func nameOrDecimal(names map[int]string, code int) string {
	if name, ok := names[code]; ok {
		return name
	}
	return strconv.Itoa(code)
}

func TestIsReserved(t *testing.T) {
	for i := range 256 {
		require.Equal(t, i > 249, serial.TaskCode(i).IsReserved(), i)
	}
}
