package failover

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// version is a server's: the numbers that it shows.
type version [3]int

// versionOf reads the numbers at the front of what a server shows, zeros where
// it shows none. MariaDB may put 5.5.5- before its own.
func versionOf(n *cluster.Node) (v version) {
	text := strings.TrimPrefix(n.Version, "5.5.5-")
	for i := range v {
		end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(text)
		}
		v[i], _ = strconv.Atoi(text[:end]) // digits or nothing
		if end == len(text) || text[end] != '.' {
			break
		}
		text = text[end+1:]
	}
	return v
}

// compareSeries compares the series, as 8.4 of 8.4.3: a slave of an older series
// is not made to understand what a newer master writes.
func compareSeries(a, b version) int {
	return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}

// compare compares all of it.
func (v version) compare(other version) int {
	return cmp.Or(compareSeries(v, other), cmp.Compare(v[2], other[2]))
}
