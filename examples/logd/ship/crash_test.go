package ship_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/ship"
)

// everyCrash runs one scenario for each step at which the first process may end, and for each of these whether it ends before or
// behind it; at most pairs of crashes. The lives that follow are as many as are wanted; the last one runs to the end.
func everyCrash(t *testing.T, run func(t *testing.T, crashes []int, deaf bool) (reached bool)) {
	n := 0
	for first := 0; ; first++ {
		reached := false
		for _, deaf := range []bool{false, true} {
			for _, second := range []int{-1, 0, 3} {
				crashes := []int{first}
				if second >= 0 {
					crashes = append(crashes, second)
				}
				if run(t, crashes, deaf) {
					reached = true
				}
				n++
			}
		}
		if !reached {
			require.Greater(t, first, 5, "there must be some steps")
			t.Logf("%d runs, %d steps", n, first)
			return
		}
	}
}

// life runs a process until it crashes or is done.
func life(t *testing.T, o *oracle, saved *savedState, path string, left int, deaf bool, opt ship.Options) (ship.Report, bool) {
	p := &process{o: o, saved: saved, left: left, deaf: deaf}
	report, err := ship.File(t.Context(), path, "c", p, p, opt)
	if errors.Is(err, errCrash) || errors.Is(err, ship.ErrPatience) {
		return report, true
	}
	require.NoError(t, err)
	return report, false
}

func TestEachLineIsStoredOnceWhereverTheProcessIsKilled(t *testing.T) {
	text, want := numbered("a", 0, 40)
	everyCrash(t, func(t *testing.T, crashes []int, deaf bool) (reached bool) {
		path := logPath(t)
		write(t, path, strings.Replace(text, "\na line 20", "\n\n\na line 20", 1))
		var o oracle
		var saved savedState
		for i, left := range crashes {
			_, crashed := life(t, &o, &saved, path, left, deaf, options())
			reached = reached || crashed && i == 0
		}
		more, wantMore := numbered("a", 40, 50)
		extend(t, path, more)
		life(t, &o, &saved, path, forever, false, options())
		require.Equal(t, append(want[:40:40], wantMore...), o.stored, "crashes %v, deaf %v", crashes, deaf)
		return reached
	})
}

func TestEachLineIsStoredOnceAlthoughSomeAreRefused(t *testing.T) {
	t.Run("records are looked at first", func(t *testing.T) { testRefused(t, false) })
	t.Run("numbers are looked at first", func(t *testing.T) { testRefused(t, true) })
}

func testRefused(t *testing.T, marksFirst bool) {
	text, all := numbered("a", 0, 40)
	bad := map[string]bool{all[4]: true, all[9]: true, all[10]: true, all[11]: true, all[39]: true}
	var want []string
	for _, line := range all {
		if !bad[line] {
			want = append(want, line)
		}
	}
	everyCrash(t, func(t *testing.T, crashes []int, deaf bool) (reached bool) {
		path := logPath(t)
		write(t, path, text)
		o := oracle{marksFirst: marksFirst, refuse: func(v *logwire.View) error {
			if bad[string(v.Message)] {
				return &logwire.FieldError{Field: "message", Kind: logwire.ErrTooLarge}
			}
			return nil
		}}
		var saved savedState
		for i, left := range crashes {
			_, crashed := life(t, &o, &saved, path, left, deaf, options())
			reached = reached || crashed && i == 0
		}
		life(t, &o, &saved, path, forever, false, options())
		require.Equal(t, want, o.stored, "crashes %v, deaf %v", crashes, deaf)
		return reached
	})
}

