package storedlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// An index file stands beside a file that is no longer written. It holds the
// magic, the length of that file, the marks (an offset and a set's event each)
// and a CRC32. It is not fsynced: one that does not fit is made again.
const indexMagic = "\xfcbwi"

var errIndex = errors.New("the index does not fit")

// encodeIndex writes marks of a file of that length.
func encodeIndex(size int64, marks []mark) []byte {
	out := binary.LittleEndian.AppendUint64([]byte(indexMagic), uint64(size))
	for _, m := range marks {
		out = binary.LittleEndian.AppendUint64(out, uint64(m.offset))
		out = appendSet(out, m.before, event.Stamp{})
	}
	return binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
}

// decodeIndex reads what encodeIndex writes.
func decodeIndex(raw []byte, size int64) (marks []mark, err error) {
	const fixed = len(indexMagic) + 8
	if len(raw) < fixed+4 || string(raw[:4]) != indexMagic || binary.LittleEndian.Uint64(raw[4:]) != uint64(size) {
		return nil, errIndex
	}
	body, sum := raw[:len(raw)-4], binary.LittleEndian.Uint32(raw[len(raw)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return nil, errIndex
	}
	for rest := body[fixed:]; len(rest) > 0; {
		if len(rest) < 8 {
			return nil, errIndex
		}
		m := mark{offset: int64(binary.LittleEndian.Uint64(rest))}
		e, err := event.Next(rest[8:])
		if err != nil {
			return nil, errors.Join(errIndex, err)
		}
		if m.before, err = event.ParseSet(e, false); err != nil {
			return nil, errors.Join(errIndex, err)
		}
		marks, rest = append(marks, m), rest[8+len(e):]
	}
	return marks, nil
}

// saveIndex writes a file's index.
func saveIndex(d disk, key []byte, s *segment, size int64, marks []mark) (err error) {
	name := s.name + indexSuffix
	if err := d.remove(name); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	raw, err := d.create(name)
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	f, err := wrapNew(raw, key)
	if err == nil {
		_, err = f.WriteAt(encodeIndex(size, marks), 0)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// loadIndex reads a file's index.
func loadIndex(d disk, key []byte, s *segment, size int64) (_ []mark, err error) {
	raw, err := d.open(s.name+indexSuffix, toRead)
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	f, err := wrap(raw, key)
	if err != nil {
		return nil, fmt.Errorf("read index of %s: %w", s.name, err)
	}
	n, err := f.size()
	if err != nil {
		return nil, err
	}
	content := make([]byte, n)
	if _, err := f.ReadAt(content, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return decodeIndex(content, size)
}

// marker makes the marks of a file from its transactions, in their order. One
// goroutine uses it.
type marker struct {
	last  int64
	marks []mark
}

// begin is told where a transaction begins and what came before it.
func (m *marker) begin(offset int64, before *cluster.GTIDSet) {
	if offset-m.last >= markDistance {
		m.marks, m.last = append(m.marks, mark{offset, before}), offset
	}
}
