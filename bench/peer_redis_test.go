package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRedisFormat(t *testing.T) {
	require.Equal(t, "*2\r\n$4\r\nECHO\r\n$3\r\n0bc\r\n", string(echoCommand.request([]byte("0bc"))))
	require.Equal(t, "$3\r\n0bc\r\n", string(echoCommand.response([]byte("0bc"))))
}

// TestRedis asks redis-server for an echo where there is one. Elsewhere it is no peer, which is
// tested instead.
func TestRedis(t *testing.T) {
	if redisPath() == "" {
		require.NotContains(t, fullPlan().Peers, redisName)
		return
	}
	p, err := startPair(redisName, -1)
	require.NoError(t, err)
	defer p.end()
	for _, o := range []order{{Do: "open", Conns: 2}, {Do: "touch", Size: 64}, {Do: "touch deep", Size: 4096}} {
		_, err := p.client.do(o)
		require.NoError(t, err, o.Do)
	}
	_, err = p.client.do(order{Do: "up", Bytes: 1})
	require.Equal(t, errNotOffered, err)
}

func TestRedisHasNoStreams(t *testing.T) {
	require.Equal(t, errNotOffered, redisSession{}.up(1))
	require.Equal(t, errNotOffered, redisSession{}.down(1))
}
