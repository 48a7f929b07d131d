package acceptance

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

const (
	statusNoGoodIndex     = 0x10
	statusNoIndex         = 0x20
	statusMetadataChanged = 0x400
	statusStateChanged    = 0x4000
)

var statementNumber = regexp.MustCompile(`\(\d+\)`)

// statementTold matches the beginning of those errors in a row, with the length
// before it, which the id changes.
var statementTold = regexp.MustCompile(`(?s).(The statement|Unknown prepared statement handler) \(\d+\)`)

// longestTold is more than any row of SHOW ERRORS; others are not searched, some
// have 16 MB.
const longestTold = 1 << 10

// normalise takes out of an answer what legitimately differs between two
// servers. This is the only place that does so; all else must be equal to the
// byte.
//
//   - The id in the answer to COM_STMT_PREPARE: a name that a server (or the
//     proxy) chooses. Metadata after it is compared.
//   - SERVER_STATUS_METADATA_CHANGED: whether the statement was prepared on the
//     serving connection before or after an ALTER. The new metadata is compared.
//   - SERVER_SESSION_STATE_CHANGED with an empty block of changes, which MySQL
//     sends after some commits: it says nothing.
//   - The same flag in a plain EOF packet, which has no room for the changes;
//     MariaDB sets it after reads of information_schema and the like.
//   - The order of the system variables in a packet's session-track data: that
//     of a hash table in the server, which depends on what else is tracked.
//   - The same id in the text of errors 1243 and 1421, also where SHOW ERRORS
//     tells it.
//   - The status flags that say no (good) index was used: they follow the
//     estimates of the optimizer, which each server samples for itself.
//   - The answer to COM_STATISTICS: counters of the server. Its shape is kept.
func normalise(answer rawclient.Answer) rawclient.Answer {
	out := slices.Clone(answer)
	for i, p := range out {
		switch p.Kind {
		case rawclient.KindPrepared:
			p.Payload = slices.Clone(p.Payload)
			copy(p.Payload[1:5], "\x00\x00\x00\x00")
		case rawclient.KindOK, rawclient.KindEOF:
			p = p.SortTracked()
			if at := p.StatusOffset(); at >= 0 && at+1 < len(p.Payload) {
				p.Payload[at] &^= statusNoGoodIndex | statusNoIndex
				p.Payload[at+1] &^= statusMetadataChanged >> 8
				if p.Kind == rawclient.KindEOF && len(p.Payload) == 5 {
					p.Payload[at+1] &^= statusStateChanged >> 8
				}
			}
		case rawclient.KindErr:
			if p.Code() == 1243 || p.Code() == 1421 {
				p.Payload = statementNumber.ReplaceAll(p.Payload, []byte("(id)"))
			}
		case rawclient.KindRow:
			if len(p.Payload) < longestTold {
				p.Payload = statementTold.ReplaceAll(p.Payload, []byte("$1 (id)"))
			}
		case rawclient.KindRaw:
			p.Payload = p.Payload[:min(len(p.Payload), len("Uptime: "))]
		}
		out[i] = p
	}
	return out
}

// withoutWarnings takes the number of warnings out of the OK to COM_INIT_DB: it
// is still that of the statement before, which may have run elsewhere.
func withoutWarnings(answer rawclient.Answer) rawclient.Answer {
	out := slices.Clone(answer)
	for i, p := range out {
		if at := p.StatusOffset(); p.Kind == rawclient.KindOK && at >= 0 && at+3 < len(p.Payload) {
			p.Payload = slices.Clone(p.Payload)
			p.Payload[at+2], p.Payload[at+3] = 0, 0
			out[i] = p
		}
	}
	return out
}

// difference describes how two answers differ, "" when they do not.
func difference(straight, proxied rawclient.Answer) string {
	a, b := normalise(straight), normalise(proxied)
	var out strings.Builder
	for i := range max(len(a), len(b)) {
		if i < len(a) && i < len(b) && a[i].Kind == b[i].Kind && bytes.Equal(a[i].Payload, b[i].Payload) {
			continue
		}
		fmt.Fprintf(&out, "    packet %d\n      straight: %s\n      proxy:    %s\n", i, packetAt(a, i), packetAt(b, i))
		if out.Len() > 3000 {
			out.WriteString("    ...\n")
			break
		}
	}
	return out.String()
}

func packetAt(a rawclient.Answer, i int) string {
	if i >= len(a) {
		return "(nothing)"
	}
	return a[i].String()
}
