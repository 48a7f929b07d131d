package rowimage

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Number is a DECIMAL, written out.
type Number string

// Moment is a date or a time as SQL writes it, of a TIMESTAMP in UTC.
type Moment string

// Document is a JSON document as text.
type Document string

// value reads one that is not NULL.
func (c *Column) value(r *reader) any {
	if n := c.Type.integerSize(); n > 0 {
		return c.whole(r.integer(n), n)
	}
	switch c.Type {
	case Float:
		return math.Float32frombits(uint32(r.integer(4)))
	case Double:
		return math.Float64frombits(r.integer(8))
	case NewDecimal:
		return Number(decimal(r, int(c.Meta&0xff), int(c.Meta>>8)))
	case Year:
		return yearOf(r.integer(1))
	case Date, Time, DateTime, Timestamp, Timestamp2, DateTime2, Time2:
		return Moment(c.moment(r))
	case Bit:
		return r.bigEndian((int(c.Meta>>8)*8 + int(c.Meta&0xff) + 7) / 8)
	case Enum:
		return r.integer(int(c.Meta))
	case Set:
		return r.integer(int(c.Meta))
	case JSON:
		return document(r.take(int(r.integer(int(c.Meta)))))
	}
	return c.bytes(r)
}

// whole is an integer of n bytes with its sign.
func (c *Column) whole(v uint64, n int) any {
	if c.Unsigned {
		return v
	}
	shift := 64 - 8*n
	return int64(v<<shift) >> shift
}

func yearOf(v uint64) any {
	if v == 0 {
		return int64(0)
	}
	return int64(v) + 1900
}

// bytes reads what is text or raw bytes.
func (c *Column) bytes(r *reader) any {
	switch c.Type {
	case VarChar, VarString, VarCharCompressed, String:
		size := 1
		if c.Meta > 255 {
			size = 2
		}
		return r.take(int(r.integer(size)))
	case TinyBlob, MediumBlob, LongBlob, Blob, BlobCompressed, Geometry, Vector:
		return r.take(int(r.integer(int(c.Meta))))
	}
	r.failed = true
	return nil
}

// moment reads a date or a time.
func (c *Column) moment(r *reader) string {
	switch c.Type {
	case Date:
		v := r.integer(3)
		return fmt.Sprintf("%04d-%02d-%02d", v>>9, v>>5&15, v&31)
	case Time:
		return oldTime(r.integer(3))
	case DateTime:
		v := r.integer(8)
		d, t := v/1000000, v%1000000
		return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", d/10000, d/100%100, d%100, t/10000, t/100%100, t%100)
	case Timestamp:
		return stamp(r.integer(4), "")
	case Timestamp2:
		seconds := r.bigEndian(4)
		return stamp(seconds, c.fraction(r.bigEndian((int(c.Meta)+1)/2)))
	case DateTime2:
		return c.dateTime(r.bigEndian(5)&(1<<39-1), r)
	}
	return c.time(r)
}

func oldTime(v uint64) string {
	signed, sign := int64(v<<40)>>40, ""
	if signed < 0 {
		signed, sign = -signed, "-"
	}
	return fmt.Sprintf("%s%02d:%02d:%02d", sign, signed/10000, signed/100%100, signed%100)
}

func stamp(seconds uint64, fraction string) string {
	if seconds == 0 {
		return "0000-00-00 00:00:00" + fraction
	}
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04:05") + fraction
}

// dateTime: 17 bits of months, 5 of days, 5 hours, 6 minutes, 6 seconds.
func (c *Column) dateTime(v uint64, r *reader) string {
	date, clock := v>>17, v&(1<<17-1)
	months := date >> 5
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", months/13, months%13, date&31, clock>>12, clock>>6&63, clock&63) +
		c.fraction(r.bigEndian((int(c.Meta)+1)/2))
}

// fraction writes the fraction of a second, of as many digits as the column has;
// it is kept in whole pairs of digits.
func (c *Column) fraction(v uint64) string {
	if c.Meta == 0 {
		return ""
	}
	digits := fmt.Sprintf("%0*d", (int(c.Meta)+1)/2*2, v)
	return "." + digits[:min(int(c.Meta), len(digits))]
}

// time: a sign, 10 bits of hours, 6 of minutes, 6 of seconds, and the fraction,
// as one number that counts from the middle of its range.
func (c *Column) time(r *reader) string {
	extra := (int(c.Meta) + 1) / 2
	bits := 8 * (3 + extra)
	v, sign := int64(r.bigEndian(3+extra))-1<<(bits-1), ""
	if v < 0 {
		v, sign = -v, "-"
	}
	whole, rest := v>>(8*extra), v&(1<<(8*extra)-1)
	return sign + fmt.Sprintf("%02d:%02d:%02d", whole>>12&1023, whole>>6&63, whole&63) + c.fraction(uint64(rest))
}

// decimalBytes is how many bytes hold so many of nine digits.
var decimalBytes = [...]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}

// decimal reads a DECIMAL: groups of nine digits, each in four bytes, a shorter
// one at both ends; the highest bit is the sign's, and a negative number is
// inverted.
func decimal(r *reader, precision, scale int) string {
	whole := precision - scale
	size := whole/9*4 + scale/9*4
	if whole < 0 || scale > 38 || precision > 81 {
		r.failed = true
		return ""
	}
	size += decimalBytes[whole%9] + decimalBytes[scale%9]
	raw := append([]byte(nil), r.take(size)...)
	if len(raw) == 0 {
		return "0"
	}
	sign := ""
	negative := raw[0]&0x80 == 0
	raw[0] ^= 0x80
	if negative {
		sign = "-"
		for i := range raw {
			raw[i] = ^raw[i]
		}
	}
	in := reader{rest: raw}
	left := strings.TrimLeft(groups(&in, whole%9, whole/9, true), "0")
	if left == "" {
		left = "0"
	}
	if right := groups(&in, scale%9, scale/9, false); right != "" {
		return sign + left + "." + right
	}
	return sign + left
}

// groups writes the digits of one side; the short group comes first before the
// point and last behind it.
func groups(in *reader, short, long int, first bool) string {
	var b strings.Builder
	part := func() {
		if short > 0 {
			fmt.Fprintf(&b, "%0*d", short, in.bigEndian(decimalBytes[short]))
		}
	}
	if first {
		part()
	}
	for range long {
		fmt.Fprintf(&b, "%09d", in.bigEndian(4))
	}
	if !first {
		part()
	}
	return b.String()
}
