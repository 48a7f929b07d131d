package storedlog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// prefix begins the name of each of the log's files.
const prefix = "bellwether."

// indexSuffix ends the name of a file's index.
const indexSuffix = ".index"

// nameOf is the name of a file by its number.
func nameOf(number uint64) string { return fmt.Sprintf("%s%06d", prefix, number) }

// numberOf undoes nameOf.
func numberOf(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && nameOf(n) == name
}

// segment is one file of the log. What stands before the blank line does not
// change; the rest is guarded by Log.mu.
type segment struct {
	number uint64
	name   string
	format event.Event
	before *cluster.GTIDSet
	start  int64 // of the first transaction

	visible int64  // end of the last transaction that may be shown
	marks   []mark // sparse
	marked  bool   // marks has them all; otherwise the file's index does
}

// mark says what came before a transaction that begins at offset. It is a
// value.
type mark struct {
	offset int64
	before *cluster.GTIDSet
}

// markDistance is how far marks are apart: what a start has to read at most,
// beside one transaction.
const markDistance = 1 << 20

func (s *segment) empty() bool { return s.visible <= s.start }

// header is what a new file begins with.
func (s *segment) header(serverID uint32) []byte {
	out := append([]byte(plainMagic), s.format...)
	h := event.Stamp{ServerID: serverID, Timestamp: s.format.Timestamp(), Checksum: true}
	h.LogPos = uint32(len(appendSet(slices.Clone(out), s.before, h)))
	return appendSet(out, s.before, h)
}

// appendSet writes the event of the flavour that says what came before.
func appendSet(dst []byte, set *cluster.GTIDSet, h event.Stamp) []byte {
	if set.Flavour() == cluster.FlavourMariaDB {
		return event.AppendGTIDList(dst, set, h)
	}
	return event.AppendPreviousGTIDs(dst, set, h)
}

// errHeader says that a file does not begin as each file of a log does: it was
// being made when the machine stopped, or it is none.
var errHeader = errors.New("no header of a stored file")

// readSegment reads the header of a file. An error wraps errHeader where its
// bytes are to blame.
func readSegment(f file, number uint64) (*segment, error) {
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	s := &segment{number: number, name: nameOf(number), visible: size}
	magic := make([]byte, len(plainMagic))
	if n, err := f.ReadAt(magic, 0); n < len(magic) || string(magic) != plainMagic {
		return nil, headerError(number, errors.Join(errHeader, notEOF(err)))
	}
	w := &walker{from: f, at: int64(len(plainMagic)), end: size, first: headerWindow}
	for range 2 {
		e, err := w.next()
		if err == nil && !e.ChecksumOK() {
			err = ErrChecksum
		}
		if err == nil {
			err = s.take(e)
		}
		if err != nil {
			return nil, headerError(number, blame(err))
		}
	}
	if s.before == nil || s.format == nil {
		return nil, headerError(number, errHeader)
	}
	s.start = w.at
	return s, nil
}

// take reads one of the two events of a header.
func (s *segment) take(e event.Event) (err error) {
	switch e.Type() {
	case event.FormatDescription:
		s.format = slices.Clone(e)
		_, err = event.ParseFormat(e)
	case event.PreviousGTIDs, event.MariaGTIDList:
		s.before, err = event.ParseSet(e, true)
	default:
		err = errHeader
	}
	return err
}

func headerError(number uint64, err error) error {
	return fmt.Errorf("read header of %s: %w", nameOf(number), err)
}

// torn says whether an error is about the bytes that were read and not about
// reading them.
func torn(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, event.ErrMalformed) || errors.Is(err, event.ErrStream) ||
		errors.Is(err, ErrChecksum) || errors.Is(err, cluster.ErrGTIDSyntax) || errors.Is(err, errHeader)
}

// blame marks an error about the bytes as errHeader.
func blame(err error) error {
	if torn(err) {
		return errors.Join(errHeader, err)
	}
	return err
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// flavour of the servers whose log it is.
func (s *segment) flavour() cluster.Flavour { return s.before.Flavour() }

// lastWithin returns the last of marks whose set is within have. marks[0]
// must be.
func lastWithin(marks []mark, have *cluster.GTIDSet) mark {
	i, _ := slices.BinarySearchFunc(marks, true, func(m mark, _ bool) int {
		if have.ContainsSet(m.before) {
			return -1
		}
		return cmp.Compare(1, 0)
	})
	return marks[max(0, i-1)]
}
