package store

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

var flips = flag.Int("flips", 160, "how many bits are flipped in the files of a store")

// readFile returns the bytes of a file.
func readFile(t testing.TB, fs vfs.FS, name string) []byte {
	t.Helper()
	info, err := fs.Stat(name)
	require.NoError(t, err)
	f, err := fs.Open(name)
	require.NoError(t, err)
	defer f.Close()
	b := make([]byte, info.Size())
	if len(b) > 0 {
		_, err = f.ReadAt(b, 0)
		require.NoError(t, err)
	}
	return b
}

func writeFile(t testing.TB, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Create(name, writeCategory)
	require.NoError(t, err)
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
}

func TestADamagedBlockIsReportedAndTheOthersAreServed(t *testing.T) {
	for name, damage := range map[string]func(fs vfs.FS, file string, b []byte, at *blockAt){
		"records": func(fs vfs.FS, file string, b []byte, at *blockAt) {
			b[at.offset+uint64(at.bloomLen)] ^= 1
			writeFile(t, fs, file, b)
		},
		"filter": func(fs vfs.FS, file string, b []byte, at *blockAt) {
			b[at.offset] ^= 0x80
			writeFile(t, fs, file, b)
		},
		"short":   func(fs vfs.FS, file string, b []byte, at *blockAt) { writeFile(t, fs, file, b[:len(b)-1]) },
		"missing": func(fs vfs.FS, file string, _ []byte, _ *blockAt) { require.NoError(t, fs.Remove(file)) },
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			s := open(t, fs, nil)
			for sequence := range uint64(3) { // a file each, of two blocks: 7 records and 3
				mustAppend(t, s, batch(1, 1, sequence+1, 10))
				require.NoError(t, s.Seal(context.Background()))
			}
			pieces, err := s.pieces(18, false)
			require.NoError(t, err)
			at := pieces[0].block
			require.Equal(t, Range{18, 21}, at.ids())
			file := s.filePath(at.day, at.file)
			damage(fs, file, readFile(t, fs, file), at)

			lost := 3
			if name == "missing" {
				lost = 10
			}
			for _, text := range []string{"", "n>=0"} { // the second one needs the filter
				if name == "filter" && text == "" {
					continue
				}
				var g got
				end := s.Query(context.Background(), parse(t, text), logwire.QueryRequest{}, g.emit)
				require.Equal(t, "end", end.Reason)
				require.Equal(t, int64(lost), end.Plan.Lost)
				require.Len(t, g.ids, 30-lost)
			}
			require.Equal(t, int64((lost+6)/7), s.Stats().Corrupt, "each block counts once")
			var bad []Range
			require.NoError(t, s.Verify(context.Background(), func(r BlockReport) {
				if r.Err != nil {
					bad = append(bad, r.IDs)
				}
			}))
			require.Equal(t, Range{18, 21}, bad[len(bad)-1])
			require.Len(t, bad, (lost+6)/7)
			require.NoError(t, s.Close())

			again := open(t, fs, nil)
			require.Equal(t, uint64(1), again.First())
			require.Equal(t, uint64(31), again.Head())
			require.Len(t, list(t, fs, "data/2026-03-14"), 3-lost/10, "nothing was deleted")
		})
	}
}

// killed makes a store with records in Pebble's log, in its tables and in block files, and returns what is on the disk after
// the process was killed, or at its orderly end.
func killed(t testing.TB, orderly bool) (*vfs.MemFS, *oracle, snapshot) {
	fs, o := vfs.NewCrashableMem(), newOracle()
	options := o.options(fs)
	options.MemTable = 4 << 20
	s, err := Open("data", options)
	require.NoError(t, err)
	for sequence := range uint64(40) {
		for p := range byte(2) {
			n := batchName{p, 1, sequence + 1}
			o.sending(n)
			o.acknowledged(seen{n, mustAppend(t, s, n.bytes()).FirstID})
		}
		if sequence == 10 || sequence == 25 {
			require.NoError(t, s.Seal(context.Background()))
		}
		if sequence == 5 || sequence == 20 || sequence == 30 {
			require.NoError(t, s.db.Flush())
		}
	}
	disk := fs
	if !orderly {
		disk = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	}
	require.NoError(t, s.Close())
	return disk, o, o.snapshot()
}

