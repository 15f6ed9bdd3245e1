// Command bench puts this project beside its peers, in one run, on one machine (Linux).
//
// A run starts, for each peer, a server and a client as processes of this one binary, and talks to
// both over their standard input and output. All measured traffic is TCP on loopback, and every peer
// does the same work: it echoes a payload. In each round a bare TCP echo and Serialkit are measured
// again beside each other peer, so that a ratio compares figures taken within the same second or so.
//
//	bench run      measures everything and writes the report and the JSON
//	bench report   writes the report again, from the JSON
//	bench profile  shows where Serialkit's server and client spend their CPU time
//	bench serve    is the server's process
//	bench load     is the client's process
//
// The arrows: measure_*.go say what is measured, by orders (order.go) to the processes (child.go)
// that are at work in serve.go and load.go, where the peers are (peer_*.go). What comes back are
// records (record.go), of which stats.go makes medians and report*.go a document.
package main
