package main

import (
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/store"
)

// What is configured for the store is what it gets.
func TestConfigOfTheStore(t *testing.T) {
	var c config
	c.fs = vfs.NewMem()
	c.Retention.Age, c.Retention.Size = 1, 2
	c.Seal.Size, c.Seal.Age = 3, 4
	c.MinFree, c.Accept.Age, c.Accept.Ahead = 5, 6, 7
	c.Limit.Waiting, c.Limit.QueryTime, c.Limit.QueryBytes, c.Limit.Producers = 8, 9, 10, 11
	c.AcceptLoss = true
	require.Equal(t, store.Options{
		FS: c.fs, KeepAge: 1, KeepBytes: 2, SealBytes: 3, SealAge: 4, MinFree: 5, MaxRecordAge: 6, MaxRecordAhead: 7,
		QueueBytes: 8, QueryTime: 9, QueryBytes: 10, MaxProducers: 11, AcceptLoss: true,
	}, c.store())
}

// Each key changes what a part of the collector gets: none is there to be read alone.
func TestEveryKeyIsOfUse(t *testing.T) {
	type parts struct{ store, service, daemon any }
	partsOf := func(c *config) parts { return parts{c.store(), c.service(), c.daemon()} }
	// What serve itself uses, and what makes options of the server, which are functions.
	elsewhere := map[string]bool{"data": true, "insecure": true, "log": true, "clients": true, "per-address": true, "messages": true, "ring": true, "memory": true}
	var each func(v reflect.Value, c *config)
	each = func(v reflect.Value, c *config) {
		for i := range v.NumField() {
			field, key := v.Field(i), v.Type().Field(i).Tag.Get("koanf")
			switch before := partsOf(c); {
			case key == "" || elsewhere[key]:
				continue
			case field.Kind() == reflect.Struct:
				each(field, c)
				continue
			case field.Kind() == reflect.Bool:
				field.SetBool(!field.Bool())
				require.NotEqual(t, before, partsOf(c), key)
			case field.CanInt():
				field.SetInt(field.Int() + int64(time.Hour))
				require.NotEqual(t, before, partsOf(c), key)
			default:
				require.Equal(t, "listen", key)
				c.Listen = []string{"tcp://127.0.0.1:1"}
				require.NotEqual(t, before, partsOf(c), key)
			}
		}
	}
	c := defaultConfig()
	each(reflect.ValueOf(&c).Elem(), &c)
}
