package control

import (
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// Finding is one thing that is not as it should be on a node, and that was not
// set. It is a value.
type Finding struct {
	Node string // the node's name
	What string // a variable, a plugin, an account
	Have string
	Want string
	Why  string // what breaks as it is
	// SQL changes it on the node, "" if SQL cannot.
	SQL string
	// Option is the line for the section [mysqld] of the node's option file that
	// makes the change last, or makes it at all; "" where SQL is enough.
	Option   string
	Severity cluster.Severity
	// Settable says that Prepare sets it by itself, if the operator account may.
	Settable bool
	// Tried is the error of an attempt to set it, nil if none was made.
	Tried error
}

// String is one line for a log.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s is %s, wanted %s: %s", f.Node, f.What, orElse(f.Have, "not there"), f.Want, f.Why)
	if f.Tried != nil {
		fmt.Fprintf(&b, "; setting it: %v", f.Tried)
	}
	if f.SQL != "" {
		fmt.Fprintf(&b, "; run there: %s", f.SQL)
	}
	if f.Option != "" {
		fmt.Fprintf(&b, "; put into its option file: %s", f.Option)
	}
	return b.String()
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
