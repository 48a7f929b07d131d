package acceptance

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// session is one client in the middle of a program: the connection and what a
// client must remember itself.
type session struct {
	conn     *rawclient.Conn
	account  account
	schema   string
	prepared map[string]*prepared
}

// prepared is what a client knows of one of its prepared statements.
type prepared struct {
	id         uint32
	parameters int
	typed      bool
	// cursor is set once it had a cursor. It is always executed with one then:
	// MySQL 9.7 breaks off in the rows of such a statement's next plain execution.
	cursor byte
	// first are the parameters of the first execution.
	first []rawclient.Value
}

// unknownStatement is a statement id that no server has given.
const unknownStatement = 4_000_000

// step is one line of a program: SQL, or "!" and another command.
type step string

// run does the step and returns the answer.
func (s step) run(c *session) (rawclient.Answer, error) {
	text := c.expand(string(s))
	if !strings.HasPrefix(text, "!") {
		if changesCharset.MatchString(text) {
			clear(c.prepared) // left out: see testdata/themes.txt
		}
		return c.conn.Query(text)
	}
	word, rest, _ := strings.Cut(text[1:], " ")
	switch word {
	case "ping":
		return c.conn.Text(rawclient.ComPing, "")
	case "statistics":
		return c.conn.Text(rawclient.ComStatistics, "")
	case "initdb":
		return c.conn.Text(rawclient.ComInitDB, rest)
	case "setoption":
		return c.conn.Do([]byte{rawclient.ComSetOption, rest[0] - '0', 0})
	case "resetconnection":
		clear(c.prepared)
		return c.conn.Text(rawclient.ComResetConnection, "")
	case "changeuser":
		clear(c.prepared)
		packet, err := c.conn.ChangeUser(c.account.user, c.account.password, rest, 45)
		return rawclient.Answer{packet}, err
	}
	handle, rest, _ := strings.Cut(rest, " ")
	return c.statement(word, handle, rest)
}

// changesCharset matches what changes how the text of statements is read.
var changesCharset = regexp.MustCompile(`(?i)^SET .*(NAMES|CHARACTER SET|CHARACTER_SET|COLLATION_CONNECTION)`)

// statement does a command on a prepared statement.
func (c *session) statement(word, handle, rest string) (rawclient.Answer, error) {
	p := c.prepared[handle]
	if p == nil {
		p = &prepared{id: unknownStatement, parameters: 1}
	}
	switch word {
	case "prepare":
		return c.prepare(handle, rest)
	case "execute":
		return c.execute(p, p.cursor, rest, true)
	case "again":
		return c.execute(p, p.cursor, rest, !p.typed)
	case "cursor":
		p.cursor = rawclient.ReadOnlyCursor
		return c.execute(p, p.cursor, rest, true)
	case "fetch":
		n, _ := strconv.Atoi(rest)
		return c.conn.Fetch(p.id, uint32(n))
	case "reset":
		return c.conn.ResetStatement(p.id)
	case "close":
		delete(c.prepared, handle)
		return nil, c.conn.CloseStatement(p.id)
	case "long":
		parameter, data, _ := strings.Cut(rest, " ")
		return nil, c.conn.SendLongData(p.id, uint16(parameter[0]-'0'), []byte(data))
	}
	return nil, fmt.Errorf("unknown step !%s", word)
}

// prepare replaces what the handle stood for, which is closed first.
func (c *session) prepare(handle, sql string) (rawclient.Answer, error) {
	if old := c.prepared[handle]; old != nil {
		delete(c.prepared, handle)
		if err := c.conn.CloseStatement(old.id); err != nil {
			return nil, err
		}
	}
	answer, err := c.conn.Text(rawclient.ComStmtPrepare, sql)
	if err != nil || len(answer) == 0 || answer[0].Kind != rawclient.KindPrepared {
		return answer, err
	}
	c.prepared[handle] = &prepared{id: answer[0].StatementID(), parameters: answer[0].ParameterCount()}
	return answer, nil
}

func (c *session) execute(p *prepared, flags byte, arguments string, withTypes bool) (rawclient.Answer, error) {
	values := c.values(arguments, p.parameters)
	if withTypes && p.typed && !sameTypes(values, p.first) {
		values = p.first // other types are left out: see testdata/themes.txt
	}
	if !p.typed {
		p.first = values
	}
	p.typed = true
	return c.conn.Execute(p.id, flags, values, withTypes)
}

func sameTypes(a, b []rawclient.Value) bool {
	return slices.EqualFunc(a, b, func(v, w rawclient.Value) bool {
		return v.Type == w.Type && v.Unsigned == w.Unsigned && v.Long == w.Long
	})
}

// values reads parameters such as "i:5 s:text d:1.5 t:2024 null long id" and
// makes them as many as the statement has.
func (c *session) values(arguments string, want int) []rawclient.Value {
	values := make([]rawclient.Value, 0, want)
	for _, word := range strings.Fields(arguments) {
		values = append(values, c.value(word))
	}
	for len(values) < want {
		values = append(values, rawclient.Value{Type: rawclient.TypeLonglong, Int: int64(len(values))})
	}
	return values[:want]
}

func (c *session) value(word string) rawclient.Value {
	kind, text, _ := strings.Cut(word, ":")
	n, _ := strconv.ParseInt(text, 10, 64)
	switch kind {
	case "i":
		return rawclient.Value{Type: rawclient.TypeLonglong, Int: n}
	case "l":
		return rawclient.Value{Type: rawclient.TypeLong, Int: n}
	case "y":
		return rawclient.Value{Type: rawclient.TypeTiny, Int: n, Unsigned: true}
	case "d":
		f, _ := strconv.ParseFloat(text, 64)
		return rawclient.Value{Type: rawclient.TypeDouble, Double: f}
	case "t":
		return rawclient.Value{Type: rawclient.TypeDatetime, Int: n}
	case "b":
		return rawclient.Value{Type: rawclient.TypeBlob, Text: text}
	case "id":
		return rawclient.Value{Type: rawclient.TypeLonglong, Int: int64(c.conn.ID)}
	case "null":
		return rawclient.Value{Type: rawclient.TypeString, Null: true}
	case "long":
		return rawclient.Value{Type: rawclient.TypeBlob, Long: true}
	}
	return rawclient.Value{Type: rawclient.TypeString, Text: text}
}

// expand fills in what is known only while the program runs.
func (c *session) expand(text string) string {
	text = strings.NewReplacer("{db}", c.schema, "{db2}", c.schema+"b", "{id}", strconv.Itoa(int(c.conn.ID))).Replace(text)
	for {
		head, rest, found := strings.Cut(text, "{big:")
		if !found {
			return text
		}
		size, tail, _ := strings.Cut(rest, "}")
		n, _ := strconv.Atoi(size)
		text = head + strings.Repeat("w", n) + tail
	}
}

// infile is the file that LOAD DATA LOCAL asks for: rows-N has N rows.
func infile(name string) []byte {
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "rows-"))
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,%d\n", 7000+i, 7100+i)
	}
	return []byte(b.String())
}
