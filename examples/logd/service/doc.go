// Package service is the four tasks of logd on a serialserver.Server: append, query, tail and stats. It knows
// connections and their limits; what is kept, and how it is found, is package store's.
//
//	hub := service.NewHub(0)
//	st, err := store.Open(dir, store.Options{OnCommit: hub.Publish})
//	...
//	srv := serialserver.New(nil, serialserver.WithName("logd"))
//	svc := service.New(st, hub, service.Options{})
//	svc.Register(srv)
//
// # Errors
//
// What is wrong with a request is answered with a logwire.Status and a typed error that names the field, and the
// session goes on. A call over one of the bounds is answered with error 252 (busy), a batch over
// logwire.MaxBatch, and another request over 128 KiB, with error 251 (too large). Where it is not known what became of a batch, because the store
// has failed, the connection is dropped without an answer.
//
// # Tails
//
// A tail is a scan of the store up to what is newest, and then lives from the Hub, a ring of what was committed
// last. It never makes anybody wait: a tail that the ring has overtaken is told how many records it
// missed, and goes on with the next one. All tails share the ring; each has beside it a buffer of at most
// 256 KiB.
package service
