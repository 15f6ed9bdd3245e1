// Package block makes sealed blocks and reads them: up to MaxRecords records, compressed, with a Summary and a Bloom
// filter by which a query can tell that there is nothing for it in the block. It is pure: no file, no clock, no
// goroutine. What is on disk is specified in examples/logd/docs/block.md.
//
// The decoders never panic, take no more memory than MaxRaw for what they were told, and return an error that
// is ErrCorrupt for what no Builder has made.
package block
