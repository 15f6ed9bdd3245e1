// Package ship sends the lines of log files to a collector, each exactly once, whenever it is killed.
//
// The file itself is the queue. Before batches are sent, the state says which part of the file each of them is, and
// which number it has: a process that comes after a crash makes the same batches of the same parts and sends them again with
// the same numbers, and the collector, which keeps the number of the last batch it has stored in the same commit as the batch,
// knows those that it has. The rest of the file was never sent. So:
//
//	plan    read lines, make up to Options.Window batches
//	save    the state: position, epoch, number, and the end of each of these batches (fsync)
//	send    them, pipelined; what is refused for load or breaks off is sent again
//	        acknowledged batches move the position, in memory; the next plan writes it down
//
// A file is known by its inode and by what it begins with, so that rotation and truncation are told from growth.
package ship
