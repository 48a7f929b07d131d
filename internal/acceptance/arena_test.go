package acceptance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// arena is where programs are played twice: on a server of its own, straight,
// and on the proxy. It does not change; any number of goroutines may use it.
type arena struct {
	flavour string
	// straight and proxied are the addresses of the two sides.
	straight, proxied string
	// master and slaves are the nodes behind the proxied side.
	master string
	slaves []string
}

// verdict is how one play of a program ended; at is -1 where all was equal.
type verdict struct {
	at      int
	problem string
}

const equal = -1

// asBoss runs work on a connection of the operator's.
func asBoss(addr string, work func(*rawclient.Conn) error) error {
	c, err := dialBoss(addr)
	if err != nil {
		return err
	}
	return errors.Join(work(c), c.Quit())
}

// play runs a program on both sides, a step at a time, to its first difference.
// The error is the arena's own, not the program's.
func (s *stage) play(p program) (verdict, error) {
	if err := s.reset(); err != nil {
		return verdict{}, fmt.Errorf("reset %s: %w", s.schema, err)
	}
	s.dirty = p.defines()
	v, err := s.arena.play(p, s.schema, s.settle)
	if v.at != equal || err != nil {
		s.dirty = true // the two sides may have gone apart
	}
	return v, err
}

// play compares logins too, but goes on after one that ended differently: the
// rest of the program has more to tell. A client that was hung up on connects
// again once the slaves are level: nobody can know that it has written before.
func (a *arena) play(p program, schema string, settle func() error) (verdict, error) {
	v := verdict{at: equal}
	pair, login, err := a.connect(p.client, schema)
	defer func() { pair.close() }()
	for i, s := range p.steps {
		if err != nil || pair.proxied == nil {
			return verdict{i, login}, err
		}
		if login != "" {
			v, login = verdict{0, login}, ""
		}
		d, gone := pair.play(s)
		if d != "" {
			return verdict{i + 1, d}, nil
		}
		if gone {
			pair.close()
			if err := settle(); err != nil {
				return v, err
			}
			if pair, login, err = a.connect(p.client, schema); err == nil && login == "" && refused(p.steps[:i]) {
				d, _ = pair.play(s) // it found only that they had hung up
			}
			if d != "" {
				return verdict{i + 1, d}, nil
			}
		}
	}
	return v, err
}

// refused reports whether the last step was refused in a way that both sides hang
// up after.
func refused(before []step) bool {
	return len(before) > 0 && before[len(before)-1] == "!changeuser nodb"
}

// pair is the same client on both sides.
type pair struct{ straight, proxied *session }

// connect logs in on both sides and compares how the logins end.
func (a *arena) connect(how client, schema string) (p pair, difference string, err error) {
	p.straight, err = open(a.straight, how, schema)
	if err != nil {
		return pair{}, "", fmt.Errorf("connect straight: %w", err)
	}
	p.proxied, err = open(a.proxied, how, schema)
	if err != nil {
		return pair{straight: p.straight}, fmt.Sprintf("    the proxy refuses the login: %v\n", err), nil
	}
	return p, differentLogin(p.straight.conn.Login, p.proxied.conn.Login), nil
}

func differentLogin(straight, proxied rawclient.Packet) string {
	if d := difference(rawclient.Answer{straight}, rawclient.Answer{proxied}); d != "" {
		return "    the end of the login\n" + d
	}
	return ""
}

// close says goodbye where there is still someone to hear it.
func (p pair) close() {
	for _, s := range []*session{p.straight, p.proxied} {
		if s != nil && s.conn.Quit() != nil {
			s.conn.Close()
		}
	}
}

// play does one step on both sides; gone means that both servers have hung up.
func (p pair) play(s step) (different string, gone bool) {
	started := time.Now()
	a, errA := s.run(p.straight)
	b, errB := s.run(p.proxied)
	if (errA == nil) != (errB == nil) {
		took := time.Since(started).Round(time.Millisecond)
		return fmt.Sprintf("    after %v\n      straight: %v\n%s      proxy:    %v\n%s", took, errA, a, errB, b), true
	}
	if strings.HasPrefix(string(s), "!initdb") {
		a, b = withoutWarnings(a), withoutWarnings(b)
	}
	return difference(a, b), errA != nil
}

func open(addr string, how client, schema string) (*session, error) {
	config := rawclient.Config{
		Addr: addr, User: app.user, Password: app.password, TLS: how.tls, Collation: how.collation,
		Flags: how.flags(), Timeout: patience,
	}
	if how.schema {
		config.Database = schema
	}
	conn, err := rawclient.Dial(config)
	if errors.Is(err, rawclient.ErrNoTLS) {
		// A server that has no certificate; the proxy always has one.
		config.TLS = false
		conn, err = rawclient.Dial(config)
	}
	if err != nil {
		return nil, err
	}
	conn.Infile = infile
	return &session{conn: conn, account: app, schema: schema, prepared: map[string]*prepared{}}, nil
}

func (c client) flags() uint32 {
	flags := rawclient.LocalFiles | rawclient.MultiResults | rawclient.PSMultiResults
	for flag, on := range map[uint32]bool{
		rawclient.DeprecateEOF: c.deprecateEOF, rawclient.SessionTrack: c.sessionTrack,
		rawclient.MultiStatements: c.multi, rawclient.FoundRows: c.foundRows,
	} {
		if on {
			flags |= flag
		}
	}
	return flags
}
