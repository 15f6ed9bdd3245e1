//go:build !unix

package ship

import (
	"io/fs"
	"os"
)

// lock does nothing: there is no lock that ends with its process.
func lock(*os.File) error { return nil }

// syncDir does nothing: directories cannot be synced.
func syncDir(*os.File) error { return nil }

// number returns zeros: files are told apart by what they begin with alone.
func number(fs.FileInfo) (device, inode uint64) { return 0, 0 }
