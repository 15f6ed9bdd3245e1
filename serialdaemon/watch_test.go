package serialdaemon_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/serialdaemon"
)

// What a group logs about certificates.
const (
	newOnes = "certificates loaded"
	oldOnes = "certificates not loaded, the former ones stay"
)

// logged returns a logger and what is logged to it.
func logged() (*zap.Logger, <-chan string) {
	lines := make(chan string, 1000)
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{})
	core := zapcore.NewCore(encoder, zapcore.AddSync(io.Discard), zapcore.DebugLevel)
	return zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
		lines <- e.Message
		return nil
	})), lines
}

// awaitLine waits until a line is logged, and requires that unwanted is not before it.
func awaitLine(t *testing.T, lines <-chan string, want, unwanted string) {
	t.Helper()
	limit := time.NewTimer(childLimit)
	defer limit.Stop()
	for {
		select {
		case line := <-lines:
			if line == want {
				return
			}
			require.NotEqual(t, unwanted, line)
		case <-limit.C:
			require.FailNow(t, "not logged", want)
		}
	}
}

// A new certificate is used for the next handshake, however it has come to its place.
func TestCertificatesAreWatched(t *testing.T) {
	for name, test := range map[string]struct {
		layout  func(t *testing.T, ca *authority, root string) serialdaemon.TLSFiles
		replace func(t *testing.T, ca *authority, root string)
	}{
		"written": {plain, func(t *testing.T, ca *authority, root string) { ca.write(t, root) }},
		"renamed": {plain, func(t *testing.T, ca *authority, root string) {
			next := filepath.Join(root, "next")
			require.NoError(t, os.Mkdir(next, 0o700))
			for _, path := range names(ca.write(t, next)) {
				require.NoError(t, os.Rename(path, filepath.Join(root, filepath.Base(path))))
			}
		}},
		"a linked directory, as a secret of Kubernetes": {linked, func(t *testing.T, ca *authority, root string) {
			relink(t, ca, root, "two")
		}},
		"the whole directory": {moved, func(t *testing.T, ca *authority, root string) {
			next := filepath.Join(root, "next")
			require.NoError(t, os.Mkdir(next, 0o700))
			ca.write(t, next)
			require.NoError(t, os.Rename(filepath.Join(root, "now"), filepath.Join(root, "old")))
			require.NoError(t, os.Rename(next, filepath.Join(root, "now")))
		}},
		"a directory above theirs": {deep, func(t *testing.T, ca *authority, root string) {
			next := filepath.Join(root, "next", "a", "b")
			require.NoError(t, os.MkdirAll(next, 0o700))
			ca.write(t, next)
			require.NoError(t, os.Rename(filepath.Join(root, "now"), filepath.Join(root, "old")))
			require.NoError(t, os.Rename(filepath.Join(root, "next"), filepath.Join(root, "now")))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ca, root := newAuthority(t, "ca"), t.TempDir()
			lg, lines := logged()
			g := &serialdaemon.Group{Log: lg}
			addr := secureGroup(t, g, test.layout(t, ca, root))
			config := &tls.Config{RootCAs: ca.pool(), ServerName: "localhost"}
			before, err := dialTLS(t, addr, config)
			require.NoError(t, err)
			for range 2 { // the second time through what was watched after the first one
				test.replace(t, ca, root)
				awaitLine(t, lines, newOnes, "")
				state, err := dialTLS(t, addr, config)
				require.NoError(t, err)
				require.NotEqual(t, before.PeerCertificates[0].SerialNumber, state.PeerCertificates[0].SerialNumber)
				before = state
				require.NoError(t, os.RemoveAll(filepath.Join(root, "next")))
				require.NoError(t, os.RemoveAll(filepath.Join(root, "old")))
			}
		})
	}
}

func names(files serialdaemon.TLSFiles) []string { return []string{files.Cert, files.Key} }

func plain(t *testing.T, ca *authority, root string) serialdaemon.TLSFiles { return ca.write(t, root) }

func moved(t *testing.T, ca *authority, root string) serialdaemon.TLSFiles {
	now := filepath.Join(root, "now")
	require.NoError(t, os.Mkdir(now, 0o700))
	return ca.write(t, now)
}

// deep makes the files' directory one of several below each other.
func deep(t *testing.T, ca *authority, root string) serialdaemon.TLSFiles {
	now := filepath.Join(root, "now", "a", "b")
	require.NoError(t, os.MkdirAll(now, 0o700))
	return ca.write(t, now)
}

// linked makes the files links into a directory that is a link.
func linked(t *testing.T, ca *authority, root string) serialdaemon.TLSFiles {
	relink(t, ca, root, "one")
	files := serialdaemon.TLSFiles{Cert: filepath.Join(root, "cert.pem"), Key: filepath.Join(root, "key.pem")}
	for _, path := range names(files) {
		require.NoError(t, os.Symlink(filepath.Join("..data", filepath.Base(path)), path))
	}
	return files
}

