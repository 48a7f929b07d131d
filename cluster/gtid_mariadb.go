package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// gtidDomain is the last GTID of one replication domain: domain-server-sequence.
type gtidDomain struct {
	domain   uint32
	server   uint32 // of the last transaction; says nothing about containment
	sequence uint64
}

// compareDomains orders by domain.
func compareDomains(a, b gtidDomain) int { return cmp.Compare(a.domain, b.domain) }

// parseMariaDBSet reads "0-1-5,1-2-9". A domain that comes more than once, as
// in gtid_binlog_state, counts with its highest sequence; a sequence of 0 is
// the beginning of its domain and adds nothing.
func parseMariaDBSet(text string) (*GTIDSet, error) {
	var domains []gtidDomain
	if strings.TrimSpace(text) != "" {
		for part := range strings.SplitSeq(text, ",") {
			domain, err := parseDomain(strings.TrimSpace(part))
			if err != nil {
				return nil, fmt.Errorf("parse GTID list: %q: %w", clip(part), err)
			}
			domains = append(domains, domain)
		}
	}
	return &GTIDSet{flavour: FlavourMariaDB, domains: normaliseDomains(domains)}, nil
}

// parseDomain reads "0-1-5".
func parseDomain(text string) (gtidDomain, error) {
	fields := strings.Split(text, "-")
	if len(fields) != 3 {
		return gtidDomain{}, fmt.Errorf("not of the form domain-server-sequence: %w", ErrGTIDSyntax)
	}
	var values [3]uint64
	for i, bits := range [3]int{32, 32, 64} {
		n, err := strconv.ParseUint(fields[i], 10, bits)
		if err != nil || fields[i][0] == '+' {
			return gtidDomain{}, fmt.Errorf("number %q: %w", clip(fields[i]), ErrGTIDSyntax)
		}
		values[i] = n
	}
	return gtidDomain{uint32(values[0]), uint32(values[1]), values[2]}, nil
}

// normaliseDomains orders and keeps the highest of each domain, in place.
func normaliseDomains(src []gtidDomain) []gtidDomain {
	slices.SortFunc(src, func(a, b gtidDomain) int {
		return cmp.Or(compareDomains(a, b), cmp.Compare(b.sequence, a.sequence), cmp.Compare(b.server, a.server))
	})
	src = slices.DeleteFunc(src, func(d gtidDomain) bool { return d.sequence == 0 })
	return slices.CompactFunc(src, func(a, b gtidDomain) bool { return a.domain == b.domain })
}

// sequenceOf returns how far a list is in a domain, 0 where it has none.
func sequenceOf(in []gtidDomain, key gtidDomain) uint64 {
	if i, ok := slices.BinarySearchFunc(in, key, compareDomains); ok {
		return in[i].sequence
	}
	return 0
}

// containsDomains says whether have is at want, or past it, in each domain of want.
func containsDomains(have, want []gtidDomain) bool {
	for _, domain := range want {
		if sequenceOf(have, domain) < domain.sequence {
			return false
		}
	}
	return true
}

// uniteDomains keeps the further position of each domain.
func uniteDomains(a, b []gtidDomain) []gtidDomain {
	return normaliseDomains(slices.Concat(a, b))
}

// Follows reports whether a node that has the last of s has other as well, where
// it is of an earlier time: nodes commit in the master's order, MariaDB in each
// domain by itself. A nil other is nothing. Any goroutine may ask.
func (s *GTIDSet) Follows(other *GTIDSet) bool {
	if s == nil || other == nil {
		return other == nil
	}
	for _, domain := range other.domains {
		if sequenceOf(s.domains, domain) == 0 {
			return false
		}
	}
	return true
}

// subtractDomains keeps the domains in which a is ahead of b.
func subtractDomains(a, b []gtidDomain) []gtidDomain {
	var out []gtidDomain
	for _, domain := range a {
		if domain.sequence > sequenceOf(b, domain) {
			out = append(out, domain)
		}
	}
	return out
}

// lacksDomains adds up how far have is behind want.
func lacksDomains(have, want []gtidDomain) (n uint64) {
	for _, domain := range want {
		n += domain.sequence - min(domain.sequence, sequenceOf(have, domain))
	}
	return n
}

// countDomains adds up the sequence numbers.
func countDomains(domains []gtidDomain) (n uint64) { return lacksDomains(nil, domains) }

// formatDomains writes "0-1-5,1-2-9".
func formatDomains(domains []gtidDomain) string {
	parts := make([]string, len(domains))
	for i, d := range domains {
		parts[i] = fmt.Sprintf("%d-%d-%d", d.domain, d.server, d.sequence)
	}
	return strings.Join(parts, ",")
}
