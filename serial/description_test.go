package serial_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

// TestDescription is the example of docs/protocol.md, "Describe".
func TestDescription(t *testing.T) {
	const document = `{
	  "server": "example",
	  "limits": {
	    "wait_ms": 1800000, "read_ms": 5000, "write_ms": 5000,
	    "min_rate_bytes_per_second": 64, "min_rate_window_ms": 10000
	  },
	  "tasks": [
	    {"code": 1, "name": "echo", "limits": {"unread_input_bytes": 262144, "message_ms": 3600000, "task_ms": 86400000}}
	  ]
	}`
	description := serial.Description{
		Server: "example",
		Limits: serial.Limits{
			WaitMillis: 1800000, ReadMillis: 5000, WriteMillis: 5000,
			MinRate: 64, MinRateWindowMillis: 10000,
		},
		Tasks: []serial.TaskDescription{
			{Code: 1, Name: "echo", Limits: serial.TaskLimits{UnreadInput: 262144, MessageMillis: 3600000, TaskMillis: 86400000}},
		},
	}
	encoded, err := json.Marshal(description)
	require.NoError(t, err)
	require.JSONEq(t, document, string(encoded))

	var decoded serial.Description
	require.NoError(t, json.Unmarshal([]byte(document), &decoded))
	require.Equal(t, description, decoded)
	require.NoError(t, json.Unmarshal([]byte(`{"server": "newer", "unknown": {"to": "us"}}`), &decoded))
	require.Equal(t, "newer", decoded.Server)
}
