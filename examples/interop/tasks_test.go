package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialtest"
)

// numbers is a message for sum.
func numbers(n uint32, values ...int64) message {
	return func(w binaryutil.BinaryWriter) {
		w.WriteUint32(n)
		for _, v := range values {
			w.WriteInt64(v)
		}
	}
}

func u8(v uint8) message       { return func(w binaryutil.BinaryWriter) { w.WriteUint8(v) } }
func u64(v uint64) message     { return func(w binaryutil.BinaryWriter) { w.WriteUint64(v) } }
func i64(v int64) message      { return func(w binaryutil.BinaryWriter) { w.WriteInt64(v) } }
func u32(vs ...uint32) message { return withRest("", vs...) }

// withRest is the message of the numbers and then a string to its end.
func withRest(rest string, vs ...uint32) message {
	return func(w binaryutil.BinaryWriter) {
		for _, v := range vs {
			w.WriteUint32(v)
		}
		w.Write([]byte(rest))
	}
}

func lengthAndCRC(n uint64, crc uint32) message {
	return func(w binaryutil.BinaryWriter) {
		w.WriteUint64(n)
		w.WriteUint32(crc)
	}
}

func TestTasksAnswer(t *testing.T) {
	const most, least = math.MaxInt64, math.MinInt64
	tests := []struct {
		name    string
		task    serial.TaskCode
		request message
		answer  message
	}{
		{"echo of nothing", 1, raw(""), raw("")},
		{"echo", 1, raw("hello"), raw("hello")},
		{"echo of more than a buffer", 1, raw(string(patternOf(100_000))), raw(string(patternOf(100_000)))},
		{"sum of nothing", 2, numbers(0), i64(0)},
		{"sum", 2, numbers(3, 1, -2, 300), i64(299)},
		{"sum of zeros", 2, numbers(2, 0, 0), i64(0)},
		{"sum up to the most", 2, numbers(2, most-1, 1), i64(most)},
		{"sum down to the least", 2, numbers(2, least+1, -1), i64(least)},
		{"sum from end to end", 2, numbers(4, most, least, least+1, most), i64(most + least + least + 1 + most)},
		{"sleep", 3, u32(1), raw("")},
		{"source of nothing", 7, u64(0), raw("")},
		{"source", 7, u64(600), raw(string(patternOf(600)))},
		{"source of more than a buffer", 7, u64(100_003), raw(string(patternOf(100_003)))},
		{"sink of nothing", 8, raw(""), lengthAndCRC(0, 0)},
		{"sink", 8, raw("123456789"), lengthAndCRC(9, 0xe3069283)},
		{"partial, nothing of nothing", 9, u32(0), raw("ok")},
		{"partial, nothing of something", 9, withRest("something", 0), raw("ok")},
		{"partial, some", 9, withRest("something", 4), raw("ok")},
		{"partial, all", 9, withRest("something", 9), raw("ok")},
		{"tick of nothing", 11, u32(0, 1), raw("")},
		{"tick", 11, u32(3, 1), raw("\x00\x01\x02")},
		{"tick without pause", 11, u32(300, 0), raw(string(patternOf(300)))},
	}
	eachSession(t, func(t *testing.T, s *session) {
		for _, test := range tests {
			answer, err := s.call(test.task, test.request)
			require.NoError(t, err, test.name)
			require.Equal(t, string(encode(s.ByteOrder(), test.answer)), string(answer), test.name)
		}
		requireInStep(t, s)
	})
}

func TestMalformedMessagesAreAnswered(t *testing.T) {
	const most, least = math.MaxInt64, math.MinInt64
	tests := []struct {
		name    string
		task    serial.TaskCode
		request message
	}{
		{"sum without n", 2, raw("")},
		{"sum with half of n", 2, raw("\x00\x00")},
		{"sum with a number too few", 2, numbers(2, 1)},
		{"sum with half a number", 2, withRest("1234", 1)},
		{"sum with a number too many", 2, numbers(1, 1, 2)},
		{"sum with a byte too many", 2, withRest("x", 0)},
		{"sum of more than there can be", 2, numbers(math.MaxUint32, 1)},
		{"sum beyond the most", 2, numbers(2, most, 1)},
		{"sum below the least", 2, numbers(2, least, -1)},
		{"sum far below the least", 2, numbers(2, least, least)},
		{"sum that later numbers would mend", 2, numbers(3, most, 1, -1)},
		{"sleep without a number", 3, raw("")},
		{"sleep with half a number", 3, raw("\x00\x00")},
		{"sleep with a byte too many", 3, withRest("x", 0)},
		{"fail without a code", 4, raw("")},
		{"fail with a byte too many", 4, raw("\x07x")},
		{"drop with a message", 5, raw("x")},
		{"panic with a message", 6, raw("x")},
		{"source with half a number", 7, raw("\x00\x00\x00\x01")},
		{"source with a byte too many", 7, raw("\x00\x00\x00\x00\x00\x00\x00\x00x")},
		{"partial without a number", 9, raw("")},
		{"partial with too short a rest", 9, withRest("something", 10)},
		{"broken with a message", 10, raw("x")},
		{"tick with one number", 11, u32(1)},
		{"tick with a byte too many", 11, withRest("x", 0, 0)},
	}
	eachSession(t, func(t *testing.T, s *session) {
		for _, test := range tests {
			answer, err := s.call(test.task, test.request)
			t.Log(test.name)
			requireCode(t, errorMalformed, err)
			require.Empty(t, answer)
		}
		requireInStep(t, s)
	})
}

func TestFailAnswersEveryCode(t *testing.T) {
	eachSession(t, func(t *testing.T, s *session) {
		for code := range 256 {
			_, err := s.call(4, u8(uint8(code)))
			requireCode(t, serial.ErrorCode(code), err)
		}
		requireInStep(t, s)
	})
}

func TestUnknownTasks(t *testing.T) {
	s := pipeSession(t)
	known := map[serial.TaskCode]bool{}
	for _, task := range tasks {
		known[task.code] = true
	}
	require.Len(t, known, 11)
	for code := serial.TaskCode(0); !code.IsReserved(); code++ {
		if !known[code] {
			_, err := s.call(code, raw("who"))
			requireCode(t, serial.ErrorUnknownTask, err)
		}
	}
	requireInStep(t, s)
}

// The sum of more numbers takes no more memory.
func TestSumHasConstantMemory(t *testing.T) {
	allocations := func(n int) float64 {
		message := encode(nil, numbers(uint32(n), make([]int64, n)...))
		return testing.AllocsPerRun(100, func() {
			_, err := sum(t.Context(), binaryutil.NewBuffer(nil, message))
			require.NoError(t, err)
		})
	}
	require.Equal(t, allocations(1), allocations(10_000))
}

// The blocks of source are all full but the last: the server is told that it is no live stream.
func TestSourceIsSentInFullBlocks(t *testing.T) {
	const n = 50_000
	client, server := serialtest.Pipe()
	s := newSession(t, client, server, binary.BigEndian)
	request := serial.AppendStream([]byte{7}, encode(s.ByteOrder(), u64(n)))
	_, err := client.Write(request)
	require.NoError(t, err)
	want := serial.AppendStream([]byte{byte(serial.ResponseOK)}, patternOf(n))
	got := make([]byte, len(want))
	_, err = io.ReadFull(client, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}
