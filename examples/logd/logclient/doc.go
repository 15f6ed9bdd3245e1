// Package logclient sends log records to logd, a log collector on Serialkit, and asks it for records.
//
// # Sending
//
// A Client takes records at any time and never makes the application wait:
//
//	client, err := logclient.New(logclient.Options{
//		Address:  "tcp://logs.example.com:7600",
//		Service:  "api",
//		SpoolDir: "/var/lib/api/logs",
//	})
//	...
//	defer client.Close(ctx)
//	err = client.Log(logwire.Record{Level: logwire.Info, Message: "started"})
//
// Records wait in a bounded queue, and are sent in batches, several at a time, in their order. The first one connects. While the
// collector is away they are moved to the spool, a directory, or wait in memory. What was acknowledged is stored
// durably, and once: each batch has a number, and the collector stores each number once, whatever is sent again
// after a failure. With a spool this holds across crashes of the process too.
//
// When there is no room records are dropped, and every one is counted: Client.Stats returns a ledger
// that balances at every moment.
//
// # Reading
//
// Client.Query, Client.Tail and Client.ServerStats, or those of a Reader for a program that sends nothing, use
// connections of their own.
//
//	rows, err := client.Query(ctx, logwire.QueryRequest{Text: `level>=warn "connection reset" since:1h`})
//	...
//	defer rows.Close()
//	for rows.Next() {
//		fmt.Printf("%s\n", rows.Record().AppendJSON(nil, rows.ID()))
//	}
//	err = rows.Err()
//
// # Limits
//
//	queue           65,536 records, 16 MiB    then Policy says what is dropped
//	batch           1,000 records, 256 KiB    or what came in 100 ms
//	window          8 batches                 sent before the first is acknowledged
//	spool           256 MiB                   then Policy says what is dropped
//	connecting      5 s
//	answer          30 s                      then the collector is taken to be gone
//	after a failure a random part of 100 ms, 200 ms, ... 10 s
//
// Each has a field in Options. Beside the queue a Client has in memory the batches of the window when they come from
// the spool, and one segment of it (4 MiB). docs/client.md says what happens in which case.
package logclient
