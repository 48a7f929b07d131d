package wire

import "fmt"

// Side says whose connection failed.
type Side uint8

// The sides of a relay.
const (
	SideUnknown Side = iota
	SideClient
	SideNode
)

// String returns the side in lower case.
func (s Side) String() string { return [...]string{"unknown", "client", "node"}[min(s, 2)] }

// SideError is a failure of one side of a relay, so that whoever reads it
// knows whom to ask: "broken pipe" alone tells nobody.
type SideError struct {
	Side Side
	Err  error
}

// Error names the side and the failure.
func (e *SideError) Error() string { return fmt.Sprintf("%s connection: %v", e.Side, e.Err) }

// Unwrap returns the failure.
func (e *SideError) Unwrap() error { return e.Err }
