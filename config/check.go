package config

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/trace"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/wire"
)

var nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// problem blames the line where path stands, or else that of what is around it.
func (f *File) problem(path, format string, args ...any) Problem {
	at := path
	for f.lines[at] == 0 && at != "" {
		at = parent(at)
	}
	return Problem{File: f.path, Line: f.lines[at], Text: path + ": " + fmt.Sprintf(format, args...)}
}

// parent drops the last key or index of a path.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

// check finds what is well formed but cannot work.
func (f *File) check() Problems {
	var problems Problems
	for _, part := range []func(*File) Problems{
		checkBasics, checkNodes, checkMaster, checkListeners, checkLimits, checkTLS, checkUsers, checkReplication, checkAdmin, checkFailover,
	} {
		problems = append(problems, part(f)...)
	}
	return problems
}

func checkBasics(f *File) (problems Problems) {
	if f.StateDir == "" {
		problems = append(problems, f.problem("state_dir", "is missing: name the folder where Bellwether keeps who is master"))
	}
	if f.Operator.User == "" {
		problems = append(problems, f.problem("operator.user", "is missing: name the account that Bellwether uses on the nodes"))
	}
	return append(problems, f.oneSecret("operator", f.Operator.Password, 0)...)
}

// oneSecret allows one source of a secret; others counts what else the entry
// could log in with.
func (f *File) oneSecret(path string, p Password, others int) Problems {
	given := others
	for _, source := range []string{p.Inline, p.File, p.Env} {
		if source != "" {
			given++
		}
	}
	if given > 1 {
		return Problems{f.problem(path, "has more than one secret: keep one")}
	}
	return nil
}

func checkNodes(f *File) (problems Problems) {
	if len(f.Nodes) == 0 {
		return Problems{f.problem("nodes", "no node is named: Bellwether needs a master at least")}
	}
	names, addresses := map[string]int{}, map[string]int{}
	for i, node := range f.Nodes {
		at := fmt.Sprintf("nodes[%d]", i)
		switch first, again := names[node.Name]; {
		case !nodeName.MatchString(node.Name):
			problems = append(problems, f.problem(at+".name", "%q is no name: letters, digits, and _ . - between them, 64 at most", node.Name))
		case node.Name == "master" || node.Name == "slave":
			problems = append(problems, f.problem(at+".name", "%q is a role, and roles move: choose a name that stays true", node.Name))
		case again:
			problems = append(problems, f.problem(at+".name", "%q is already the name of nodes[%d]", node.Name, first))
		}
		names[node.Name] = i
		if err := checkAddress(node.Address, 1); err != nil {
			problems = append(problems, f.problem(at+".address", "%v", err))
		} else if first, again := addresses[node.Address]; again {
			problems = append(problems, f.problem(at+".address", "%s is already the address of nodes[%d]", node.Address, first))
		}
		addresses[node.Address] = i
		if node.Weight < 0 || node.Weight > cluster.MostWeight {
			problems = append(problems, f.problem(at+".weight", "%d is not between 0 (no reads) and %d", node.Weight, cluster.MostWeight))
		}
	}
	return problems
}

// checkMaster wants exactly one first master; a single node needs no mark.
func checkMaster(f *File) Problems {
	first := -1
	for i, node := range f.Nodes {
		if !node.Master {
			continue
		}
		if first >= 0 {
			return Problems{f.problem(fmt.Sprintf("nodes[%d].master", i), "%s is marked too, and there is one master only", f.Nodes[first].Name)}
		}
		first = i
	}
	if first < 0 && len(f.Nodes) > 1 {
		return Problems{f.problem("nodes", "no node is the master: write master: true at the one that takes the writes")}
	}
	return nil
}

func checkListeners(f *File) (problems Problems) {
	taken := map[string]string{}
	for _, node := range f.Nodes {
		taken[node.Address] = "the address of " + node.Name
	}
	listeners := []struct{ path, address string }{{"proxy.listen", f.Proxy.Listen}, {"admin.listen", f.Admin.Listen}}
	for i, node := range f.Nodes {
		if node.REST != "" {
			listeners = append(listeners, struct{ path, address string }{fmt.Sprintf("nodes[%d].rest", i), node.REST})
		}
	}
	if f.Replication.Feed == replicator.FeedRelay.String() {
		listeners = append(listeners, struct{ path, address string }{"replication.listen", f.Replication.Listen})
	}
	for _, listener := range listeners {
		if err := checkAddress(listener.address, 0); err != nil {
			problems = append(problems, f.problem(listener.path, "%v", err))
		} else if owner, again := taken[listener.address]; again && !strings.HasSuffix(listener.address, ":0") {
			problems = append(problems, f.problem(listener.path, "%s is %s", listener.address, owner))
		}
		taken[listener.address] = listener.path
	}
	return problems
}

// checkAddress wants host:port. A listener may have port 0, which takes a free
// one, a node may not.
func checkAddress(address string, least int) error {
	if address == "" {
		return fmt.Errorf("is missing: write host:port")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port", address)
	}
	if host == "" {
		return fmt.Errorf("%q has no host: write 127.0.0.1%s, or 0.0.0.0%s for every interface", address, address, address)
	}
	if number, err := strconv.Atoi(port); err != nil || number < least || number > 65535 {
		return fmt.Errorf("%q has no port between %d and 65535", address, least)
	}
	return nil
}

