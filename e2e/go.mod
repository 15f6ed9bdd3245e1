module github.com/serialkit/serialkit/e2e

go 1.26.0

require (
	github.com/pires/go-proxyproto v0.15.0
	github.com/serialkit/serialkit v0.0.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/zap v1.28.0
	golang.org/x/net v0.62.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/pkg/errors v0.9.1 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/serialkit/serialkit => ../
