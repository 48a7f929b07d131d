package cluster

import (
	"errors"
	"fmt"
)

// ErrGTIDSyntax is what every error of ParseGTIDSet wraps.
var ErrGTIDSyntax = errors.New("not a GTID set")

// GTIDSet is a set of global transaction identifiers. It is immutable and may
// be used by any number of goroutines.
//
// A MySQL set holds intervals of transaction numbers for each source and tag.
// A MariaDB set is a position: one GTID for each replication domain, which
// stands for everything before it in that domain.
//
// A nil *GTIDSet is an unknown set: it contains nothing and is contained in
// nothing. Sets of two flavours never contain one another.
type GTIDSet struct {
	flavour Flavour
	sources []gtidSource // MySQL, ordered by uuid and tag, none empty
	domains []gtidDomain // MariaDB, ordered by domain, each domain once
}

// ParseGTIDSet reads a set in the server's own notation: for MySQL
// "uuid:1-3:5:tag:1-2,uuid:7" (docs: "GTID Format and Storage"), for MariaDB
// "0-1-5,1-2-9" ("Global Transaction ID"). White space around the commas and
// colons is allowed, since servers break long sets into lines. Its errors wrap
// ErrGTIDSyntax.
func ParseGTIDSet(flavour Flavour, text string) (*GTIDSet, error) {
	switch flavour {
	case FlavourMySQL:
		return parseMySQLSet(text)
	case FlavourMariaDB:
		return parseMariaDBSet(text)
	}
	return nil, fmt.Errorf("parse GTID set of an unknown flavour: %w", ErrGTIDSyntax)
}

// Flavour says whose notation the set has.
func (s *GTIDSet) Flavour() Flavour {
	if s == nil {
		return FlavourUnknown
	}
	return s.flavour
}

// IsEmpty says whether the set is known and holds nothing.
func (s *GTIDSet) IsEmpty() bool {
	return s != nil && len(s.sources) == 0 && len(s.domains) == 0
}

// ContainsSet says whether every GTID of other is in s. It allocates nothing.
func (s *GTIDSet) ContainsSet(other *GTIDSet) bool {
	if s == nil || other == nil || s.flavour != other.flavour {
		return false
	}
	if s.flavour == FlavourMariaDB {
		return containsDomains(s.domains, other.domains)
	}
	return containsSources(s.sources, other.sources)
}

// Equal says whether both sets are known and hold the same.
func (s *GTIDSet) Equal(other *GTIDSet) bool {
	return s.ContainsSet(other) && other.ContainsSet(s)
}

// Union returns what is in s or in other. An unknown set adds nothing; the
// union of two flavours is unknown.
func (s *GTIDSet) Union(other *GTIDSet) *GTIDSet {
	switch {
	case s == nil:
		return other
	case other == nil:
		return s
	case s.flavour != other.flavour:
		return nil
	case s.flavour == FlavourMariaDB:
		return &GTIDSet{flavour: s.flavour, domains: uniteDomains(s.domains, other.domains)}
	}
	return &GTIDSet{flavour: s.flavour, sources: uniteSources(s.sources, other.sources)}
}

// Subtract returns what is in s and not in other; on MariaDB the position of s
// in each domain where it is ahead of other. An unknown set takes nothing
// away from s; unknown less anything, and two flavours, are unknown.
func (s *GTIDSet) Subtract(other *GTIDSet) *GTIDSet {
	switch {
	case s == nil || other == nil:
		return s
	case s.flavour != other.flavour:
		return nil
	case s.flavour == FlavourMariaDB:
		return &GTIDSet{flavour: s.flavour, domains: subtractDomains(s.domains, other.domains)}
	}
	return &GTIDSet{flavour: s.flavour, sources: subtractSources(s.sources, other.sources)}
}

// Count returns the number of GTIDs in s; on MariaDB the sum of the sequence
// numbers, which is an upper bound because they may have gaps.
func (s *GTIDSet) Count() uint64 {
	if s == nil {
		return 0
	}
	return countSources(s.sources) + countDomains(s.domains)
}

// Lacks returns how many GTIDs of other are not in s: the lag of a slave that
// has s behind a master that has other. On MariaDB it is an upper bound.
func (s *GTIDSet) Lacks(other *GTIDSet) uint64 {
	if s == nil || other == nil || s.flavour != other.flavour {
		return other.Count()
	}
	if s.flavour == FlavourMariaDB {
		return lacksDomains(s.domains, other.domains)
	}
	return countSources(subtractSources(other.sources, s.sources))
}

// String returns the set in canonical notation: lower case, ordered, intervals
// merged, without white space. An unknown set is "".
func (s *GTIDSet) String() string {
	if s == nil {
		return ""
	}
	if s.flavour == FlavourMariaDB {
		return formatDomains(s.domains)
	}
	return formatSources(s.sources)
}
