package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// errEnded says that Chromium has closed its end of the pipe.
var errEnded = errors.New("the browser has ended")

// conn carries calls to Chromium, and what it answers and tells: JSON objects
// that end with a zero byte. Any number of goroutines may use it.
type conn struct {
	out  io.Writer
	done chan struct{} // closed once nothing more can be read

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	told    map[string]func(message) // by session: who wants its events
}

// message is an answer, which has the id of its call, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// newConn reads until in ends; wait waits for that.
func newConn(in io.Reader, out io.Writer) *conn {
	c := &conn{out: out, done: make(chan struct{}), waiting: map[int]chan message{}, told: map[string]func(message){}}
	go c.read(in)
	return c
}

func (c *conn) wait() { <-c.done }

func (c *conn) read(in io.Reader) {
	defer close(c.done)
	for reader := bufio.NewReaderSize(in, 1<<20); ; {
		text, err := reader.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) == nil {
			c.deliver(m)
		}
	}
}

func (c *conn) deliver(m message) {
	c.mu.Lock()
	answer, tell := c.waiting[m.ID], c.told[m.Session]
	delete(c.waiting, m.ID)
	c.mu.Unlock()
	switch {
	case answer != nil:
		answer <- m
	case m.ID == 0 && tell != nil:
		tell(m)
	}
}

// listen has tell called with each event of a session, one after the other; it
// makes no call itself.
func (c *conn) listen(session string, tell func(message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told[session] = tell
}

// call makes a call in a session ("" for the browser itself) and reads its
// answer into result, unless that is nil.
func (c *conn) call(ctx context.Context, session, method string, params, result any) error {
	answer, err := c.send(session, method, params)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("call %s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-c.done:
		return fmt.Errorf("call %s: %w", method, errEnded)
	case <-ctx.Done():
		return fmt.Errorf("call %s: %w", method, ctx.Err())
	}
}

func (c *conn) send(session, method string, params any) (<-chan message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	m := message{ID: c.last, Session: session, Method: method}
	if params != nil {
		encoded, err := json.Marshal(params)
		if err != nil {
			return nil, err
		}
		m.Params = encoded
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	answer := make(chan message, 1)
	c.waiting[m.ID] = answer
	if _, err := c.out.Write(append(text, 0)); err != nil {
		delete(c.waiting, m.ID)
		return nil, err
	}
	return answer, nil
}
