package cluster

import "slices"

// Intersect returns what is in s and in other; on MariaDB the lower position of
// each domain that both have. With an unknown set, and of two flavours, it is
// unknown.
func (s *GTIDSet) Intersect(other *GTIDSet) *GTIDSet {
	if s == nil || other == nil || s.flavour != other.flavour {
		return nil
	}
	if s.flavour == FlavourMariaDB {
		return &GTIDSet{flavour: s.flavour, domains: intersectDomains(s.domains, other.domains)}
	}
	return s.Subtract(s.Subtract(other))
}

func intersectDomains(a, b []gtidDomain) (out []gtidDomain) {
	for _, mine := range a {
		i, ok := slices.BinarySearchFunc(b, mine, compareDomains)
		switch {
		case !ok:
		case b[i].sequence < mine.sequence:
			out = append(out, b[i])
		default:
			out = append(out, mine)
		}
	}
	return out
}
