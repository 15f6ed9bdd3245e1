package crashtest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// producers is how many producers send at the same time, each on a connection of its own.
const producers = 4

// oracle knows what every batch contains, from the seed alone, and what was acknowledged. It lives outside of the
// process that is killed.
type oracle struct {
	seed  uint64
	epoch int64 // the time of the first record

	acknowledged [producers]uint64 // the producer's goroutine writes it; it is read between the cycles
	stored       [producers]position
}

// position is how far a producer's records were found: all of those before it, once each, in their order.
type position struct {
	sequence uint64 // of the batch that is expected next, or is being read
	index    int    // of the record in it
}

func producerID(n int) (id logwire.ProducerID) {
	copy(id[:], fmt.Sprintf("crash-producer-%d", n))
	return id
}

// records returns those of a batch. They are the same whenever they are asked for.
func (o *oracle) records(producer int, sequence uint64) []logwire.Record {
	r := rand.New(rand.NewPCG(o.seed, uint64(producer)<<48|sequence))
	records := make([]logwire.Record, 1+r.IntN(120))
	for i := range records {
		records[i] = logwire.Record{
			Time: o.epoch + int64(sequence)*1000 + int64(i), Level: logwire.Trace + logwire.Level(r.IntN(6)),
			Service: fmt.Sprint("producer-", producer), Host: "here",
			Message: fmt.Sprintf("batch %d record %d\n%s", sequence, i, noise(r)),
			Fields:  []logwire.Field{{Key: "n", Kind: logwire.Number, Value: fmt.Sprint(r.Uint32())}},
		}
	}
	return records
}

// noise is a text that compresses badly.
func noise(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		fmt.Fprintf(&b, "%016x ", r.Uint64())
	}
	return b.String()
}

// batch returns the encoded batch.
func (o *oracle) batch(producer int, sequence uint64) []byte {
	records := o.records(producer, sequence)
	b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producerID(producer), Epoch: 1, Sequence: sequence, Count: len(records)})
	for i := range records {
		b = logwire.AppendBatchRecord(b, &records[i])
	}
	return b
}

// judge is what the records of a store are compared with, one after the other in the order of their ids.
type judge struct {
	o     *oracle
	at    [producers]position
	batch [producers][]logwire.Record // the one at at.sequence
	count int
}

func (o *oracle) judge(from [producers]position) *judge { return &judge{o: o, at: from} }

// see returns an error if the record is not the next one of its producer.
func (j *judge) see(id uint64, v *logwire.View) error {
	var p int
	if _, err := fmt.Sscanf(string(v.Service), "producer-%d", &p); err != nil || p < 0 || p >= producers {
		return fmt.Errorf("id %d: service %q: corrupted", id, v.Service)
	}
	at := &j.at[p]
	if j.batch[p] == nil {
		j.batch[p] = j.o.records(p, at.sequence)
	}
	want, got := j.batch[p][at.index], v.Record()
	if fmt.Sprint(want) != fmt.Sprint(got) {
		return fmt.Errorf("id %d: lost, duplicated or corrupted: producer %d, batch %d, record %d is expected, and this is %.200q",
			id, p, at.sequence, at.index, fmt.Sprint(got))
	}
	j.count++
	if at.index++; at.index == len(j.batch[p]) {
		*at, j.batch[p] = position{at.sequence + 1, 0}, nil
	}
	return nil
}

// verdict compares what was seen to the end with what was acknowledged: a batch that was sent without an answer may be there as well,
// as a whole.
func (j *judge) verdict() error {
	for p, at := range j.at {
		acknowledged := j.o.acknowledged[p]
		switch {
		case at.index != 0:
			return fmt.Errorf("producer %d: batch %d is there in part: %d records", p, at.sequence, at.index)
		case at.sequence <= acknowledged:
			return fmt.Errorf("producer %d: batch %d is lost, and %d are acknowledged", p, at.sequence, acknowledged)
		case at.sequence > acknowledged+2:
			return fmt.Errorf("producer %d: batch %d is there, and was never sent", p, at.sequence-1)
		}
	}
	return nil
}
