// Package serialdaemon makes a process of a serialserver.Server: it binds the endpoints that URLs describe.
package serialdaemon
