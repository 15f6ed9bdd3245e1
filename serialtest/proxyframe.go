package serialtest

import "github.com/serialkit/serialkit/serial"

// follower knows where in the protocol a direction of a connection stands. It looks at one byte
// after the other and keeps none.
type follower struct {
	response bool  // of responses; of requests otherwise
	offset   int64 // bytes so far
	message  int   // which request or response the next byte belongs to
	within   int   // which byte of it the next one is
	state    frameState
	left     int // bytes of the current block that are still to come
}

// frameState says what the next byte is.
type frameState uint8

const (
	atCode   frameState = iota // a task code or a response code
	atLength                   // the length of a block, or the end of the stream
	inBlock
	atError    // the code of an Error response
	outOfFrame // after a Goodbye or what is no response: no message any more
)

// step takes the next byte.
func (f *follower) step(b byte) {
	f.offset++
	f.within++
	switch f.state {
	case atCode:
		f.code(b)
	case atLength:
		f.left = int(b)
		f.state = inBlock
		if b == 0 {
			f.endMessage(atCode)
		}
	case inBlock:
		if f.left--; f.left == 0 {
			f.state = atLength
		}
	case atError:
		f.endMessage(atCode)
	}
}

// code takes the first byte of a message, or the one after Processing.
func (f *follower) code(b byte) {
	if !f.response {
		f.state = atLength
		return
	}
	switch serial.ResponseCode(b) {
	case serial.ResponseOK:
		f.state = atLength
	case serial.ResponseError:
		f.state = atError
	case serial.ResponseGoodbye:
		f.endMessage(outOfFrame)
	case serial.ResponseProcessing: // the same response goes on with another code
	default:
		f.state = outOfFrame
	}
}

func (f *follower) endMessage(next frameState) {
	f.message++
	f.within = 0
	f.state = next
}
