package serial_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

func TestErrorMessage(t *testing.T) {
	for want, err := range map[string]error{
		"overflow at 7 (serial: error 10)":      serial.Errorf(10, "overflow at %d", 7),
		"queue full (serial: error 252 (busy))": &serial.Error{Code: serial.ErrorBusy, Err: errors.New("queue full")},
		"serial: error 252 (busy)":              &serial.Error{Code: serial.ErrorBusy},
		"serial: error 0":                       new(serial.Error),
	} {
		require.EqualError(t, err, want)
	}
}

func TestErrorfWraps(t *testing.T) {
	err := serial.Errorf(serial.ErrorDenied, "opening %s: %w", "x", fs.ErrPermission)
	require.EqualError(t, err, "opening x: permission denied (serial: error 255 (denied))")
	require.ErrorIs(t, err, fs.ErrPermission)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, errors.Unwrap(&serial.Error{Code: 1}))
}

// TestErrorCoderIsFound: as the server looks for it, under any number of wrappers.
func TestErrorCoderIsFound(t *testing.T) {
	base := serial.Errorf(10, "overflow")
	for name, err := range map[string]error{
		"itself":     base,
		"wrapped":    fmt.Errorf("task: %w", base),
		"twice":      fmt.Errorf("a: %w", fmt.Errorf("b: %w", base)),
		"joined":     errors.Join(errBoom, base),
		"outer wins": serial.Errorf(10, "again: %w", serial.Errorf(11, "first")),
	} {
		var coder serial.ErrorCoder
		require.ErrorAs(t, err, &coder, name)
		require.Equal(t, serial.ErrorCode(10), coder.ErrorCode(), name)
		var typed *serial.Error
		require.ErrorAs(t, err, &typed, name)
		require.Equal(t, serial.ErrorCode(10), typed.Code, name)
	}
	var coder serial.ErrorCoder
	require.False(t, errors.As(errBoom, &coder))
}
