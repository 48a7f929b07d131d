package storedlog

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// plainMagic begins every binary log, sealedMagic an encrypted file of ours.
const (
	plainMagic  = "\xfebin"
	sealedMagic = "\xfdbw1"
)

// sealedHeader is what stands before the encrypted bytes: the magic and the
// nonce.
const sealedHeader = int64(len(sealedMagic) + aes.BlockSize)

// sealedFile is a file whose bytes behind a header are encrypted with
// AES-256 in counter mode, so that they can be read from anywhere. Offsets and
// sizes are those of the plain bytes.
type sealedFile struct {
	file
	block cipher.Block
	nonce [aes.BlockSize]byte
}

// wrapNew makes a file that create made one of the log: with a key it gets a
// header and is encrypted from here on.
func wrapNew(f file, key []byte) (file, error) {
	if key == nil {
		return f, nil
	}
	s, err := newSealed(f, key)
	if err != nil {
		return nil, err
	}
	if _, err := rand.Read(s.nonce[:]); err != nil {
		return nil, err
	}
	_, err = f.WriteAt(append([]byte(sealedMagic), s.nonce[:]...), 0)
	return s, err
}

// wrap makes an open file one of the log, encrypted or not as its first bytes
// say it, so that a log may change from one to the other.
func wrap(f file, key []byte) (file, error) {
	var header [sealedHeader]byte
	n, err := f.ReadAt(header[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n < len(header) || string(header[:len(sealedMagic)]) != sealedMagic {
		return f, nil
	}
	if key == nil {
		return nil, fmt.Errorf("it is encrypted: %w", ErrKey)
	}
	s, err := newSealed(f, key)
	if err != nil {
		return nil, err
	}
	s.nonce = [aes.BlockSize]byte(header[len(sealedMagic):])
	return s, s.checkKey()
}

// checkKey relies on what every file of ours begins with.
func (s *sealedFile) checkKey() error {
	var first [len(plainMagic)]byte
	n, err := s.ReadAt(first[:], 0)
	if n == len(first) && string(first[:]) != plainMagic && string(first[:]) != indexMagic {
		return ErrKey
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func newSealed(f file, key []byte) (*sealedFile, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("a key of %d bytes, not 32: %w", len(key), ErrKey)
	}
	block, err := aes.NewCipher(key)
	return &sealedFile{file: f, block: block}, err
}

// stream is the key stream from a plain offset on.
func (s *sealedFile) stream(off int64) cipher.Stream {
	iv := s.nonce
	low := binary.BigEndian.Uint64(iv[8:])
	sum := low + uint64(off)/aes.BlockSize
	if sum < low {
		binary.BigEndian.PutUint64(iv[:], binary.BigEndian.Uint64(iv[:])+1)
	}
	binary.BigEndian.PutUint64(iv[8:], sum)
	stream := cipher.NewCTR(s.block, iv[:])
	var skip [aes.BlockSize]byte
	stream.XORKeyStream(skip[:off%aes.BlockSize], skip[:off%aes.BlockSize])
	return stream
}

// ReadAt decrypts.
func (s *sealedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := s.file.ReadAt(b, off+sealedHeader)
	s.stream(off).XORKeyStream(b[:n], b[:n])
	return n, err
}

// WriteAt encrypts a copy of b, a piece at a time.
func (s *sealedFile) WriteAt(b []byte, off int64) (done int, err error) {
	stream := s.stream(off)
	buf := make([]byte, min(len(b), 64<<10))
	for len(b) > 0 && err == nil {
		n := copy(buf, b)
		stream.XORKeyStream(buf[:n], b[:n])
		n, err = s.file.WriteAt(buf[:n], off+sealedHeader+int64(done))
		done, b = done+n, b[n:]
	}
	return done, err
}

// Truncate counts plain bytes.
func (s *sealedFile) Truncate(size int64) error { return s.file.Truncate(size + sealedHeader) }

// zero leaves bytes that decrypt to nonsense, and no part of a key stream used.
func (s *sealedFile) zero(from, to int64) error {
	return s.file.zero(from+sealedHeader, to+sealedHeader)
}

func (s *sealedFile) size() (int64, error) {
	n, err := s.file.size()
	return max(0, n-sealedHeader), err
}
