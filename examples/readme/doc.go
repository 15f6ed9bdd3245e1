// Package readme holds the README's code, so that it compiles, runs and stays as it is there.
package readme
