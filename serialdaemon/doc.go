// Package serialdaemon makes a process of a serialserver.Server: endpoints from URLs, servers that start and stop
// together, and signals.
package serialdaemon
