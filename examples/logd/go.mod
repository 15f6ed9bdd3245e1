module github.com/serialkit/serialkit/examples/logd

go 1.26.0

replace (
	github.com/serialkit/serialkit => ../../
	github.com/serialkit/serialkit/examples/logd/logclient => ./logclient
	github.com/serialkit/serialkit/serialdaemon => ../../serialdaemon
)
