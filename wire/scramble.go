package wire

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // mysql_native_password is made of it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
)

// The authentication plugins that are spoken here.
const (
	pluginSHA2   = "caching_sha2_password"
	pluginNative = "mysql_native_password"
	pluginSHA256 = "sha256_password" // towards nodes only
)

const nonceSize = 20

// newNonce makes the 20 random bytes of a challenge. Clients treat them as a C
// string of ASCII, so none is NUL or has the high bit; servers leave '$' out too.
func newNonce() []byte {
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	for i := range nonce {
		nonce[i] &= 0x7f
		if nonce[i] == 0 || nonce[i] == '$' {
			nonce[i]++
		}
	}
	return nonce
}

// scrambleSHA2 answers caching_sha2_password's challenge from SHA256(password):
// XOR(SHA256(password), SHA256(SHA256(SHA256(password)), nonce))
// (page_caching_sha2_authentication_exchanges).
func scrambleSHA2(digest [sha256.Size]byte, nonce []byte) []byte {
	verifier := sha256.Sum256(digest[:])
	mask := sha256.Sum256(append(verifier[:], nonce...))
	subtle.XORBytes(mask[:], mask[:], digest[:])
	return mask[:]
}

// unscrambleSHA2 checks a client's answer against SHA256(SHA256(password)) and
// recovers SHA256(password) from it.
func unscrambleSHA2(scramble, nonce, verifier []byte) (digest [sha256.Size]byte, ok bool) {
	if len(scramble) != sha256.Size || len(verifier) != sha256.Size {
		return digest, false
	}
	h := sha256.New()
	h.Write(verifier)
	h.Write(nonce)
	h.Sum(digest[:0])
	subtle.XORBytes(digest[:], digest[:], scramble)
	check := sha256.Sum256(digest[:])
	return digest, subtle.ConstantTimeCompare(check[:], verifier) == 1
}

// scrambleNative answers mysql_native_password's challenge from SHA1(password):
// XOR(SHA1(password), SHA1(nonce, SHA1(SHA1(password))))
// (page_protocol_connection_phase_authentication_methods_native_password_authentication).
func scrambleNative(digest [sha1.Size]byte, nonce []byte) []byte {
	stage2 := sha1.Sum(digest[:])
	h := sha1.New()
	h.Write(nonce)
	h.Write(stage2[:])
	mask := h.Sum(nil)
	subtle.XORBytes(mask, mask, digest[:])
	return mask
}

// unscrambleNative checks a client's answer against SHA1(SHA1(password)) and
// recovers SHA1(password) from it.
func unscrambleNative(scramble, nonce, hash []byte) (digest [sha1.Size]byte, ok bool) {
	if len(scramble) != sha1.Size || len(hash) != sha1.Size {
		return digest, false
	}
	h := sha1.New()
	h.Write(nonce)
	h.Write(hash)
	h.Sum(digest[:0])
	subtle.XORBytes(digest[:], digest[:], scramble)
	check := sha1.Sum(digest[:])
	return digest, subtle.ConstantTimeCompare(check[:], hash) == 1
}

// answer returns the first answer to a plugin's challenge; false where too
// little is known of the password or the plugin is not spoken here.
func (s Secret) answer(plugin string, nonce []byte) ([]byte, bool) {
	switch {
	case plugin != pluginSHA2 && plugin != pluginNative:
		return nil, false
	case s.empty():
		return nil, true
	case plugin == pluginSHA2 && s.hasSHA256:
		return scrambleSHA2(s.sha256, nonce), true
	case plugin == pluginNative && s.hasSHA1:
		return scrambleNative(s.sha1, nonce), true
	}
	return nil, false
}

// ParseNativeHash reads a mysql_native_password hash as servers print it, '*' and
// 40 hexadecimal digits, into the 20 bytes SHA1(SHA1(password)).
func ParseNativeHash(text string) ([]byte, error) {
	if len(text) != 1+2*sha1.Size || text[0] != '*' {
		return nil, errors.New("parse native password hash: want * and 40 hexadecimal digits")
	}
	hash, err := hex.DecodeString(text[1:])
	if err != nil {
		return nil, errors.New("parse native password hash: want * and 40 hexadecimal digits")
	}
	return hash, nil
}

// ParseVerifier reads a caching_sha2_password verifier, SHA256(SHA256(password))
// as 64 hexadecimal digits, into its 32 bytes.
func ParseVerifier(text string) ([]byte, error) {
	v, err := hex.DecodeString(text)
	if err != nil || len(v) != sha256.Size {
		return nil, fmt.Errorf("parse sha2 verifier: want %d hexadecimal digits", 2*sha256.Size)
	}
	return v, nil
}
