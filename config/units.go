package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time that is written with its unit: 250ms, 10s, 1h30m.
type Duration time.Duration

// UnmarshalText parses a span; a number without a unit is an error, and so is
// a negative one.
func (d *Duration) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 250ms, 10s or 1h30m", text)
	}
	if span < 0 {
		return fmt.Errorf("%q is negative", text)
	}
	*d = Duration(span)
	return nil
}

// String returns the span as a configuration would write it.
func (d Duration) String() string { return time.Duration(d).String() }

// Size is a number of bytes that is written with a unit: 16KB, 64MB, 1GB, each
// 1024 times the one before, as the servers count.
type Size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

// UnmarshalText parses a size.
func (s *Size) UnmarshalText(text []byte) error {
	word := strings.ToUpper(strings.TrimSpace(string(text)))
	for _, unit := range units {
		number, ok := strings.CutSuffix(word, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/unit.bytes {
			break
		}
		*s = Size(n * unit.bytes)
		return nil
	}
	return fmt.Errorf("%q is not a size such as 512KB, 64MB or 1GB", text)
}

// String returns the size in the largest unit that divides it.
func (s Size) String() string {
	for _, unit := range units {
		if s != 0 && int64(s)%unit.bytes == 0 {
			return strconv.FormatInt(int64(s)/unit.bytes, 10) + unit.suffix
		}
	}
	return "0B"
}
