package router

import "github.com/bellwether-db/bellwether/cluster"

// Dialect is what of a session decides how its SQL text is read. It is a
// value and part of the class cache's key.
type Dialect struct {
	Flavour cluster.Flavour
	// ANSIQuotes, NoBackslashEscapes and IgnoreSpace are the sql_mode flags
	// of these names.
	ANSIQuotes         bool
	NoBackslashEscapes bool
	IgnoreSpace        bool
	// UnsafeCharset: character_set_client is one where a byte of 0x80 and above
	// may make the next byte part of a character (sjis, cp932, gbk, gb18030, big5),
	// or may itself be a space (koi8r, macroman, cp850 and the like). A statement
	// of such a session with such a byte in it is never certain; pure ASCII
	// means the same in all of them.
	UnsafeCharset bool
}

// key packs the dialect into one byte, the first of each cache key.
func (d Dialect) key() byte {
	k := 0x80 | byte(d.Flavour)&3
	if d.ANSIQuotes {
		k |= 4
	}
	if d.NoBackslashEscapes {
		k |= 8
	}
	if d.IgnoreSpace {
		k |= 16
	}
	if d.UnsafeCharset {
		k |= 32
	}
	return k
}
