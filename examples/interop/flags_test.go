package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

func TestFlagsSetTheConfig(t *testing.T) {
	tests := []struct {
		args string
		want config
	}{
		{"", config{
			addr:    "127.0.0.1:0",
			order:   binary.BigEndian,
			timeout: serialserver.Timeout{Wait: 30 * time.Minute, Read: 5 * time.Second, Write: 5 * time.Second},
			grace:   5 * time.Second,
		}},
		{"-addr :1234 -order little -wait 1h -read 2s -write 3s -grace 4s -v", config{
			addr:    ":1234",
			order:   binary.LittleEndian,
			timeout: serialserver.Timeout{Wait: time.Hour, Read: 2 * time.Second, Write: 3 * time.Second},
			grace:   4 * time.Second,
			verbose: true,
		}},
	}
	for _, test := range tests {
		var stderr bytes.Buffer
		got, err := parseFlags(strings.Fields(test.args), &stderr)
		require.NoError(t, err)
		require.Equal(t, test.want, got)
		require.Empty(t, stderr.String())
	}
}

func TestBadFlags(t *testing.T) {
	tests := []struct {
		args string
		code int
		says string
	}{
		{"-order middle", exitUsage, "neither big nor little"},
		{"-order", exitUsage, "needs an argument"},
		{"-wait soon", exitUsage, "invalid value"},
		{"-read 5", exitUsage, "invalid value"},
		{"-write x", exitUsage, "invalid value"},
		{"-grace x", exitUsage, "invalid value"},
		{"-addr nonsense", exitUsage, "missing port"},
		{"-nonsense", exitUsage, "not defined"},
		{"nonsense", exitUsage, "unexpected argument"},
		{"-h", 0, "Usage of interop"},
	}
	for _, test := range tests {
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), strings.Fields(test.args), &stdout, &stderr)
		require.Equal(t, test.code, code, test.args)
		require.Contains(t, stderr.String(), test.says, test.args)
		require.Empty(t, stdout.String(), test.args)
	}
}
