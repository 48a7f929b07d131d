package router

// class says what a byte outside quotes and comments begins.
type class uint8

const (
	classPunct class = iota
	classSpace
	classLetter // also _, $ and bytes of 0x80 and above
	classDigit
	classSingle    // '
	classDouble    // "
	classBacktick  // `
	classMinus     // - or a comment
	classHash      // a comment
	classSlash     // / or a comment
	classStar      // * or the end of an executable comment
	classDot       // . or a number
	classOpen      // (
	classClose     // )
	classSemicolon // ;
	classBackslash
	classParam // ?
	classOdd   // control characters
)

// Marks stand in the stripped text for what no byte of a statement can: a
// control character outside quotes becomes markOdd.
const (
	markOdd   = 0x01 // something that the server may read otherwise than we do
	markOpen  = 0x02 // an executable comment begins
	markClose = 0x03 // an executable comment ends
	markHint  = 0x04 // a hint: markHint, the words, markHint
)

// byteClass is the class of each byte; immutable.
var byteClass = makeByteClass()

// identLower is each byte of an unquoted identifier in lower case, 0 for a byte
// that cannot be in one; immutable.
var identLower = makeIdentLower()

// lower is each byte in lower case (ASCII only); immutable.
var lower = makeLower()

// wordish holds the bytes that would run into a word behind them; immutable.
var wordish = makeWordish()

func makeByteClass() (t [256]class) {
	for c := range 256 {
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			t[c] = classSpace
		case c < ' ' || c == 0x7f:
			t[c] = classOdd
		case c >= '0' && c <= '9':
			t[c] = classDigit
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80:
			t[c] = classLetter
		}
	}
	for c, class := range map[byte]class{
		'\'': classSingle, '"': classDouble, '`': classBacktick, '-': classMinus, '#': classHash,
		'/': classSlash, '*': classStar, '.': classDot, '(': classOpen, ')': classClose, ';': classSemicolon,
		'\\': classBackslash, '?': classParam,
	} {
		t[c] = class
	}
	return t
}

func makeLower() (t [256]byte) {
	for c := range t {
		t[c] = byte(c)
		if c >= 'A' && c <= 'Z' {
			t[c] += 'a' - 'A'
		}
	}
	return t
}

func makeIdentLower() (t [256]byte) {
	classes, folded := makeByteClass(), makeLower()
	for c := range t {
		if classes[c] == classLetter || classes[c] == classDigit {
			t[c] = folded[c]
		}
	}
	return t
}

func makeWordish() (t [256]bool) {
	for c, folded := range makeIdentLower() {
		t[c] = folded != 0
	}
	for _, c := range []byte("?'\"`") {
		t[c] = true
	}
	return t
}
