package wire

import "strconv"

// TrackType says what an entry of a session-track block is about
// (enum_session_state_type).
type TrackType byte

// The types of entries.
const (
	TrackSystemVariable             TrackType = 0
	TrackSchema                     TrackType = 1
	TrackStateChange                TrackType = 2
	TrackGTIDs                      TrackType = 3
	TrackTransactionCharacteristics TrackType = 4
	TrackTransactionState           TrackType = 5
)

var trackNames = [...]string{
	"system-variable", "schema", "state-change", "gtids", "transaction-characteristics", "transaction-state",
}

// String names the type in kebab-case.
func (t TrackType) String() string {
	if int(t) < len(trackNames) {
		return trackNames[t]
	}
	return "track-" + strconv.Itoa(int(t))
}

// TrackEntry is one entry of a session-track block, borrowed from it.
type TrackEntry struct {
	Type TrackType
	Data []byte // as sent; Variable and Value decode it
	raw  []byte // with type and length
}

// Variable returns name and value of a TrackSystemVariable entry, borrowed.
func (e TrackEntry) Variable() (name, value []byte, err error) {
	r := reader{rest: e.Data}
	name, value = r.lenencBytes(), r.lenencBytes()
	if e.Type != TrackSystemVariable || r.bad || len(r.rest) > 0 {
		return nil, nil, ErrMalformed
	}
	return name, value, nil
}

// Value returns the one string of every other type, borrowed: the schema's
// name, "1" or "0" for a state change, the GTIDs, the statements that bring
// the transaction's characteristics back, the transaction state's eight letters.
func (e TrackEntry) Value() ([]byte, error) {
	r := reader{rest: e.Data}
	switch e.Type {
	case TrackSchema, TrackStateChange, TrackTransactionCharacteristics, TrackTransactionState:
	case TrackGTIDs:
		r.uint8() // the encoding, of which there is one: the set as text
	default:
		return nil, ErrMalformed
	}
	value := r.lenencBytes()
	if r.bad || len(r.rest) > 0 {
		return nil, ErrMalformed
	}
	return value, nil
}

// TrackReader iterates over the entries of a session-track block ([OK].Track).
// One goroutine; it borrows the block and allocates nothing.
type TrackReader struct{ r reader }

// NewTrackReader returns a reader of block.
func NewTrackReader(block []byte) TrackReader { return TrackReader{r: reader{rest: block}} }

// Next sets e to the next entry; false at the end, see Err. Types that are not
// known here are returned too.
func (t *TrackReader) Next(e *TrackEntry) bool {
	if t.r.bad || len(t.r.rest) == 0 {
		return false
	}
	start := t.r.rest
	e.Type = TrackType(t.r.uint8())
	e.Data = t.r.lenencBytes()
	e.raw = start[:len(start)-len(t.r.rest)]
	return !t.r.bad
}

// Err returns ErrMalformed when Next ended before the block did.
func (t *TrackReader) Err() error { return t.r.err() }

// FilterTrack appends to dst the entries of block that keep returns true for,
// in their order; a nil keep keeps all.
func FilterTrack(dst, block []byte, keep func(TrackEntry) bool) ([]byte, error) {
	t := NewTrackReader(block)
	var e TrackEntry
	for t.Next(&e) {
		if keep == nil || keep(e) {
			dst = append(dst, e.raw...)
		}
	}
	return dst, t.Err()
}

// keepsAll reports whether keep wants every entry of block.
func keepsAll(block []byte, keep func(TrackEntry) bool) (bool, error) {
	t := NewTrackReader(block)
	var e TrackEntry
	for t.Next(&e) {
		if keep != nil && !keep(e) {
			return false, nil
		}
	}
	return true, t.Err()
}

// AppendTrackVariable appends a TrackSystemVariable entry.
func AppendTrackVariable(dst []byte, name, value string) []byte {
	data := AppendLenencString(AppendLenencString(nil, name), value)
	return AppendLenencBytes(append(dst, byte(TrackSystemVariable)), data)
}

// InsertSchema returns a session-track block with a TrackSchema entry where
// servers put it: behind the variables.
func InsertSchema(block, schema []byte) []byte {
	t := NewTrackReader(block)
	at := 0
	for e := (TrackEntry{}); t.Next(&e) && e.Type == TrackSystemVariable; {
		at = len(block) - len(t.r.rest)
	}
	return append(AppendTrackValue(block[:at:at], TrackSchema, string(schema)), block[at:]...)
}

// AppendTrackValue appends an entry of any type but TrackSystemVariable.
func AppendTrackValue(dst []byte, t TrackType, value string) []byte {
	var data []byte
	if t == TrackGTIDs {
		data = append(data, 0)
	}
	return AppendLenencBytes(append(dst, byte(t)), AppendLenencString(data, value))
}
