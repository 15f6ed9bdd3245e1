package query

// maxExponent is where exponents end: a number beyond it is taken for one with this exponent.
const maxExponent = 1 << 40

// number is a decimal number of any length, so that none is rounded before it is compared: 0.DIGITS times ten to the
// power of exponent, where the first digit is not 0.
type number struct {
	negative bool
	// digits may have a point among them; they are empty for 0, which has no sign whatever negative is.
	digits   []byte
	exponent int64
}

// parseNumber decodes a JSON number; n shares b.
func parseNumber(b []byte) (n number, ok bool) {
	if len(b) > 0 && b[0] == '-' {
		n.negative, b = true, b[1:]
	}
	whole := countDigits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return number{}, false
	}
	end := whole
	if end < len(b) && b[end] == '.' {
		fraction := countDigits(b[end+1:])
		if fraction == 0 {
			return number{}, false
		}
		end += 1 + fraction
	}
	exponent, ok := parseExponent(b[end:])
	if !ok {
		return number{}, false
	}
	first := 0
	for first < end && (b[first] == '0' || b[first] == '.') {
		first++
	}
	if first == end {
		return n, true
	}
	if n.digits, n.exponent = b[first:end], exponent+int64(whole-first); first > whole {
		n.exponent++ // The point is no digit.
	}
	return n, true
}

func parseExponent(b []byte) (int64, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0] != 'e' && b[0] != 'E' {
		return 0, false
	}
	b = b[1:]
	sign := int64(1)
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	if len(b) == 0 || countDigits(b) != len(b) {
		return 0, false
	}
	e := int64(0)
	for _, c := range b {
		e = min(10*e+int64(c-'0'), maxExponent)
	}
	return sign * e, true
}

func countDigits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// compare returns -1, 0 or 1 as n is less than, equal to or greater than m.
func (n number) compare(m number) int {
	if n.sign() != m.sign() {
		return sign(n.sign() - m.sign())
	}
	if n.sign() == 0 {
		return 0
	}
	order := sign(int(n.exponent - m.exponent))
	if order == 0 {
		order = compareDigits(n.digits, m.digits)
	}
	return order * n.sign()
}

func (n number) sign() int {
	switch {
	case len(n.digits) == 0:
		return 0
	case n.negative:
		return -1
	default:
		return 1
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

// compareDigits compares two rows of digits behind a point; the shorter one goes on with zeros.
func compareDigits(a, b []byte) int {
	for len(a) > 0 || len(b) > 0 {
		var x, y byte
		x, a = nextDigit(a)
		y, b = nextDigit(b)
		if x != y {
			return sign(int(x) - int(y))
		}
	}
	return 0
}

func nextDigit(b []byte) (digit byte, rest []byte) {
	if len(b) > 0 && b[0] == '.' {
		b = b[1:]
	}
	if len(b) == 0 {
		return '0', nil
	}
	return b[0], b[1:]
}
