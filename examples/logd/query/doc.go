// Package query is the language in which records are asked for: Parse makes a Filter of a text, Match tells whether a
// record is wanted, and Rules and RuledOut whether a block can be passed over unread. It is pure: no clock, no
// goroutine. The language is described in examples/logd/docs/query.md.
package query
