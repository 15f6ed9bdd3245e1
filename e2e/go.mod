module github.com/serialkit/serialkit/e2e

go 1.26.0

require (
	github.com/serialkit/serialkit v0.0.0
	golang.org/x/net v0.62.0
)

replace github.com/serialkit/serialkit => ../
