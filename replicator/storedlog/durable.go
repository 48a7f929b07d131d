package storedlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
)

// markName is the file that remembers how far the log was durable: the
// number of a file, an offset in it, a CRC32. It is written after an fsync of
// the log and is itself not fsynced, so what it says is a lower bound.
const markName = "durable"

const markSize = 8 + 8 + 4

// remember writes how far the log is durable.
func (l *Log) remember(number uint64, offset int64) error {
	if l.writer.mark == nil {
		f, err := l.disk.open(markName, toWrite)
		if errors.Is(err, fs.ErrNotExist) {
			f, err = l.disk.create(markName)
		}
		if err != nil {
			return l.fail(fmt.Errorf("remember what is durable: %w", err))
		}
		l.writer.mark = f
	}
	out := binary.LittleEndian.AppendUint64(make([]byte, 0, markSize), number)
	out = binary.LittleEndian.AppendUint64(out, uint64(offset))
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
	if _, err := l.writer.mark.WriteAt(out, 0); err != nil {
		return l.fail(fmt.Errorf("remember what is durable: %w", err))
	}
	return nil
}

func (l *Log) closeMark() error {
	f := l.writer.mark
	if l.writer.mark = nil; f == nil {
		return nil
	}
	return f.Close()
}

// remembered is what remember wrote last; 0 where that is not known.
func remembered(d disk) (number uint64, offset int64, err error) {
	raw, err := readWhole(d, markName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil || len(raw) != markSize || crc32.ChecksumIEEE(raw[:16]) != binary.LittleEndian.Uint32(raw[16:]) {
		return 0, 0, err
	}
	return binary.LittleEndian.Uint64(raw), int64(binary.LittleEndian.Uint64(raw[8:])), nil
}