func TestEachLineIsStoredOnceAcrossRotations(t *testing.T) {
	rotate := map[string]func(t *testing.T, path string){
		"once": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(path, path+".1"))
		},
		"by date": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(path, path+"-20260102"))
		},
		"copied and truncated": func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			write(t, path+".1", string(b))
			require.NoError(t, os.Truncate(path, 0))
		},
	}
	for name, rotate := range rotate {
		t.Run(name, func(t *testing.T) {
			text, want := numbered("a", 0, 60)
			text += "unfinished"
			want = append(want, "unfinished")
			next, wantNext := numbered("b", 0, 10)
			everyCrash(t, func(t *testing.T, crashes []int, deaf bool) (reached bool) {
				path := logPath(t)
				write(t, path, text[:len(text)-500])
				var o oracle
				var saved savedState
				life(t, &o, &saved, path, 4, false, options())
				write(t, path+".0.gz", "not of the family")
				write(t, path+".bak", "not of the family")
				extend(t, path, text[len(text)-500:])
				rotate(t, path)
				extend(t, path, next)
				for i, left := range crashes {
					_, crashed := life(t, &o, &saved, path, left, deaf, options())
					reached = reached || crashed && i == 0
				}
				life(t, &o, &saved, path, forever, false, options())
				require.Equal(t, append(want[:61:61], wantNext...), o.stored, "crashes %v, deaf %v", crashes, deaf)
				return reached
			})
		})
	}
}

func TestTimesThatLinesHaveOfOthersSurviveACrash(t *testing.T) {
	text := "Start-Date: 2025-06-24  14:36:25\n" + strings.Repeat("line\n", 30) + "End-Date: 2025-06-24  14:36:29\nafter\n"
	var want []int64
	everyCrash(t, func(t *testing.T, crashes []int, deaf bool) (reached bool) {
		path := logPath(t)
		write(t, path, text)
		var o oracle
		var saved savedState
		for i, left := range crashes {
			_, crashed := life(t, &o, &saved, path, left, deaf, options())
			reached = reached || crashed && i == 0
		}
		life(t, &o, &saved, path, forever, false, options())
		require.Len(t, o.times, 33)
		if want == nil {
			require.Equal(t, o.times[0], o.times[30])
			require.Equal(t, o.times[0]+4e9, o.times[31])
			require.Equal(t, options().Now().UnixNano(), o.times[32])
			want = o.times
		}
		require.Equal(t, want, o.times, "crashes %v, deaf %v", crashes, deaf)
		return reached
	})
}

func TestAFileThatIsRotatedBeforeAnythingIsSent(t *testing.T) {
	path := logPath(t)
	text, want := numbered("a", 0, 20)
	write(t, path, text)
	var o oracle
	var saved savedState
	_, crashed := life(t, &o, &saved, path, 0, true, options())
	require.True(t, crashed)
	require.Empty(t, o.stored)
	require.True(t, saved.ok)
	require.Empty(t, saved.st.Planned, "which file it is is known before a line is read")
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, path, "next\n")
	report, _ := life(t, &o, &saved, path, forever, false, options())
	require.Equal(t, append(want, "next"), o.stored)
	require.Empty(t, report.Warnings)
}

func TestSeveralRotationsBetweenTwoProcesses(t *testing.T) {
	path := logPath(t)
	var o oracle
	var saved savedState
	var want []string
	for i := range 4 {
		text, lines := numbered(fmt.Sprint("file", i), 0, 40)
		want = append(want, lines...)
		write(t, path, text)
		if i == 0 {
			life(t, &o, &saved, path, 3, false, options())
			require.NotEmpty(t, o.stored)
		}
		if i == 3 {
			break
		}
		for n := i; n >= 1; n-- {
			require.NoError(t, os.Rename(fmt.Sprint(path, ".", n), fmt.Sprint(path, ".", n+1)))
		}
		require.NoError(t, os.Rename(path, path+".1"))
		at := options().Now().AddDate(0, 0, i)
		require.NoError(t, os.Chtimes(path+".1", at, at))
	}
	report, _ := life(t, &o, &saved, path, forever, false, options())
	require.Equal(t, want, o.stored)
	require.Equal(t, int64(3), report.Rotations)
	require.Empty(t, report.Warnings)
}
