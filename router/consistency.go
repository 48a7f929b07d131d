package router

import (
	"fmt"
	"strings"
)

// Consistency is what a read may not miss. The zero value says nothing: who is
// asked next decides.
type Consistency uint8

// The consistencies, the weakest first.
const (
	ConsistencyUnset    Consistency = iota
	ConsistencyEventual             // no slave beyond max_lag serves, and that is all
	ConsistencySession              // a session sees its own writes, and never goes back behind what it has read
	ConsistencyGlobal               // a read sees every write that was acknowledged, and all that any read has shown, before it began
)

// NumConsistencies is the number of consistencies, for tables of counters.
const NumConsistencies = 4

var consistencyWords = [NumConsistencies]string{"unset", "eventual", "session", "global"}

// String returns the consistency in lower case.
func (c Consistency) String() string { return consistencyWords[min(c, ConsistencyGlobal)] }

// consistencyChoices is what an error says would be right.
const consistencyChoices = "session, global or eventual"

// ParseConsistency reads session, global or eventual, in any case. Its error
// names them.
func ParseConsistency(word string) (Consistency, error) {
	for c := ConsistencyEventual; c <= ConsistencyGlobal; c++ {
		if strings.EqualFold(word, c.String()) {
			return c, nil
		}
	}
	return ConsistencyUnset, fmt.Errorf("consistency %q is not known: say %s", word, consistencyChoices)
}
