package query

import "github.com/serialkit/serialkit/examples/logd/logclient/logwire"

const (
	// MaxTerms is how many terms a query may have.
	MaxTerms = 64
	// MaxWords is how many words a phrase may have.
	MaxWords = 64
)

// kind says what a term looks at.
type kind uint8

const (
	phraseTerm   kind = iota // The words of the message or of a field's value.
	serviceTerm              // The service.
	hostTerm                 // The host.
	levelTerm                // The level.
	sinceTerm                // The time, from an instant on.
	untilTerm                // The time, before an instant.
	messageTerm              // The bytes of the message.
	equalTerm                // A field with a value.
	unequalTerm              // A field with another value.
	compareTerm              // A field with a number.
	containsTerm             // A field with bytes in its value.
)

// operator is what stands between the name and the value of a term.
type operator string

const (
	isOp    operator = ":"
	eqOp    operator = "="
	neOp    operator = "!="
	geOp    operator = ">="
	leOp    operator = "<="
	gtOp    operator = ">"
	ltOp    operator = "<"
	matchOp operator = "~"
)

// operators are in the order in which they are looked for: the longer ones first.
var operators = [...]operator{neOp, geOp, leOp, isOp, eqOp, gtOp, ltOp, matchOp}

// term is one condition of a query, in its canonical form.
type term struct {
	kind    kind
	negated bool
	// op is that of a level or a number.
	op operator
	// key is that of a field.
	key string
	// value is a service, a host, or the text for a field or the message; the words of a phrase in lower
	// case with a space between two.
	value string
	// prefix is set if value is the beginning of a service or a host.
	prefix bool
	level  logwire.Level
	// time is in nanoseconds since 1970.
	time int64
}
