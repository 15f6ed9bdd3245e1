// Package crashtest has no code: its test kills a collector again and again, and asks what is left. See
// examples/logd/docs/reliability.md.
package crashtest
