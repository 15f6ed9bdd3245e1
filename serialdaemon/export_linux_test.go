package serialdaemon

var BindPrivately = bindPrivately
