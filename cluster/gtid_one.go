package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// GTID names one transaction. It is a comparable value; the zero value names
// none.
type GTID struct {
	// Flavour says which of the fields below count.
	Flavour Flavour
	// UUID is the server where a MySQL transaction was first committed.
	UUID [16]byte
	// Tag of a MySQL transaction, lower case, "" without one.
	Tag string
	// Domain and Server of a MariaDB transaction.
	Domain, Server uint32
	// Number is MySQL's transaction number (1 or more) or MariaDB's sequence
	// number.
	Number uint64
}

// MySQLGTID makes "uuid:number" or, with a tag, "uuid:tag:number". The tag is
// in lower case.
func MySQLGTID(uuid [16]byte, tag string, number uint64) GTID {
	return GTID{Flavour: FlavourMySQL, UUID: uuid, Tag: tag, Number: number}
}

// MariaDBGTID makes "domain-server-sequence".
func MariaDBGTID(domain, server uint32, sequence uint64) GTID {
	return GTID{Flavour: FlavourMariaDB, Domain: domain, Server: server, Number: sequence}
}

// ParseGTID reads one GTID: what GTID.String writes. Its errors wrap
// ErrGTIDSyntax.
func ParseGTID(flavour Flavour, text string) (GTID, error) {
	set, err := ParseGTIDSet(flavour, text)
	switch {
	case err != nil:
		return GTID{}, err
	case len(set.domains) == 1:
		d := set.domains[0]
		return MariaDBGTID(d.domain, d.server, d.sequence), nil
	case len(set.sources) == 1 && set.Count() == 1:
		s := set.sources[0]
		return MySQLGTID(s.uuid, s.tag, s.intervals[0].first), nil
	}
	return GTID{}, fmt.Errorf("parse GTID: %q is not one: %w", clip(text), ErrGTIDSyntax)
}

// IsZero says whether g names no transaction.
func (g GTID) IsZero() bool { return g == GTID{} }

// String is "uuid:5", "uuid:tag:5" or "0-1-5", and "" for none.
func (g GTID) String() string {
	switch g.Flavour {
	case FlavourMySQL:
		out := append(appendUUID(nil, g.UUID), ':')
		if g.Tag != "" {
			out = append(append(out, g.Tag...), ':')
		}
		return string(strconv.AppendUint(out, g.Number, 10))
	case FlavourMariaDB:
		return fmt.Sprintf("%d-%d-%d", g.Domain, g.Server, g.Number)
	}
	return ""
}

// EmptyGTIDSet is the known set that holds nothing, nil (unknown) where the
// flavour is unknown.
func EmptyGTIDSet(flavour Flavour) *GTIDSet {
	if flavour == FlavourUnknown {
		return nil
	}
	return &GTIDSet{flavour: flavour}
}

// Contains says whether g is in s; on MariaDB whether s is at g or past it in
// g's domain. It allocates nothing.
func (s *GTIDSet) Contains(g GTID) bool {
	if s == nil || s.flavour != g.Flavour {
		return false
	}
	if s.flavour == FlavourMariaDB {
		return sequenceOf(s.domains, gtidDomain{domain: g.Domain}) >= g.Number
	}
	intervals := findIntervals(s.sources, gtidSource{uuid: g.UUID, tag: g.Tag})
	return containsInterval(intervals, gtidInterval{g.Number, g.Number})
}

// With returns what is in s, and g. It copies the list of sources (or domains)
// and the intervals of one source, and sorts nothing, so that it may be called
// for every transaction. On MariaDB a g that is behind s changes nothing. With
// an unknown s or a g of another flavour the result is unknown.
func (s *GTIDSet) With(g GTID) *GTIDSet {
	switch {
	case s == nil || s.flavour != g.Flavour:
		return nil
	case s.Contains(g):
		return s
	case s.flavour == FlavourMariaDB:
		return &GTIDSet{flavour: s.flavour, domains: withDomain(s.domains, gtidDomain{g.Domain, g.Server, g.Number})}
	}
	return &GTIDSet{flavour: s.flavour, sources: withNumber(s.sources, gtidSource{uuid: g.UUID, tag: g.Tag}, g.Number)}
}

// Domains returns a MariaDB position, one GTID for each domain, ordered by
// domain; nil on MySQL.
func (s *GTIDSet) Domains() []GTID {
	if s == nil || s.flavour != FlavourMariaDB {
		return nil
	}
	out := make([]GTID, len(s.domains))
	for i, d := range s.domains {
		out[i] = MariaDBGTID(d.domain, d.server, d.sequence)
	}
	return out
}

// withDomain returns a copy of in where d stands for its domain.
func withDomain(in []gtidDomain, d gtidDomain) []gtidDomain {
	i, found := slices.BinarySearchFunc(in, d, compareDomains)
	if !found {
		return slices.Insert(slices.Clone(in), i, d)
	}
	out := slices.Clone(in)
	out[i] = d
	return out
}

// withNumber returns a copy of in where key's source has n too. The sources
// that do not change share their intervals with in.
func withNumber(in []gtidSource, key gtidSource, n uint64) []gtidSource {
	i, found := slices.BinarySearchFunc(in, key, compareSources)
	if !found {
		key.intervals = []gtidInterval{{n, n}}
		return slices.Insert(slices.Clone(in), i, key)
	}
	out := slices.Clone(in)
	out[i].intervals = withInterval(in[i].intervals, n)
	return out
}

// withInterval returns a copy of in, which lacks n, with it: the interval
// before or behind it grows, both become one, or it is one of its own.
func withInterval(in []gtidInterval, n uint64) []gtidInterval {
	i, _ := slices.BinarySearchFunc(in, n, func(h gtidInterval, n uint64) int { return cmp.Compare(h.first, n) })
	before := i > 0 && in[i-1].last+1 == n
	behind := i < len(in) && in[i].first == n+1
	out := make([]gtidInterval, 0, len(in)+1)
	out = append(out, in...)
	switch {
	case before && behind:
		out[i-1].last = out[i].last
		return slices.Delete(out, i, i+1)
	case before:
		out[i-1].last = n
	case behind:
		out[i].first = n
	default:
		out = slices.Insert(out, i, gtidInterval{n, n})
	}
	return out
}
