package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
)

// about is what both children do when they are ordered to: tell of, and look after, themselves.
func about() map[string]handler {
	var profile *os.File
	return map[string]handler{
		"memory": func(order) (result, error) { return result{Memory: readMemory()}, nil },
		"settle": func(order) (result, error) {
			runtime.GC()
			debug.FreeOSMemory()
			return result{Memory: readMemory()}, nil
		},
		"profile": func(o order) (_ result, err error) {
			if profile, err = os.Create(o.Path); err != nil {
				return result{}, err
			}
			return result{}, pprof.StartCPUProfile(profile)
		},
		"profiled": func(order) (result, error) {
			pprof.StopCPUProfile()
			return result{}, profile.Close()
		},
	}
}

func readMemory() memory {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{Mallocs: m.Mallocs, Bytes: m.TotalAlloc, Heap: m.HeapInuse, Stack: m.StackInuse}
}
