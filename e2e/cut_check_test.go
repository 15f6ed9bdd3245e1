package e2e_test

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// check requires of each call exactly one typed outcome, and that it is true: NotRun only where the task did
// not run, OK and Failed only with the right answer. whole: nothing went wrong that an end could notice, so
// everything must have come out as the exchange says. It counts the outcomes.
func (x *cutRun) check(whole bool, outcomes map[string]int) error {
	for i, call := range x.calls {
		outcome, err := x.checkCall(i, call)
		if err != nil {
			return fmt.Errorf("call %d (%s, ran %d times, %v): %w", i, outcome, x.runs[i].Load(), x.got[i].err, err)
		}
		if whole && outcome != call.expected() && !(call.refused && outcome == "not run") {
			return fmt.Errorf("call %d: %s, want %s: %v", i, outcome, call.expected(), x.got[i].err)
		}
		outcomes[outcome]++
	}
	return nil
}

func (c cutCall) expected() string {
	if c.code != 0 {
		return "failed"
	}
	return "ok"
}

func (x *cutRun) checkCall(i int, call cutCall) (outcome string, err error) {
	got, runs := x.got[i], int(x.runs[i].Load())
	var failure *serialclient.Error
	var coder serial.ErrorCoder
	switch {
	case got.reports != 1:
		return "none", fmt.Errorf("%d outcomes", got.reports)
	case runs > 1:
		return "any", errors.New("ran more than once")
	case got.err == nil:
		if !bytes.Equal(got.answer, call.answer) || call.code != 0 {
			return "ok", fmt.Errorf("answer %q, want %q", got.answer, call.answer)
		}
		if runs == 0 && !call.builtin {
			return "ok", errors.New("did not run")
		}
		return "ok", nil
	case !errors.As(got.err, &failure):
		return "untyped", errors.New("no *serialclient.Error")
	}
	switch failure.Outcome {
	case serialclient.NotRun:
		if runs != 0 {
			return "not run", errors.New("ran")
		}
		return "not run", nil
	case serialclient.Failed:
		if call.code == 0 || !errors.As(got.err, &coder) || coder.ErrorCode() != call.code {
			return "failed", fmt.Errorf("want code %v", call.code)
		}
		return "failed", nil
	case serialclient.Unknown:
		return "unknown", nil
	}
	return "untyped", fmt.Errorf("outcome %d", failure.Outcome)
}
