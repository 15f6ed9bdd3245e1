module github.com/serialkit/serialkit/examples/logd/logclient

go 1.26.0

require (
	github.com/serialkit/serialkit v0.0.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/zap v1.28.0
)

require (
	github.com/pkg/errors v0.9.1 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/serialkit/serialkit => ../../../