// relink makes the link one to a new directory, at once.
func relink(t *testing.T, ca *authority, root, name string) {
	t.Helper()
	dir, err := os.MkdirTemp(root, name)
	require.NoError(t, err)
	ca.write(t, dir)
	link := filepath.Join(root, "..link")
	require.NoError(t, os.Symlink(filepath.Base(dir), link))
	require.NoError(t, os.Rename(link, filepath.Join(root, "..data")))
}

// A key that is not the certificate's changes nothing; when its certificate comes, both are used.
func TestBrokenPair(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	lg, lines := logged()
	files := ca.write(t, dir)
	addr := secureGroup(t, &serialdaemon.Group{Log: lg}, files)
	config := &tls.Config{RootCAs: ca.pool(), ServerName: "localhost"}
	before, err := dialTLS(t, addr, config)
	require.NoError(t, err)
	cert, key := ca.issue(t, x509.ExtKeyUsageServerAuth)
	put(t, files.Key, key)
	awaitLine(t, lines, oldOnes, newOnes)
	state, err := dialTLS(t, addr, config)
	require.NoError(t, err)
	require.Equal(t, before.PeerCertificates[0].SerialNumber, state.PeerCertificates[0].SerialNumber)
	put(t, files.Cert, cert)
	awaitLine(t, lines, newOnes, "")
	state, err = dialTLS(t, addr, config)
	require.NoError(t, err)
	require.NotEqual(t, before.PeerCertificates[0].SerialNumber, state.PeerCertificates[0].SerialNumber)
}

// HUP loads the certificates, where nothing watches the files.
func TestHangupLoadsCertificates(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	lg, lines := logged()
	signals := make(chan os.Signal)
	g := &serialdaemon.Group{Log: lg, Signals: signals}
	g.Unheard()
	addr := secureGroup(t, g, ca.write(t, dir))
	config := &tls.Config{RootCAs: ca.pool(), ServerName: "localhost"}
	before, err := dialTLS(t, addr, config)
	require.NoError(t, err)
	ended := g.CloseOnAbort(context.Background())
	ca.write(t, dir)
	signals <- syscall.SIGHUP
	awaitLine(t, lines, newOnes, oldOnes)
	state, err := dialTLS(t, addr, config)
	require.NoError(t, err)
	require.NotEqual(t, before.PeerCertificates[0].SerialNumber, state.PeerCertificates[0].SerialNumber)
	signals <- syscall.SIGTERM
	require.Empty(t, all(ended))
}

// Files are read once for what happens within the time, and again for what happens later. Other names do
// not matter.
func TestFilesSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cert.pem")
		events, errs := make(chan fsnotify.Event), make(chan error)
		ctx, cancel := context.WithCancel(context.Background())
		read := make(chan time.Duration, 9)
		done, start := make(chan struct{}), time.Now()
		go func() {
			defer close(done)
			serialdaemon.WatchLoop(ctx, path, events, errs, func() { read <- time.Since(start) })
		}()
		event := fsnotify.Event{Name: path}
		events <- fsnotify.Event{Name: path + ".other"}
		pass(time.Second)
		require.Empty(t, read)
		events <- fsnotify.Event{Name: "/" + path} // as for what is in the root
		pass(serialdaemon.SettleTime - 1)
		events <- event
		require.Empty(t, read)
		pass(1)
		require.Len(t, read, 1)
		require.Equal(t, time.Second+serialdaemon.SettleTime, <-read)
		events <- fsnotify.Event{Name: filepath.Dir(path)} // the directory itself is moved
		pass(serialdaemon.SettleTime)
		errs <- errBroken // an event may have been lost
		pass(serialdaemon.SettleTime)
		require.Len(t, read, 2)
		cancel()
		<-done
	})
}

// What matters is each directory and link, the file, or the first name that is missing.
func TestFollowedNames(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	at := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }
	require.NoError(t, os.MkdirAll(at("real", "dir"), 0o700))
	put(t, at("real", "dir", "file"), nil)
	require.NoError(t, os.Symlink("real", at("relative")))
	require.NoError(t, os.Symlink(at("relative", "dir"), at("absolute")))
	require.NoError(t, os.Symlink("../real/../absolute/file", at("real", "up")))
	require.NoError(t, os.Symlink("loop", at("loop")))
	for path, want := range map[string][]string{
		at("real", "dir", "file"): {at("real"), at("real", "dir"), at("real", "dir", "file")},
		at("absolute", "file"):    {at("absolute"), at("relative"), at("real"), at("real", "dir"), at("real", "dir", "file")},
		at("real", "up"): {at("real", "up"), at("absolute"), at("relative"), at("real"), at("real", "dir"),
			at("real", "dir", "file")},
		at("none", "x", "y"): {at("none")},
		at("loop"):           {at("loop")},
		"":                   nil,
	} {
		if path != "" {
			for above := root; above != filepath.Dir(above); above = filepath.Dir(above) {
				want = append(want, above)
			}
		}
		entries, dirs := serialdaemon.FollowedNames(path)
		require.Len(t, entries, len(want), path)
		for _, name := range want {
			require.True(t, entries[name], "%s: %s", path, name)
			require.True(t, dirs[filepath.Dir(name)], "%s: %s", path, name)
		}
	}
}
