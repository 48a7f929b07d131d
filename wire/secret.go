package wire

import (
	"crypto/sha1" //nolint:gosec // mysql_native_password is made of it
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Secret is what is known of an account's password: nothing (its zero value),
// the password itself, or only SHA256(password) or SHA1(password), each of which
// is enough for one plugin. It is an immutable value, safe for concurrent use,
// and never prints what it holds.
type Secret struct {
	password  string
	sha256    [sha256.Size]byte
	sha1      [sha1.Size]byte
	hasPlain  bool
	hasSHA256 bool
	hasSHA1   bool
}

// PasswordSecret is the secret of a known password, which may be empty.
func PasswordSecret(password string) Secret {
	return Secret{
		password: password, hasPlain: true,
		sha256: sha256.Sum256([]byte(password)), hasSHA256: true,
		sha1: sha1.Sum([]byte(password)), hasSHA1: true,
	}
}

// SHA256Secret knows SHA256(password): enough for caching_sha2_password's fast path.
func SHA256Secret(digest [sha256.Size]byte) Secret {
	return Secret{sha256: digest, hasSHA256: true}
}

// SHA1Secret knows SHA1(password): enough for mysql_native_password.
func SHA1Secret(digest [sha1.Size]byte) Secret { return Secret{sha1: digest, hasSHA1: true} }

// Join returns what s and other know together; where both know a thing, s's.
// They must be of the same password.
func (s Secret) Join(other Secret) Secret {
	if !s.hasPlain {
		s.password, s.hasPlain = other.password, other.hasPlain
	}
	if !s.hasSHA256 {
		s.sha256, s.hasSHA256 = other.sha256, other.hasSHA256
	}
	if !s.hasSHA1 {
		s.sha1, s.hasSHA1 = other.sha1, other.hasSHA1
	}
	return s
}

// WithoutPassword returns the secret with its hashes only, to be remembered.
func (s Secret) WithoutPassword() Secret {
	s.password, s.hasPlain = "", false
	return s
}

// Known reports whether anything is known.
func (s Secret) Known() bool { return s.hasPlain || s.hasSHA256 || s.hasSHA1 }

// Password returns the password itself; false where only a hash is known.
func (s Secret) Password() (string, bool) { return s.password, s.hasPlain }

// SHA256 returns SHA256(password); false where it is not known.
func (s Secret) SHA256() ([sha256.Size]byte, bool) { return s.sha256, s.hasSHA256 }

// SHA1 returns SHA1(password); false where it is not known.
func (s Secret) SHA1() ([sha1.Size]byte, bool) { return s.sha1, s.hasSHA1 }

// Verifier returns SHA256(SHA256(password)), what must be kept of an account to
// serve caching_sha2_password's fast path ([Account].Verifier); zero where
// SHA256(password) is not known.
func (s Secret) Verifier() [sha256.Size]byte {
	if !s.hasSHA256 {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(s.sha256[:])
}

// NativeHash returns SHA1(SHA1(password)), what mysql_native_password is checked
// with ([Account].NativeHash); zero where SHA1(password) is not known.
func (s Secret) NativeHash() [sha1.Size]byte {
	if !s.hasSHA1 {
		return [sha1.Size]byte{}
	}
	return sha1.Sum(s.sha1[:])
}

// Same reports, in constant time, whether both are known to be of one password:
// they have a hash in common and it is equal.
func (s Secret) Same(other Secret) bool {
	switch {
	case s.hasSHA256 && other.hasSHA256:
		return subtle.ConstantTimeCompare(s.sha256[:], other.sha256[:]) == 1
	case s.hasSHA1 && other.hasSHA1:
		return subtle.ConstantTimeCompare(s.sha1[:], other.sha1[:]) == 1
	}
	return false
}

// empty reports whether the password is known and empty.
func (s Secret) empty() bool { return s.hasPlain && s.password == "" }

const redacted = "[secret]"

// String says nothing.
func (s Secret) String() string { return redacted }

// GoString says nothing.
func (s Secret) GoString() string { return redacted }

// LogValue says nothing.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format says nothing, whatever the verb: %d would print the fields.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }
