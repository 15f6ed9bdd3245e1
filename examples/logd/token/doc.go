// Package token splits texts into words and hashes what a block's Bloom filter knows: words, fields, keys, services
// and hosts. It is pure, and its hashes are on disk: what this package says of a text may never change without a new
// format of blocks, and golden values in its tests hold it.
//
// A word is a maximal run of letters, digits and '_'. In ASCII these are A-Z, a-z, 0-9 and '_'; beyond it every
// code point is a part of a word unless it is in a fixed list of controls, spaces, punctuation and symbols. The list
// is fixed, and not that of the Unicode tables of the day, so that a block is read as it was written after Go has
// moved on to a newer Unicode. Bytes that are not UTF-8 separate words.
//
// Words are compared and hashed in lower case: ASCII, and the Latin, Greek, Cyrillic and Armenian letters whose
// lower case is a single letter of the same length in UTF-8. So a word and its lower case have the same length.
package token
