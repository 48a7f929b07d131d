package backend

import "sync"

// Carry is LAST_INSERT_ID() of one session, on its way from the connection
// that it was made on to another one. The OK packet does not tell it exactly
// (an explicit value for the column is reported there too), so the connection
// is asked before it is given away, by whoever takes it. Any goroutine may use it.
type Carry struct {
	mu    sync.Mutex
	known chan struct{}
	value string
}

// NewCarry returns a carry whose value is still on its connection.
func NewCarry() *Carry { return &Carry{known: make(chan struct{})} }

// Set tells the value; "" says that it was lost with its connection.
func (c *Carry) Set(value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.known:
	default:
		c.value = value
		close(c.known)
	}
}

// Known is closed once the value has been told.
func (c *Carry) Known() <-chan struct{} { return c.known }

// Value returns what was told, "" before.
func (c *Carry) Value() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value
}

// Lost reports whether the value went with its connection; not for nil, which is
// the carry of a session that has made none.
func (c *Carry) Lost() bool {
	if c == nil {
		return false
	}
	select {
	case <-c.known:
		return c.Value() == ""
	default:
		return false
	}
}
