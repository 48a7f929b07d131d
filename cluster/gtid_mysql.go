package cluster

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// gtidMax is the highest transaction number that MySQL gives (GNO_END - 1).
const gtidMax = 1<<63 - 2

// gtidTagMax is the longest tag that MySQL accepts.
const gtidTagMax = 32

// gtidSource is what one server (and tag) contributed to a MySQL set.
type gtidSource struct {
	uuid      [16]byte
	tag       string         // lower case, "" without one
	intervals []gtidInterval // ordered, disjoint, never adjacent, never none
}

// gtidInterval holds the numbers from first to last, both included.
type gtidInterval struct{ first, last uint64 }

// compareSources orders by uuid, then by tag, the untagged first.
func compareSources(a, b gtidSource) int {
	if c := bytes.Compare(a.uuid[:], b.uuid[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.tag, b.tag)
}

// parseMySQLSet reads "uuid:1-3:5:tag:1-2, uuid:tag:7".
func parseMySQLSet(text string) (*GTIDSet, error) {
	var sources []gtidSource
	if strings.TrimSpace(text) != "" {
		for part := range strings.SplitSeq(text, ",") {
			var err error
			if sources, err = parseSource(sources, part); err != nil {
				return nil, fmt.Errorf("parse GTID set: %q: %w", clip(part), err)
			}
		}
	}
	return &GTIDSet{flavour: FlavourMySQL, sources: normaliseSources(sources)}, nil
}

// parseSource reads one uuid and what follows it, up to the comma. A tag holds
// for the intervals behind it, up to the next tag.
func parseSource(dst []gtidSource, part string) ([]gtidSource, error) {
	fields := strings.Split(part, ":")
	uuid, err := parseUUID(strings.TrimSpace(fields[0]))
	if err != nil {
		return dst, err
	}
	current := gtidSource{uuid: uuid}
	tagOpen := true // nothing came yet that needs intervals
	for _, field := range fields[1:] {
		field = strings.TrimSpace(field)
		if tag, ok := parseTag(field); ok {
			if current.tag != "" && len(current.intervals) == 0 {
				return dst, fmt.Errorf("tag %q without an interval: %w", current.tag, ErrGTIDSyntax)
			}
			dst = append(dst, current)
			current, tagOpen = gtidSource{uuid: uuid, tag: tag}, true
			continue
		}
		interval, err := parseInterval(field)
		if err != nil {
			return dst, err
		}
		current.intervals, tagOpen = append(current.intervals, interval), false
	}
	if tagOpen {
		return dst, fmt.Errorf("no interval at the end: %w", ErrGTIDSyntax)
	}
	return append(dst, current), nil
}

// parseUUID reads the form with dashes, the only one that servers print.
func parseUUID(text string) (uuid [16]byte, err error) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return uuid, fmt.Errorf("no server uuid in front: %w", ErrGTIDSyntax)
	}
	plain := text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
	if _, err := hex.Decode(uuid[:], []byte(plain)); err != nil {
		return uuid, fmt.Errorf("no server uuid in front: %w", ErrGTIDSyntax)
	}
	return uuid, nil
}

// parseTag accepts a letter or underscore, then letters, digits, underscores.
func parseTag(text string) (tag string, ok bool) {
	if text == "" || len(text) > gtidTagMax || text[0] >= '0' && text[0] <= '9' {
		return "", false
	}
	for i := range len(text) {
		c := text[i] | 0x20
		if (c < 'a' || c > 'z') && (text[i] < '0' || text[i] > '9') && text[i] != '_' {
			return "", false
		}
	}
	return strings.ToLower(text), true
}

// parseInterval reads "5" or "1-3".
func parseInterval(text string) (gtidInterval, error) {
	from, to, ranged := strings.Cut(text, "-")
	first, err := parseNumber(from)
	if err != nil || !ranged {
		return gtidInterval{first, first}, err
	}
	last, err := parseNumber(to)
	if err == nil && last < first {
		err = fmt.Errorf("interval %q ends before it begins: %w", clip(text), ErrGTIDSyntax)
	}
	return gtidInterval{first, last}, err
}

// parseNumber reads a transaction number: digits only, 1 or more.
func parseNumber(text string) (uint64, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < 1 || n > gtidMax || text[0] == '+' {
		return 0, fmt.Errorf("transaction number %q: %w", clip(text), ErrGTIDSyntax)
	}
	return n, nil
}

// clip shortens what an error repeats of its input.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

