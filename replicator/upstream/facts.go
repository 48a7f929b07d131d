package upstream

import (
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// facts are what a server says of itself before the stream begins. It is a value.
type facts struct {
	flavour  cluster.Flavour
	identity string
	gtidMode string // MySQL
	uptime   time.Duration
	semiSync bool // it has semi-synchronous replication, on or off

	executed *cluster.GTIDSet // committed; on MariaDB in the binary log
	// owned are in the binary log of a MySQL or about to be, and not committed:
	// above all those that wait for our reply. They have it to themselves that a
	// connection which broke before the reply leaves them behind, stored here
	// and not executed there.
	owned  *cluster.GTIDSet
	purged *cluster.GTIDSet // MySQL: executed, and no longer in a binary log
}

// wanted is what the facts are held against. It is a value.
type wanted struct {
	identity string // empty: any
	stored   *cluster.GTIDSet
	// restarted says that the server was started after its last contact with
	// us: then nothing that it owns can be what we have stored before.
	restarted bool
}

// judge says why the server must not be read from, nil where it may.
func (f facts) judge(w wanted) *Refusal {
	for _, check := range [...]func(wanted) *Refusal{f.isTheServer, f.isReady, f.isNotBehind, f.hasTheRest} {
		if r := check(w); r != nil {
			return r
		}
	}
	return nil
}

func (f facts) isTheServer(w wanted) *Refusal {
	switch {
	case f.flavour != w.stored.Flavour():
		return &Refusal{Reason: ReasonIdentity, What: fmt.Sprintf("it is a %s, and the stored log is of a %s", f.flavour, w.stored.Flavour())}
	case w.identity == "" || f.identity == w.identity:
		return nil
	case f.identity == "":
		return &Refusal{
			Reason: ReasonIdentity, What: "its identity cannot be read",
			Hint: "grant the account SELECT ON mysql.*, whose tables identify a MariaDB server",
		}
	}
	return &Refusal{
		Reason: ReasonIdentity, What: fmt.Sprintf("another server answers: %s instead of %s", f.identity, w.identity),
		Hint: "the address belongs to another machine now, or its data directory was made anew",
	}
}

func (f facts) isReady(wanted) *Refusal {
	if f.flavour == cluster.FlavourMySQL && !strings.HasPrefix(f.gtidMode, "ON") {
		return &Refusal{Reason: ReasonSettings, What: "it has gtid_mode=" + f.gtidMode, Hint: "set gtid_mode=ON and enforce_gtid_consistency=ON"}
	}
	return nil
}

// isNotBehind is what keeps a server out that lost its last transactions: it
// would give their GTIDs to others, and slaves would skip those in silence.
func (f facts) isNotBehind(w wanted) *Refusal {
	has := f.executed
	if !w.restarted {
		has = has.Union(f.owned)
	}
	if has.ContainsSet(w.stored) {
		return nil
	}
	return &Refusal{
		Reason: ReasonBehind, What: "it lacks transactions that are stored here", Missing: w.stored.Subtract(has),
		Hint: "it is a former master that lost its last transactions; it can only come back as a slave",
	}
}

// hasTheRest is about MySQL; a MariaDB says it when the stream is to begin.
func (f facts) hasTheRest(w wanted) *Refusal {
	if f.purged == nil || w.stored.ContainsSet(f.purged) {
		return nil
	}
	return &Refusal{
		Reason: ReasonPurged, What: "its binary logs no longer hold what is not stored yet", Missing: f.purged.Subtract(w.stored),
		Hint: "a new stored log must begin at a full copy; keep binary logs for longer (binlog_expire_logs_seconds)",
	}
}

// parseOwned reads @@GLOBAL.gtid_owned: a GTID set in which each number has its
// owner, a connection's id, behind it, and nothing stands between an owner and
// the next uuid: "uuid:7#31:8#32uuid:tag:1#33".
func parseOwned(text string) (*cluster.GTIDSet, error) {
	var plain strings.Builder
	for i, part := range strings.Split(text, "#") {
		if i > 0 {
			part = afterOwner(part)
		}
		plain.WriteString(part)
	}
	return cluster.ParseGTIDSet(cluster.FlavourMySQL, plain.String())
}

// afterOwner takes the owner off: what is left begins with a colon, or with the
// eight digits before a uuid's first dash, to which it adds the comma.
func afterOwner(part string) string {
	const first = 8
	dash, colon := strings.IndexByte(part, '-'), strings.IndexByte(part, ':')
	if dash >= first && (colon < 0 || dash < colon) {
		return "," + part[dash-first:]
	}
	return strings.TrimLeft(part, "0123456789")
}
