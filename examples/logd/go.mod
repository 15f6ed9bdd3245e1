module github.com/serialkit/serialkit/examples/logd

go 1.26.0

require (
	github.com/serialkit/serialkit v0.0.0
	github.com/serialkit/serialkit/examples/logd/logclient v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	go.uber.org/multierr v1.10.0 // indirect
	go.uber.org/zap v1.28.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace (
	github.com/serialkit/serialkit => ../../
	github.com/serialkit/serialkit/examples/logd/logclient => ./logclient
	github.com/serialkit/serialkit/serialdaemon => ../../serialdaemon
)
