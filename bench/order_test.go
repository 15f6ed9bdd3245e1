package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestObey(t *testing.T) {
	handlers := map[string]handler{
		"count": func(o order) (result, error) { return result{Tasks: int64(o.Conns), Elapsed: time.Second}, nil },
		"fail":  func(order) (result, error) { return result{}, errors.New("broken") },
		"lack":  func(order) (result, error) { return result{}, errNotOffered },
	}
	in := strings.NewReader(`{"do":"count","conns":3}{"do":"fail"}{"do":"lack"}{"do":"dance"}`)
	var out bytes.Buffer
	require.NoError(t, obey(in, &out, handlers))

	var got []result
	for d := json.NewDecoder(&out); d.More(); {
		var r result
		require.NoError(t, d.Decode(&r))
		got = append(got, r)
	}
	require.Equal(t, []result{
		{Tasks: 3, Elapsed: time.Second},
		{Err: "broken"},
		{Err: errNotOffered.Error(), NotOffered: true},
		{Err: `unknown order "dance"`},
	}, got)
}

func TestObeyEndsAtWhatIsNoOrder(t *testing.T) {
	require.Error(t, obey(strings.NewReader("dance"), new(bytes.Buffer), nil))
}
