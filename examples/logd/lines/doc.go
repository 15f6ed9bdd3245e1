// Package lines makes records of the lines of log files: JSON lines and plain text with the usual time stamps. It is
// pure: no file, no clock.
package lines
