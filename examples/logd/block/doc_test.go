package block_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/token"
)

// TestDocument: the values of docs/block.md are the real ones.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../docs/block.md")
	require.NoError(t, err)
	document := string(b)
	s := valid()
	require.Contains(t, strings.ReplaceAll(document, " ", ""), hex.EncodeToString(s.AppendTo(nil)))
	word := func(text string) uint64 { return token.Append(nil, []byte(text))[0] }
	require.Contains(t, document, hex.EncodeToString(block.AppendBloom(nil, []uint64{word("a"), 0, 1<<64 - 1})))
	user := []byte("user")
	for name, hash := range map[string]uint64{
		"word `a`": word("a"), "word `Reset`": word("reset"), "word `eightbyt`": word("eightbyt"), "word `Жук`": word("жук"),
		"field `user` = `42`": token.Field(user, []byte("42")), "key `user`": token.Key(user),
		"service `user`": token.Service(user), "host `user`": token.Host(user),
	} {
		require.Contains(t, document, fmt.Sprintf("| %s | `%016x` |", name, hash))
	}
}
