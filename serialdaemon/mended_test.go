package serialdaemon_test

import (
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// A CA file of which only a part can be read is not used: the former one stays, with all its CAs.
func TestHalfACAFile(t *testing.T) {
	one, two := newAuthority(t, "one"), newAuthority(t, "two")
	block, _ := pem.Decode(two.pem)
	for name, rest := range map[string][]byte{
		"cut":       two.pem[:len(two.pem)/2],
		"malformed": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes[:len(block.Bytes)/2]}),
	} {
		t.Run(name, func(t *testing.T) {
			m := newMutual(t, one, two)
			put(t, m.caFile, append(append([]byte(nil), one.pem...), rest...))
			_, err := m.Reload()
			require.Error(t, err)
			_, err = dialTLS(t, m.addr, m.config(two.client(t)))
			require.NoError(t, err)
		})
	}
}

// A secret is in no error.
func TestSecretIsInNoError(t *testing.T) {
	c := struct {
		Pin int `koanf:"pin" secret:"true"`
	}{}
	_, err := loader(t, "", "", []string{"SERIAL_PIN=hunter2"}).Load(&c)
	require.ErrorIs(t, err, serialdaemon.ErrUsage)
	require.ErrorContains(t, err, "pin (environment SERIAL_PIN): what is given is no int")
	require.NotContains(t, err.Error(), "hunter2")
}

// A key of a file that is written with dots might be there as a section too, and is not known.
func TestDottedKeyInAFile(t *testing.T) {
	for _, content := range []string{"timeout.wait: 1m\n", "timeout.wait: 1m\ntimeout:\n  wait: 2m\n", "a:\n  b.c: 1\n"} {
		c := serialdaemon.DefaultConfig()
		_, err := loader(t, "c.yaml", content, nil).Load(&c)
		require.ErrorIs(t, err, serialdaemon.ErrUsage)
		require.Equal(t, serialdaemon.DefaultConfig(), c)
	}
}
