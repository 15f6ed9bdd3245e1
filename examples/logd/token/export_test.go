package token

// IsWord is isWord.
func IsWord(r rune) bool { return isWord(r) }

// FoldRune is fold.
func FoldRune(r rune) rune { return fold(r) }
