package serialserver_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func TestByteOrder(t *testing.T) {
	for _, order := range []binary.ByteOrder{nil, binary.BigEndian, binary.LittleEndian} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(nil, func(_ ctx, c client, in reader) (io.Reader, error) {
				require.Equal(t, c.ByteOrder(), in.ByteOrder())
				n, err := in.ReadUint16()
				return strings.NewReader(fmt.Sprint(n)), err
			})
			clientEnd, serverEnd := serialtest.Pipe()
			defer clientEnd.Close()
			go srv.HandleConnection(context.Background(), serverEnd, order)
			clientEnd.Write(request(testTask, "\x01\x00"))
			want := "\x00\x03256\x00"
			if order == binary.LittleEndian {
				want = "\x00\x011\x00"
			}
			got := make([]byte, len(want))
			_, err := io.ReadFull(clientEnd, got)
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		})
	}
}

func TestArgsArePassed(t *testing.T) {
	for _, args := range [][]interface{}{nil, {1, "two", nil}} {
		synctest.Test(t, func(t *testing.T) {
			srv := serialserver.New(nil)
			srv.Register(1, func(_ ctx, _ client, _ reader, lg *zap.Logger, got ...interface{}) (io.Reader, error) {
				require.NotNil(t, lg)
				return strings.NewReader(fmt.Sprint(len(got), got)), nil
			}, "")
			clientEnd, serverEnd := serialtest.Pipe()
			defer clientEnd.Close()
			go srv.HandleConnection(context.Background(), serverEnd, nil, args...)
			clientEnd.Write(request(1, ""))
			text := fmt.Sprint(len(args), args)
			want := string(serial.AppendStream([]byte{0}, []byte(text)))
			got := make([]byte, len(want))
			_, err := io.ReadFull(clientEnd, got)
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		})
	}
}

func TestMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			_, err := io.ReadFull(in, make([]byte, 2))
			sleep(time.Second)
			return onlyReader{io.MultiReader(strings.NewReader("abc"), onlyReader{&patient{reads: 1}}, in)}, err
		})
		s := connect(t, srv)
		synctest.Wait()
		c := srv.Clients()[0]
		require.Nil(t, c.Metadata())
		require.Nil(t, c.TaskCodes())
		s.send(request(serial.TaskKeepAlive, ""), request(99, ""))
		s.wants(ok(""), failed(250))
		s.send(request(testTask, "12345"))
		synctest.Wait()
		want := serial.TaskMetadata{Code: testTask, Name: "test", Sequence: 3, Start: s.start, BytesIn: 2}
		require.Equal(t, want, *c.Metadata())
		require.Equal(t, []serial.TaskCode{testTask}, c.TaskCodes())
		snapshot := c.Metadata()
		sleep(time.Minute)
		want.BytesOut = 3
		require.Equal(t, want, *c.Metadata())
		require.Zero(t, snapshot.BytesOut)
		s.wants(ok("abcx345"))
		synctest.Wait()
		require.Nil(t, c.Metadata())
		require.Nil(t, c.TaskCodes())
	})
}

// nameless is a connection without addresses.
type nameless struct{ *writes }

func (nameless) LocalAddr() addr  { return nil }
func (nameless) RemoteAddr() addr { return nil }

func TestStringWithoutAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clientEnd, serverEnd := serialtest.Pipe()
		srv := newServer(nil, nil)
		serve(t, context.Background(), srv, clientEnd, nameless{&writes{Conn: serverEnd}})
		synctest.Wait()
		require.Equal(t, "?->?", srv.Clients()[0].String())
	})
}
