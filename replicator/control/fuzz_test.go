package control

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// FuzzStatus: whatever a server shows of its replication, it is read or refused,
// judged, and planned for; and no plan sets a source that is refused.
func FuzzStatus(f *testing.F) {
	f.Add("9.7.4", "bw", "3309", "Yes", "No", "1062", "executing transaction 'x:1'", "", "1.000")
	f.Add("10.11.1-MariaDB", "", "-1", "Preparing", "Connecting", "x", "Gtid 0-1-4", "0-1-4", "1e300")
	f.Add("5.7.44", "a:b", "99999999999999999999", "", "?", "-5", "", ",", "NaN")
	f.Fuzz(func(t *testing.T, version, host, port, receiver, applier, number, text, set, beat string) {
		d, err := dialect.For(version)
		if err != nil {
			return
		}
		row := map[string]string{"Last_IO_Errno": number, "Last_SQL_Errno": number, "Last_IO_Error": text, "Last_SQL_Error": text}
		for term, value := range map[dialect.Term]string{
			dialect.ColumnHost: host, dialect.ColumnPort: port, dialect.ColumnReceiver: receiver, dialect.ColumnApplier: applier,
			dialect.ColumnRetrieved: set, dialect.ColumnHeartbeat: beat, dialect.ColumnLag: port, dialect.ColumnRetryCount: number,
		} {
			row[d.Say(term)] = value
		}
		s, err := parseStatus(d, []map[string]string{row})
		if err != nil {
			return
		}
		v := Judge(s, History{})
		if v.State == StateUnknown || v.State == StateBroken && v.Hint == "" {
			t.Errorf("%+v: %v", s, v)
		}
		p, err := planAttach("node", &s, Source{Host: host, Port: 1, User: text, Password: set, TLS: TLSOff}, nil)
		if err != nil && p.change {
			t.Errorf("refused and changed: %v", err)
		}
	})
}

// FuzzQuote: a quoted text ends where it should, for a session without a
// sql_mode.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "it's", `\`, `\'`, `'; DROP`, "\\\\'", "é'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		quoted := quote(text)
		if got, rest := unquote(quoted); got != text || rest != "" {
			t.Errorf("%q became %q: %q, and %q behind it", text, quoted, got, rest)
		}
	})
}

// unquote reads a string as a server does, and returns what is behind it.
func unquote(quoted string) (text, rest string) {
	var b strings.Builder
	for i := 1; i < len(quoted); i++ {
		switch {
		case quoted[i] == '\\' && i+1 < len(quoted):
			i++
		case quoted[i] == '\'' && i+1 < len(quoted) && quoted[i+1] == '\'':
			i++
		case quoted[i] == '\'':
			return b.String(), quoted[i+1:]
		}
		b.WriteByte(quoted[i])
	}
	return b.String(), "not closed"
}
