// Package store keeps log records: batches are appended and acknowledged when they are durable, sealed into
// compressed blocks later, found again by queries, and removed when they are old or too many.
//
// Every record gets an ingest id: 1, 2, 3, ..., in the order in which batches were committed, without a gap and never
// used twice. Readers see the ids below Head, all of which are durable.
//
// A store is one directory, used by one process at a time. What lies in it, and how it is written and read again, is
// described in examples/logd/docs/store.md.
package store
