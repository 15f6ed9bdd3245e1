package ship

import "maps"

// Report is what has been done. Lines that were in flight when an earlier process was killed are counted by the one
// that has sent them again.
type Report struct {
	// Path names the file.
	Path string `json:"file"`
	// Size is the length of the file, as far as it is known, and Begin the position at which this process has begun.
	Size  int64 `json:"size"`
	Begin int64 `json:"begin"`
	// Bytes and Lines are what was read and is settled: acknowledged, refused or blank. Lines = Acknowledged + Refused + Blank.
	Bytes int64 `json:"bytes"`
	Lines int64 `json:"lines"`
	// Blank are the lines without a byte, of which no record is made.
	Blank int64 `json:"blank"`
	// Acknowledged are the records that the collector has; Repeated those of them that it had before they were sent
	// again.
	Acknowledged int64 `json:"acknowledged"`
	Repeated     int64 `json:"repeated"`
	// Refused are the records that the collector did not take, by its reasons.
	Refused map[string]int64 `json:"refused,omitempty"`
	// Cut are the lines of which something was over a limit, and Replaced those with bytes that are not UTF-8.
	Cut      int64 `json:"cut"`
	Replaced int64 `json:"replaced"`
	// Rotations and Truncations are how often another file, or the same one from its beginning, was gone on with.
	Rotations   int64 `json:"rotations"`
	Truncations int64 `json:"truncations"`
	// Warnings say what may be missing.
	Warnings []string `json:"warnings,omitempty"`
}

// RefusedTotal returns the number of records that the collector did not take.
func (r *Report) RefusedTotal() (n int64) {
	for _, v := range r.Refused {
		n += v
	}
	return n
}

// clone returns a copy that shares nothing with r.
func (r *Report) clone() Report {
	c := *r
	c.Refused = maps.Clone(r.Refused)
	c.Warnings = append([]string(nil), r.Warnings...)
	return c
}

// counts is what a batch adds to a Report when it is settled.
type counts struct{ lines, blank, cut, replaced int64 }

func (r *Report) add(c counts) {
	r.Lines += c.lines
	r.Blank += c.blank
	r.Cut += c.cut
	r.Replaced += c.replaced
}

func (r *Report) refuse(reason string, n int64) {
	if r.Refused == nil {
		r.Refused = map[string]int64{}
	}
	r.Refused[reason] += n
}
