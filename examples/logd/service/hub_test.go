package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/serialkit/serialkit/examples/logd/service"
)

// The ring has the latest entries that its bytes have room for, whatever was published.
func TestHubHasTheLatest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type published struct {
			first   uint64
			count   int
			records []byte
		}
		limit := rapid.Int64Range(1, 20_000).Draw(rt, "limit")
		hub := service.NewSmallHub(limit)
		next := rapid.Uint64Range(1, 100).Draw(rt, "next")
		hub.Begin(next)
		var all []published
		for range rapid.IntRange(0, 100).Draw(rt, "publications") {
			if rapid.IntRange(0, 20).Draw(rt, "gap") == 0 {
				next += 7
				all = nil
			}
			p := published{next, rapid.IntRange(1, 9).Draw(rt, "count"), make([]byte, rapid.IntRange(1, 5000).Draw(rt, "bytes"))}
			news := hub.News(next)
			require.NotNil(rt, news)
			hub.Publish(p.first, p.count, p.records)
			select {
			case <-news:
			default:
				rt.Fatal("nobody was told")
			}
			all = append(all, p)
			next += uint64(p.count)

			room, oldest := limit, next
			for i := len(all) - 1; i >= 0; i-- {
				if room -= int64(cap(all[i].records)) + service.EntryOverhead; room < 0 {
					break
				}
				oldest = all[i].first
				for id := all[i].first; id < all[i].first+uint64(all[i].count); id++ {
					records, first := hub.Records(id)
					require.Equal(rt, all[i].first, first)
					require.Same(rt, &all[i].records[0], &records[0])
				}
			}
			bytes, gotOldest, gotNext := hub.Ring()
			require.Equal(rt, oldest, gotOldest)
			require.Equal(rt, next, gotNext)
			require.LessOrEqual(rt, bytes, limit)
			for _, gone := range []uint64{oldest - 1, next} {
				records, _ := hub.Records(gone)
				require.Nil(rt, records)
			}
			require.Nil(rt, hub.News(oldest-1))
		}
	})
}
