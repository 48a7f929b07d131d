package admin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// call is one request that was let in. It serves one goroutine.
type call struct {
	*http.Request
	w   http.ResponseWriter
	who caller
	// node is the node whose own address was called, "" for the cluster's.
	node string
	// alone says that what the call changes is changed on that node and nowhere else.
	alone bool
	// done is what the audit is told of, filled in as the call goes.
	done entry
}

// guarded lets in who has at least this role, from where and as often as the
// configuration says, and bounds the request's body. What serve returns is the
// answer; where it is a problem nothing has been written yet.
func (s *Server) guarded(least Role, serve func(*call) *problem) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		c := &call{Request: r, w: w}
		p := s.admit(c, least)
		if p == nil {
			config := s.settings()
			r.Body = http.MaxBytesReader(w, r.Body, config.BodyLimit)
			p = s.serve(c, config.Timeout, serve)
			if c.done.Call != "" {
				s.audited(c, p, begun)
			}
		}
		if p != nil {
			p.Instance = r.URL.Path
			p.write(w)
		}
	}
}

// serve runs a call in its time, with some of it left to say that it is over.
func (s *Server) serve(c *call, timeout time.Duration, serve func(*call) *problem) *problem {
	// A writer that knows no deadline has none of its own.
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(timeout + 10*time.Second))
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(nil)
	timer := time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	c.Request = c.WithContext(context.WithValue(ctx, patience{}, timer))
	p := serve(c)
	if p != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) && (p.Type == kindOutcome || p.Type == kindUnavailable) {
		p.Status, p.Detail = http.StatusGatewayTimeout, fmt.Sprintf("the call took longer than %v (admin.timeout)", timeout)
	}
	return p
}

// patience is the key of a call's timer in its context.
type patience struct{}

// extend gives a call that has begun to answer so much more time.
func (c *call) extend(more time.Duration) {
	if timer, ok := c.Context().Value(patience{}).(*time.Timer); ok {
		timer.Reset(more)
	}
}

// admit decides whether a call is let in.
func (s *Server) admit(c *call, least Role) *problem {
	if p := s.foreign(c.Request); p != nil {
		return p
	}
	if least > RoleRead && c.Header.Get("Sec-Purpose")+c.Header.Get("Purpose") != "" {
		return foreign("a browser fetches this before anybody has asked for it")
	}
	who, refused := s.caller(c.Request)
	c.who = who
	name := who.name
	if !who.token {
		name = "from " + who.from
		if p := s.misdirected(c.Request); p != nil {
			return p
		}
	}
	if wait := s.rates.take(name, s.settings().Rate); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		c.w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return &problem{Type: kindRate, Title: "too many calls", Status: http.StatusTooManyRequests,
			Detail: name + " makes more than " + strconv.Itoa(s.settings().Rate) + " calls a second", Remedy: "wait, then call again"}
	}
	switch {
	case refused != nil:
		c.w.Header().Set("WWW-Authenticate", "Bearer")
		return refused
	case who.role < least:
		return &problem{Type: kindDenied, Title: "not allowed", Status: http.StatusForbidden,
			Detail: "this call is for the role " + least.String() + ", and " + who.name + " has " + who.role.String()}
	}
	return nil
}
