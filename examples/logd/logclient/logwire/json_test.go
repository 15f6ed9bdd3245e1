package logwire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// What JSON readers show is what was sent: nothing is escaped for HTML. Controls are escaped wherever they are.
func TestAppendJSON(t *testing.T) {
	const odd = "<a href=\"x\">&é\u2028\x00\x1b[31m\n\x7f\u0080\u009b31m\u009f\u00a0\U0001F600"
	const escaped = `<a href=\"x\">&é\u2028\u0000\u001b[31m\n\u007f\u0080\u009b31m\u009f` + "\u00a0\U0001F600"
	r := logwire.Record{Time: 1, Level: logwire.Info, Service: "s", Message: odd, Fields: []logwire.Field{
		{Key: "k\u0085", Kind: logwire.String, Value: "<\u0085>"},
		{Key: "j", Kind: logwire.JSON, Value: "{ \"<\u0085>\": [1, 2.50] }"},
	}}
	var v logwire.View
	require.NoError(t, logwire.ParseRecord(logwire.AppendRecord(nil, &r), &v))
	const before = "before \u0085 "
	got := string(v.AppendJSON([]byte(before), 7))
	require.Equal(t, before+`{"id":7,"time":"1970-01-01T00:00:00.000000001Z","level":"info","service":"s","host":"","message":"`+escaped+
		`","fields":{"k\u0085":"<\u0085>","j":{"<\u0085>":[1,2.50]}}}`, got)
	var back struct {
		Message string
		Fields  map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(got[len(before):]), &back))
	require.Equal(t, odd, back.Message)
	require.Equal(t, "<\u0085>", back.Fields["k\u0085"])
}
