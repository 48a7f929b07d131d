package playground

import "fmt"

// Flavour is the family of a server. The zero value is Unknown.
type Flavour uint8

// The flavours.
const (
	Unknown Flavour = iota
	MySQL
	MariaDB
)

// String is "mysql", "mariadb" or "unknown".
func (f Flavour) String() string {
	switch f {
	case MySQL:
		return "mysql"
	case MariaDB:
		return "mariadb"
	default:
		return "unknown"
	}
}

// ParseFlavour reads what String writes for MySQL and MariaDB.
func ParseFlavour(s string) (Flavour, error) {
	for _, f := range []Flavour{MySQL, MariaDB} {
		if s == f.String() {
			return f, nil
		}
	}
	return Unknown, fmt.Errorf("parse flavour %q: want mysql or mariadb", s)
}

// daemon is the name of the flavour's server program.
func (f Flavour) daemon() string {
	if f == MariaDB {
		return "mariadbd"
	}
	return "mysqld"
}