func checkLimits(f *File) (problems Problems) {
	for _, limit := range []struct {
		path        string
		value       int64
		least, most int64
	}{
		{"proxy.max_clients", int64(f.Proxy.MaxClients), 1, 1 << 20},
		{"proxy.digests", int64(f.Proxy.Digests), 0, 100_000},
		{"proxy.traces.one_in", int64(f.Proxy.Traces.OneIn), 1, 1 << 30},
		{"pool.max_per_node", int64(f.Pool.MaxPerNode), 1, 1 << 16},
		{"proxy.failover.hold_clients", int64(f.Proxy.Failover.HoldClients), 1, 1 << 20},
		{"proxy.failover.hold_bytes", int64(f.Proxy.Failover.HoldBytes), 1 << 20, 1 << 40},
	} {
		if limit.value < limit.least || limit.value > limit.most {
			problems = append(problems, f.problem(limit.path, "%d is not between %d and %d", limit.value, limit.least, limit.most))
		}
	}
	if f.Proxy.MaxPacket < 1<<20 || f.Proxy.MaxPacket > 1<<30 {
		problems = append(problems, f.problem("proxy.max_packet", "%s is not between 1MB and 1GB", f.Proxy.MaxPacket))
	}
	if err := (trace.Config{Endpoint: f.Proxy.Traces.Endpoint, OneIn: 1}).Validate(); err != nil {
		problems = append(problems, f.problem("proxy.traces.endpoint", "%v", err))
	}
	return append(problems, f.checkSpans()...)
}

// checkSpans holds spans of time against the least that works.
func (f *File) checkSpans() (problems Problems) {
	const millisecond = Duration(time.Millisecond)
	for _, span := range []struct {
		path         string
		value, least Duration
	}{
		{"probes.interval", f.Probes.Interval, 10 * millisecond},
		{"probes.timeout", f.Probes.Timeout, 10 * millisecond},
		{"probes.catalogue_interval", f.Probes.CatalogueInterval, 100 * millisecond},
		{"proxy.handshake_timeout", f.Proxy.HandshakeTimeout, 100 * millisecond},
		{"proxy.hold_timeout", f.Proxy.HoldTimeout, millisecond},
		{"pool.connect_timeout", f.Pool.ConnectTimeout, millisecond},
		{"pool.wait_timeout", f.Pool.WaitTimeout, millisecond},
		{"pool.idle_timeout", f.Pool.IdleTimeout, millisecond},
		{"pool.verify_interval", f.Pool.VerifyInterval, 100 * millisecond},
		{"reads.max_lag", f.Reads.MaxLag, millisecond},
		{"reads.causal_wait", f.Reads.CausalWait, millisecond},
	} {
		if span.value < span.least {
			problems = append(problems, f.problem(span.path, "%s is less than %s", span.value, span.least))
		}
	}
	if h := f.Probes.Heartbeat; h != 0 && h < 50*millisecond {
		problems = append(problems, f.problem("probes.heartbeat", "%s is neither 0s (none is written) nor at least 50ms", h))
	}
	return problems
}

func checkTLS(f *File) Problems {
	if (f.Proxy.TLS.Certificate == "") != (f.Proxy.TLS.Key == "") {
		return Problems{f.problem("proxy.tls", "certificate and key go together: name both, or neither to have one made")}
	}
	return nil
}

func checkUsers(f *File) (problems Problems) {
	names := map[string]int{}
	for i, user := range f.Users {
		at := fmt.Sprintf("users[%d]", i)
		if user.Name == "" {
			problems = append(problems, f.problem(at+".name", "is missing"))
		} else if first, again := names[user.Name]; again {
			problems = append(problems, f.problem(at+".name", "%q is already the name of users[%d]", user.Name, first))
		}
		names[user.Name] = i
		problems = append(problems, f.checkCredentials(at, user)...)
	}
	return problems
}

func (f *File) checkCredentials(at string, user User) (problems Problems) {
	hashes := 0
	if user.NativeHash != "" {
		hashes++
		if _, err := wire.ParseNativeHash(user.NativeHash); err != nil {
			problems = append(problems, f.problem(at+".native_hash", "is not a * and 40 hexadecimal digits, as PASSWORD() of MariaDB prints"))
		}
	}
	if user.Hash != "" {
		hashes++
		if _, err := wire.ParseSHA2Hash(user.Hash); err != nil {
			problems = append(problems, f.problem(at+".hash", "is not what mysql.user.authentication_string has for caching_sha2_password: "+
				"$A$005$ and 63 characters, or 0x and HEX() of all that"))
		}
	}
	if user.passesThrough() && user.Consistency == "" {
		problems = append(problems, f.problem(at, "has neither a password nor a hash, nor a consistency"))
	}
	return append(problems, f.oneSecret(at, user.Password, hashes)...)
}
