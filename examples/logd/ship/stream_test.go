package ship_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/ship"
)

func TestAStreamIsShippedAsItComes(t *testing.T) { synctest.Test(t, testStream) }

func testStream(t *testing.T) {
	var o oracle
	p := &process{o: &o, saved: new(savedState), left: forever}
	r, w := io.Pipe()
	done := make(chan error)
	var report ship.Report
	go func() {
		var err error
		report, err = ship.Stream(t.Context(), "-", r, p, options())
		done <- err
	}()
	io.WriteString(w, "one\ntwo\nthr")
	synctest.Wait()
	require.Equal(t, []string{"one", "two"}, o.all())
	io.WriteString(w, "ee\n")
	synctest.Wait()
	require.Equal(t, []string{"one", "two", "three"}, o.all())
	io.WriteString(w, "\n")
	io.WriteString(w, "four")
	require.NoError(t, w.Close())
	require.NoError(t, <-done)
	require.Equal(t, []string{"one", "two", "three", "four"}, o.all())
	require.Equal(t, ship.Report{Path: "-", Bytes: 19, Lines: 5, Blank: 1, Acknowledged: 4}, report)

	text, want := numbered("a", 0, 100)
	o.stored = nil
	_, err := ship.Stream(t.Context(), "-", strings.NewReader(text), p, options())
	require.NoError(t, err)
	require.Equal(t, want, o.stored)
	require.Len(t, o.marks, 2, "each stream is a producer of its own")
}
