package fullcopy

import (
	"errors"
	"fmt"
)

// Method is the way in which the data get to the target.
type Method uint8

// The methods.
const (
	MethodUnknown Method = iota // as MethodCopy
	// MethodCopy goes over client connections, on every server.
	MethodCopy
	// MethodClone is MySQL's own CLONE INSTANCE: faster, but the target ends, and
	// must be started again by whatever runs it, or by somebody.
	MethodClone
)

// String returns the method in lower case.
func (m Method) String() string { return [...]string{"unknown", "copy", "clone"}[min(m, 2)] }

// errMethod says that a word is none of the methods.
var errMethod = errors.New("want copy or clone")

// ParseMethod reads what String writes; "unknown" is none.
func ParseMethod(text string) (Method, error) {
	for m := MethodCopy; m <= MethodClone; m++ {
		if m.String() == text {
			return m, nil
		}
	}
	return MethodUnknown, fmt.Errorf("method %q: %w", text, errMethod)
}
