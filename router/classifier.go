package router

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
)

// window is how many slots of the cache a statement may stand in.
const window = 8

// maxCachedText is the longest stripped text that is remembered.
const maxCachedText = 8 << 10

// Classifier says what statements are. Any number of goroutines may use it; a
// look-up takes no lock.
//
// What it has classified it remembers by the stripped text, in an
// open-addressed table of fixed size: a slot is found by hash and proven by
// the text itself. A full window gives up the slot that was not hit lately.
type Classifier struct {
	seed  maphash.Seed
	mask  uint64
	slots []atomic.Pointer[entry]
}

// prefix is the length of what stands before the stripped text: the dialect's
// byte, and a semicolon, so that there is always a token before the first one.
const prefix = 2

// entry is one remembered statement. All but used is immutable.
type entry struct {
	hash uint64
	text string // the dialect and the stripped text
	used atomic.Bool
	of   Statement
}

// NewClassifier returns a classifier that remembers about size statements,
// rounded up to a power of two.
func NewClassifier(size int) *Classifier {
	n := uint64(1) << bits.Len(uint(max(size, window)-1))
	return &Classifier{seed: maphash.MakeSeed(), mask: n - 1, slots: make([]atomic.Pointer[entry], n)}
}

// Classify says what sql is. The result is shared and immutable; sql is not
// kept. s is the caller's own. A remembered statement costs no allocation.
func (c *Classifier) Classify(sql []byte, d Dialect, s *Scratch) *Statement {
	d.UnsafeCharset = d.UnsafeCharset && !ascii(sql)
	s.strip(sql, d)
	hash := maphash.Bytes(c.seed, s.out)
	for i := range uint64(window) {
		e := c.slots[(hash+i)&c.mask].Load()
		if e != nil && e.hash == hash && e.text == string(s.out) {
			if !e.used.Load() {
				e.used.Store(true)
			}
			return &e.of
		}
	}
	return c.miss(hash, d, s)
}

// ascii reports whether no byte has its high bit set.
func ascii(sql []byte) bool {
	for _, c := range sql {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// miss classifies the stripped text in s and remembers the result, unless it
// is one that no other statement is likely to share.
func (c *Classifier) miss(hash uint64, d Dialect, s *Scratch) *Statement {
	e := &entry{hash: hash, text: string(s.out)}
	classify(&e.of, e.text[prefix:], d)
	if rememberable(&e.of, e.text) {
		c.insert(e)
	}
	if cap(s.out) > maxRetained {
		s.out = nil
	}
	return &e.of
}

// rememberable reports whether a statement's text is short and has no literal
// that another one of its kind would not have.
func rememberable(s *Statement, text string) bool {
	if len(text) > maxCachedText || len(s.Assignments) > 0 || s.KillID != 0 {
		return false
	}
	return !s.Flags.Any(TakesUserLock|ReleasesUserLock) || len(s.Objects) == 0
}

// insert puts e into an empty slot of its window, or in place of one that was
// not hit since the last insert looked.
func (c *Classifier) insert(e *entry) {
	victim := &c.slots[e.hash&c.mask]
	for i := range uint64(window) {
		slot := &c.slots[(e.hash+i)&c.mask]
		old := slot.Load()
		if old == nil {
			victim = slot
			break
		}
		if !old.used.Swap(false) {
			victim = slot
			break
		}
	}
	victim.Store(e)
}