// normaliseSources orders, merges and drops what is empty; it takes over src.
func normaliseSources(src []gtidSource) []gtidSource {
	slices.SortStableFunc(src, compareSources)
	out := src[:0]
	for _, source := range src {
		switch {
		case len(source.intervals) == 0:
		case len(out) > 0 && compareSources(out[len(out)-1], source) == 0:
			top := &out[len(out)-1]
			top.intervals = append(top.intervals, source.intervals...)
		default:
			out = append(out, source)
		}
	}
	for i := range out {
		out[i].intervals = mergeIntervals(out[i].intervals)
	}
	return out
}

// mergeIntervals orders intervals and joins those that touch, in place.
func mergeIntervals(src []gtidInterval) []gtidInterval {
	slices.SortFunc(src, func(a, b gtidInterval) int { return cmp.Compare(a.first, b.first) })
	out := src[:1]
	for _, next := range src[1:] {
		top := &out[len(out)-1]
		if next.first <= top.last+1 {
			top.last = max(top.last, next.last)
			continue
		}
		out = append(out, next)
	}
	return out
}

// findIntervals returns the intervals of a source, nil where there is none.
func findIntervals(in []gtidSource, key gtidSource) []gtidInterval {
	if i, ok := slices.BinarySearchFunc(in, key, compareSources); ok {
		return in[i].intervals
	}
	return nil
}

// containsSources says whether all of want is in have.
func containsSources(have, want []gtidSource) bool {
	for _, source := range want {
		intervals := findIntervals(have, source)
		for _, interval := range source.intervals {
			if !containsInterval(intervals, interval) {
				return false
			}
		}
	}
	return true
}

// containsInterval relies on have never holding adjacent intervals: what is
// wanted lies in one of them or is not contained.
func containsInterval(have []gtidInterval, want gtidInterval) bool {
	i, _ := slices.BinarySearchFunc(have, want, func(h, w gtidInterval) int { return cmp.Compare(h.last, w.last) })
	return i < len(have) && have[i].first <= want.first
}

// uniteSources returns what is in a or b, sharing nothing that it changes.
func uniteSources(a, b []gtidSource) []gtidSource {
	all := make([]gtidSource, 0, len(a)+len(b))
	for _, source := range slices.Concat(a, b) {
		source.intervals = slices.Clone(source.intervals)
		all = append(all, source)
	}
	return normaliseSources(all)
}

// subtractSources returns what is in a and not in b.
func subtractSources(a, b []gtidSource) []gtidSource {
	var out []gtidSource
	for _, source := range a {
		source.intervals = subtractIntervals(source.intervals, findIntervals(b, source))
		if len(source.intervals) > 0 {
			out = append(out, source)
		}
	}
	return out
}

// subtractIntervals walks both ordered lists once.
func subtractIntervals(a, b []gtidInterval) []gtidInterval {
	var out []gtidInterval
	for _, rest := range a {
		for len(b) > 0 && b[0].last < rest.first {
			b = b[1:]
		}
		for _, hole := range b {
			if hole.first > rest.last {
				break
			}
			if hole.first > rest.first {
				out = append(out, gtidInterval{rest.first, hole.first - 1})
			}
			rest.first = hole.last + 1
		}
		if rest.first <= rest.last {
			out = append(out, rest)
		}
	}
	return out
}

// countSources adds up the lengths of all intervals.
func countSources(sources []gtidSource) (n uint64) {
	for _, source := range sources {
		for _, interval := range source.intervals {
			n += interval.last - interval.first + 1
		}
	}
	return n
}

// formatSources writes a uuid once, the untagged intervals first, as MySQL does.
func formatSources(sources []gtidSource) string {
	var out []byte
	for i, source := range sources {
		if i == 0 || sources[i-1].uuid != source.uuid {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendUUID(out, source.uuid)
		}
		if source.tag != "" {
			out = append(append(out, ':'), source.tag...)
		}
		for _, interval := range source.intervals {
			out = appendInterval(out, interval)
		}
	}
	return string(out)
}

// appendUUID writes a uuid with its dashes.
func appendUUID(out []byte, uuid [16]byte) []byte {
	for i, b := range uuid {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, []byte{b})
	}
	return out
}

// appendInterval writes ":5" or ":1-3".
func appendInterval(out []byte, interval gtidInterval) []byte {
	out = strconv.AppendUint(append(out, ':'), interval.first, 10)
	if interval.last == interval.first {
		return out
	}
	return strconv.AppendUint(append(out, '-'), interval.last, 10)
}
