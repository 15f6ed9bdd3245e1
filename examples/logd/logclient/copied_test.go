package logclient_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
)

// copyOf returns a disk with the same files.
func copyOf(disk *files.Mem) *files.Mem {
	other := files.NewMem(-1)
	for name, data := range disk.Bytes() {
		other.Put(name, slices.Clone(data))
	}
	return other
}

// life is that of a program with a spool on disk, which logs n messages. It ends when they are acknowledged, or spooled if the collector is away.
func life(t *testing.T, f *fake, disk *files.Mem, from, n int, away bool) []string {
	f.set(func() { f.away = away })
	c := newClient(t, f, spooled(disk))
	messages := logAll(t, c, from, n)
	if !away {
		require.NoError(t, c.Sync(context.Background()))
	}
	left := finish(t, c)
	require.Equal(t, away, left.Spooled > 0)
	return messages
}

// Programs that begin with copies of one spool, because it was in the image that they were made from, are the same producer at first, each with
// batches of its own. Nothing of them may be acknowledged as known: not while they run, and not from their spools after another start.
func TestCopiedSpool(t *testing.T) {
	for _, away := range []bool{false, true} {
		t.Run(fmt.Sprint(away), func(t *testing.T) {
			run(t, func(t *testing.T, f *fake) {
				original := files.NewMem(-1)
				want := life(t, f, original, 0, 5, false)
				for i := range 3 {
					disk := copyOf(original)
					want = append(want, life(t, f, disk, 100*(i+1), 20, away)...)
					life(t, f, disk, 0, 0, false)
				}
				require.Equal(t, want, f.messages())
			})
		})
	}
}
