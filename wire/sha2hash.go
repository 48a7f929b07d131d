package wire

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// SHA2Hash is what MySQL keeps of a caching_sha2_password account, in
// mysql.user.authentication_string: enough to check a password, not to log in.
// It is an immutable value, safe for concurrent use; its zero value is none.
//
// The text is $A$RRR$, 20 bytes of salt and 43 characters of digest; RRR is
// hexadecimal and stands for thousands of rounds. Source: the MySQL server,
// sql/auth/sha2_password.cc and mysys/crypt_genhash_impl.cc, which follows
// https://www.akkadia.org/drepper/SHA-crypt.txt.
type SHA2Hash struct {
	salt   string
	digest string
	rounds int
}

const (
	sha2HashSalt   = 20
	sha2HashDigest = 43
	sha2HashSize   = len("$A$005$") + sha2HashSalt + sha2HashDigest
)

var errSHA2Hash = errors.New("parse caching_sha2_password hash: want $A$005$ with 63 characters behind it, or 0x and the 140 digits of HEX()")

// ParseSHA2Hash reads the hash as text, or as 0x and hexadecimal digits, because
// a salt may have bytes that are no text.
func ParseSHA2Hash(text string) (SHA2Hash, error) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		raw, err := hex.DecodeString(digits)
		if err != nil {
			return SHA2Hash{}, errSHA2Hash
		}
		text = string(raw)
	}
	if len(text) != sha2HashSize || text[:3] != "$A$" || text[6] != '$' {
		return SHA2Hash{}, errSHA2Hash
	}
	thousands, err := strconv.ParseUint(text[3:6], 16, 16)
	if err != nil || thousands == 0 {
		return SHA2Hash{}, fmt.Errorf("%w: no rounds", errSHA2Hash)
	}
	text = text[7:]
	return SHA2Hash{salt: text[:sha2HashSalt], digest: text[sha2HashSalt:], rounds: int(thousands) * 1000}, nil
}

// Known reports whether there is one.
func (h SHA2Hash) Known() bool { return h.rounds != 0 }

// Matches reports whether a password is the one. It takes milliseconds, as it is
// meant to.
func (h SHA2Hash) Matches(password string) bool {
	return h.Known() && subtle.ConstantTimeCompare([]byte(sha256Crypt(password, h.salt, h.rounds)), []byte(h.digest)) == 1
}

// Format says nothing, whatever the verb.
func (h SHA2Hash) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// sha256Crypt is Drepper's SHA-crypt with SHA-256, its steps numbered as there.
func sha256Crypt(password, salt string, rounds int) string {
	b := sha256.New() // 4 to 8
	write(b, password, salt, password)
	alternate := b.Sum(nil)
	a := sha256.New() // 1 to 3
	write(a, password, salt)
	a.Write(repeated(alternate, len(password))) // 9, 10
	for n := len(password); n > 0; n >>= 1 {    // 11
		if n&1 != 0 {
			a.Write(alternate)
		} else {
			write(a, password)
		}
	}
	digest := a.Sum(nil) // 12
	dp := sha256.New()   // 13 to 16
	for range len(password) {
		write(dp, password)
	}
	p := repeated(dp.Sum(nil), len(password))
	ds := sha256.New() // 17 to 20
	for range 16 + int(digest[0]) {
		write(ds, salt)
	}
	return encodeCrypt(cryptRounds(digest, p, repeated(ds.Sum(nil), len(salt)), rounds)) // 22
}

// cryptRounds is step 21.
func cryptRounds(digest, p, s []byte, rounds int) []byte {
	c := sha256.New()
	for i := range rounds {
		c.Reset()
		if i%2 != 0 {
			c.Write(p)
		} else {
			c.Write(digest)
		}
		if i%3 != 0 {
			c.Write(s)
		}
		if i%7 != 0 {
			c.Write(p)
		}
		if i%2 != 0 {
			c.Write(digest)
		} else {
			c.Write(p)
		}
		digest = c.Sum(digest[:0])
	}
	return digest
}

func write(h hash.Hash, texts ...string) {
	for _, text := range texts {
		h.Write([]byte(text)) // a hash's Write never fails
	}
}

// repeated is a digest again and again, n bytes in all.
func repeated(digest []byte, n int) []byte {
	out := make([]byte, 0, n)
	for len(out) < n {
		out = append(out, digest[:min(len(digest), n-len(out))]...)
	}
	return out
}

// encodeCrypt writes a digest as SHA-crypt orders it: three bytes at a time, ten
// bytes apart, six bits a character from the lowest.
func encodeCrypt(d []byte) string {
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 0, sha2HashDigest)
	put := func(bits uint32, characters int) {
		for range characters {
			out = append(out, alphabet[bits&63])
			bits >>= 6
		}
	}
	first, second, third := 0, 10, 20
	for range 10 {
		put(uint32(d[first])<<16|uint32(d[second])<<8|uint32(d[third]), 4)
		first, second, third = third+1, first+1, second+1
	}
	put(uint32(d[31])<<8|uint32(d[30]), 3)
	return string(out)
}