// allFiles returns the names of all files below dir.
func allFiles(t testing.TB, fs vfs.FS, dir string) (names []string) {
	for _, name := range list(t, fs, dir) {
		path := fs.PathJoin(dir, name)
		if info, err := fs.Stat(path); err == nil && info.IsDir() {
			names = append(names, allFiles(t, fs, path)...)
		} else if err == nil {
			names = append(names, path)
		}
	}
	return names
}

// TestNoFlippedBitLosesRecordsSilently: whichever bit of whichever file is wrong, either it does not matter, or Open or reading
// says so.
func TestNoFlippedBitLosesRecordsSilently(t *testing.T) {
	for _, orderly := range []bool{false, true} {
		t.Run(fmt.Sprintf("orderly=%v", orderly), func(t *testing.T) {
			disk, o, was := killed(t, orderly)
			found, err := o.verify(disk.CrashClone(vfs.CrashCloneCfg{}), was)
			require.NoError(t, err, "undamaged")
			require.Len(t, found, 80)
			damageEach(t, disk, func(name string, b []byte, rng *rand.Rand) []byte {
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
				return b
			}, o, was)
		})
	}
}

// TestNoShortFileLosesRecordsSilently: the same for files that end too early.
func TestNoShortFileLosesRecordsSilently(t *testing.T) {
	disk, o, was := killed(t, false)
	damageEach(t, disk, func(_ string, b []byte, rng *rand.Rand) []byte { return b[:rng.IntN(len(b))] }, o, was)
}

// damageEach damages one file in each round, every file in its turn, and counts what comes of it.
func damageEach(t *testing.T, disk *vfs.MemFS, damage func(string, []byte, *rand.Rand) []byte, o *oracle, was snapshot) {
	names := allFiles(t, disk, "data")
	rng := rand.New(rand.NewPCG(8, 8))
	loud, harmless := map[string]int{}, map[string]int{}
	for n := range *flips / 2 {
		name := names[n%len(names)]
		b := readFile(t, disk, name)
		if len(b) == 0 {
			continue
		}
		fs := disk.CrashClone(vfs.CrashCloneCfg{})
		writeFile(t, fs, name, damage(name, b, rng))
		_, err := o.verify(fs, was)
		require.NotErrorIs(t, err, errLost, "silently, by %s", name)
		kind := strings.Trim(name[strings.LastIndexAny(name, "/.")+1:], "0123456789-")
		if err != nil {
			loud[kind]++
		} else {
			harmless[kind]++
		}
	}
	t.Logf("reported: %v; harmless: %v", loud, harmless)
	require.NotEmpty(t, loud)
}

// TestARefusedDirectoryIsLeftAsItIs: Pebble would remove the tables that a damaged manifest does not name.
func TestARefusedDirectoryIsLeftAsItIs(t *testing.T) {
	disk, o, _ := killed(t, false)
	refused := 0
	for _, name := range allFiles(t, disk, "data/db") {
		if !strings.Contains(name, "/MANIFEST") {
			continue
		}
		b := readFile(t, disk, name)
		for at := 0; at < len(b); at += max(1, len(b)/10) {
			fs := disk.CrashClone(vfs.CrashCloneCfg{})
			damaged := append([]byte(nil), b...)
			damaged[at] ^= 4
			writeFile(t, fs, name, damaged)
			before := allFiles(t, fs, "data")
			s, err := Open("data", o.options(fs))
			if err == nil {
				require.NoError(t, s.Close())
				continue
			}
			refused++
			require.ElementsMatch(t, before, allFiles(t, fs, "data"))
		}
	}
	require.Positive(t, refused)
}
