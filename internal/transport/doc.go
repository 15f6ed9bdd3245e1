// Package transport moves one connection's bytes: rolling deadlines, a buffered input that can
// read ahead, a buffered output that nothing is forgotten in, and a close that loses nothing. It
// knows no task and no code; serialserver and serialclient are built on it.
//
// One goroutine at a time owns the input and one the output; the fields say so. Whoever else needs
// a connection's attention interrupts it ([Conn.Interrupt]) or closes it.
package transport
