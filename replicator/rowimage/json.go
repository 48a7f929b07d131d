package rowimage

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// The types of a binary JSON value (json_binary.h).
const (
	jsonSmallObject = 0
	jsonLargeObject = 1
	jsonSmallArray  = 2
	jsonLargeArray  = 3
	jsonLiteral     = 4
	jsonInt16       = 5
	jsonUint16      = 6
	jsonInt32       = 7
	jsonUint32      = 8
	jsonInt64       = 9
	jsonUint64      = 10
	jsonDouble      = 11
	jsonString      = 12
	jsonOpaque      = 15
)

// deepest bounds nesting, as the server does.
const deepest = 100

// document writes a binary JSON document as text; where it cannot be read it is
// returned as its bytes.
func document(raw []byte) any {
	if len(raw) == 0 {
		return Document("null")
	}
	var b strings.Builder
	d := decoder{out: &b}
	if d.value(raw[0], raw[1:], 0); d.failed {
		return raw
	}
	return Document(b.String())
}

type decoder struct {
	out    *strings.Builder
	failed bool
}

func (d *decoder) value(kind byte, raw []byte, depth int) {
	if depth > deepest {
		d.failed = true
		return
	}
	switch kind {
	case jsonSmallObject, jsonSmallArray:
		d.container(raw, 2, kind == jsonSmallObject, depth)
	case jsonLargeObject, jsonLargeArray:
		d.container(raw, 4, kind == jsonLargeObject, depth)
	case jsonString:
		d.text(variable(raw))
	case jsonOpaque:
		if len(raw) == 0 {
			d.failed = true
			return
		}
		d.text(variable(raw[1:]))
	default:
		d.scalar(kind, raw)
	}
}

// scalar writes what has a fixed length.
func (d *decoder) scalar(kind byte, raw []byte) {
	r := reader{rest: raw}
	var text string
	switch kind {
	case jsonLiteral:
		text = [...]string{"null", "true", "false"}[min(r.integer(1), 2)]
	case jsonInt16:
		text = strconv.Itoa(int(int16(r.integer(2))))
	case jsonUint16:
		text = strconv.FormatUint(r.integer(2), 10)
	case jsonInt32:
		text = strconv.Itoa(int(int32(r.integer(4))))
	case jsonUint32:
		text = strconv.FormatUint(r.integer(4), 10)
	case jsonInt64:
		text = strconv.FormatInt(int64(r.integer(8)), 10)
	case jsonUint64:
		text = strconv.FormatUint(r.integer(8), 10)
	case jsonDouble:
		text = strconv.FormatFloat(math.Float64frombits(r.integer(8)), 'g', -1, 64)
	default:
		d.failed = true
	}
	d.failed = d.failed || r.failed
	d.out.WriteString(text)
}

// text quotes a string.
func (d *decoder) text(raw []byte) {
	quoted, err := json.Marshal(string(raw))
	d.failed = d.failed || err != nil || raw == nil
	d.out.Write(quoted)
}

// variable reads a string behind its length, seven bits to a byte; nil where it
// does not fit.
func variable(raw []byte) []byte {
	n, shift := uint64(0), 0
	for i, b := range raw[:min(len(raw), 5)] {
		n |= uint64(b&0x7f) << shift
		shift += 7
		if b&0x80 == 0 {
			if n > uint64(len(raw)-i-1) {
				return nil
			}
			return raw[i+1 : i+1+int(n)]
		}
	}
	return nil
}

// container writes an object or an array: the number of elements, its size, the
// places of the keys, the types and places of the values; width is that of a
// place.
func (d *decoder) container(raw []byte, width int, object bool, depth int) {
	r := reader{rest: raw}
	count, size := int(r.integer(width)), r.integer(width)
	entry := 1 + width
	if object {
		entry += width + 2
	}
	if r.failed || size > uint64(len(raw)) || count*entry > len(r.rest) {
		d.failed = true
		return
	}
	keys := reader{}
	if object {
		keys.rest = r.take(count * (width + 2))
	}
	open, end := "[", "]"
	if object {
		open, end = "{", "}"
	}
	d.out.WriteString(open)
	for i := range count {
		if i > 0 {
			d.out.WriteString(", ")
		}
		if object {
			at, n := keys.integer(width), keys.integer(2)
			d.text(slice(raw, at, n))
			d.out.WriteString(": ")
		}
		d.element(raw, &r, width, depth)
	}
	d.out.WriteString(end)
}

// element writes one value, which stands in its entry where it is short enough.
func (d *decoder) element(raw []byte, r *reader, width, depth int) {
	kind := byte(r.integer(1))
	field := r.take(width)
	if d.failed = d.failed || r.failed; d.failed {
		return
	}
	inline := kind == jsonLiteral || kind == jsonInt16 || kind == jsonUint16 || width == 4 && (kind == jsonInt32 || kind == jsonUint32)
	if inline {
		d.scalar(kind, field)
		return
	}
	at := uint64(binary.LittleEndian.Uint16(field))
	if width == 4 {
		at = uint64(binary.LittleEndian.Uint32(field))
	}
	if at >= uint64(len(raw)) {
		d.failed = true
		return
	}
	d.value(kind, raw[at:], depth+1)
}

// slice is a part of raw; nil where it does not fit.
func slice(raw []byte, at, n uint64) []byte {
	if at+n > uint64(len(raw)) {
		return nil
	}
	return raw[at : at+n]
}
