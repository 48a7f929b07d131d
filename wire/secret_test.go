package wire

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	s := PasswordSecret("hunter2")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s)
	outer := struct{ S Secret }{s}
	hash := fmt.Sprint(s.sha1[:3])
	for _, text := range []string{
		s.String(), s.GoString(), log.String(), fmt.Sprintf("%v %+v %#v %d %x %q %s", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v %d %x", outer, outer, outer, outer, &outer),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, hash[1:len(hash)-1]) || strings.Contains(text, "68756e746572") ||
			!strings.Contains(text, redacted) {
			t.Errorf("printed %s", text)
		}
	}
}

func TestSecretKnowledge(t *testing.T) {
	full := PasswordSecret("pw")
	sum, _ := full.SHA256()
	sum1, _ := full.SHA1()
	hashes := SHA256Secret(sum).Join(SHA1Secret(sum1))
	if _, ok := hashes.Password(); ok || !hashes.Same(full) || hashes != full.WithoutPassword() {
		t.Error("hashes do not add up")
	}
	if hashes.Verifier() != full.Verifier() || hashes.NativeHash() != full.NativeHash() {
		t.Error("verifiers differ")
	}
	if (Secret{}).Known() || (Secret{}).Same(Secret{}) || full.Same(PasswordSecret("PW")) || SHA1Secret(sum1).Same(SHA256Secret(sum)) {
		t.Error("nothing taken for something")
	}
	if (Secret{}).Verifier() != [32]byte{} || (Secret{}).NativeHash() != [20]byte{} {
		t.Error("a verifier of nothing")
	}
}

// TestScrambleVectors checks against values that other implementations publish:
// go-sql-driver's and the MySQL source's tests.
func TestScrambleVectors(t *testing.T) {
	nonce := []byte{10, 47, 74, 111, 75, 73, 34, 48, 88, 76, 114, 74, 37, 13, 3, 80, 82, 2, 23, 21}
	for _, tc := range []struct{ password, want string }{
		{"secret", "f490e76f66d9d86665ce54d98c78d0acfe2fb0b08b423da807144873d30b312c"},
		{"secret2", "abc3934a012cf342e876071c8ee202de51785b430258a7a0138bc79c4d800bc6"},
	} {
		s := PasswordSecret(tc.password)
		got := scrambleSHA2(s.sha256, nonce)
		if hex.EncodeToString(got) != tc.want {
			t.Errorf("%s: %x", tc.password, got)
		}
		v := s.Verifier()
		if digest, ok := unscrambleSHA2(got, nonce, v[:]); !ok || digest != s.sha256 {
			t.Errorf("%s: not recovered", tc.password)
		}
	}
}

func TestNativeScramble(t *testing.T) {
	// SELECT PASSWORD('secret') on MariaDB.
	want, err := ParseNativeHash("*14E65567ABDB5135D0CFD9A70B3032C179A49EE7")
	if err != nil {
		t.Fatal(err)
	}
	s := PasswordSecret("secret")
	if h := s.NativeHash(); !bytes.Equal(h[:], want) {
		t.Errorf("hash %x", h)
	}
	nonce := newNonce()
	answer := scrambleNative(s.sha1, nonce)
	if digest, ok := unscrambleNative(answer, nonce, want); !ok || digest != s.sha1 {
		t.Error("not recovered")
	}
	answer[0] ^= 1
	if _, ok := unscrambleNative(answer, nonce, want); ok {
		t.Error("a wrong answer passed")
	}
	if _, ok := unscrambleNative(answer[:sha1.Size-1], nonce, want); ok {
		t.Error("a short answer passed")
	}
}

func TestParseHashes(t *testing.T) {
	for _, bad := range []string{"", "*", "14E65567ABDB5135D0CFD9A70B3032C179A49EE7", "*14E65567ABDB5135D0CFD9A70B3032C179A49EEX"} {
		if _, err := ParseNativeHash(bad); err == nil {
			t.Errorf("%q passed", bad)
		}
		if _, err := ParseVerifier(bad); err == nil {
			t.Errorf("%q passed as a verifier", bad)
		}
	}
	v := PasswordSecret("x").Verifier()
	if got, err := ParseVerifier(hex.EncodeToString(v[:])); err != nil || !bytes.Equal(got, v[:]) {
		t.Error(err)
	}
}

func TestNonces(t *testing.T) {
	for range 2000 {
		for _, b := range newNonce() {
			if b == 0 || b == '$' || b > 127 {
				t.Fatalf("byte %d in a nonce", b)
			}
		}
	}
}

func TestPasswordsOverRSA(t *testing.T) {
	key := testIdentity().RSA
	text, err := publicKeyPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := parsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	nonce := newNonce()
	for _, password := range []string{"", "pw", strings.Repeat("long", 40)} {
		message, err := encryptPassword(password, nonce, public)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decryptPassword(message, nonce, key); err != nil || got != password {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := decryptPassword(message[:len(message)-1], nonce, key); err == nil {
			t.Error("a cut message was decrypted")
		}
	}
}

func TestCertificateIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	first, key, err := LoadOrMakeCertificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, sameKey, err := LoadOrMakeCertificate(dir)
	if err != nil || !bytes.Equal(first.Certificate[0], second.Certificate[0]) || !key.Equal(sameKey) {
		t.Fatalf("made anew: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, certificateFile)); err != nil {
		t.Fatal(err)
	}
	if _, sameKey, err = LoadOrMakeCertificate(dir); err != nil || !key.Equal(sameKey) {
		t.Fatalf("a lost certificate: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadOrMakeCertificate(dir); err == nil {
		t.Error("rubbish was taken for a key")
	}
}
