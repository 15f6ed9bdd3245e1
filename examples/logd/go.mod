module github.com/serialkit/serialkit/examples/logd

go 1.26.0

require (
	github.com/klauspost/compress v1.20.3
	github.com/serialkit/serialkit v0.0.0
	github.com/serialkit/serialkit/examples/logd/logclient v0.0.0
	github.com/stretchr/testify v1.12.1
	pgregory.net/rapid v1.3.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect

replace (
	github.com/serialkit/serialkit => ../../
	github.com/serialkit/serialkit/examples/logd/logclient => ./logclient
	github.com/serialkit/serialkit/serialdaemon => ../../serialdaemon
)
