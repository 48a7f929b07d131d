package wire

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the exchange is defined with OAEP over SHA1
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// The RSA exchange of caching_sha2_password sends a password over a connection
// without TLS: NUL-terminated, XORed with the nonce, encrypted by OAEP
// (page_caching_sha2_authentication_exchanges).

// encryptPassword encrypts a password for the server's public key.
func encryptPassword(password string, nonce []byte, key *rsa.PublicKey) ([]byte, error) {
	plain := append([]byte(password), 0)
	xorCycle(plain, nonce)
	out, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, plain, nil)
	if err != nil {
		return nil, fmt.Errorf("encrypt password: %w", err)
	}
	return out, nil
}

// decryptPassword is its inverse.
func decryptPassword(message, nonce []byte, key *rsa.PrivateKey) (string, error) {
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, message, nil)
	if err != nil {
		return "", fmt.Errorf("decrypt password: %w", err)
	}
	defer clear(plain)
	xorCycle(plain, nonce)
	return terminated(plain)
}

// terminated takes the NUL off a password.
func terminated(plain []byte) (string, error) {
	if i := bytes.IndexByte(plain, 0); i < 0 || i != len(plain)-1 {
		return "", ErrMalformed
	}
	return string(plain[:len(plain)-1]), nil
}

func xorCycle(b, nonce []byte) {
	for i := range b {
		if len(nonce) > 0 {
			b[i] ^= nonce[i%len(nonce)]
		}
	}
}

func publicKeyPEM(key *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

func parsePublicKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("parse public key: %w", ErrMalformed)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("parse public key: not an RSA key")
	}
	return public, nil
}
