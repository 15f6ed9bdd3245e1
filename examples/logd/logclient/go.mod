module github.com/serialkit/serialkit/examples/logd/logclient

go 1.26.0

require github.com/serialkit/serialkit v0.0.0

replace github.com/serialkit/serialkit => ../../../
