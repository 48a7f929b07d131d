package playground

import (
	"context"
	"fmt"
)

// AwaitEnd waits until the server that runs now has ended, however it does, and
// returns how, such as "signal: killed". Where ctx ends first it returns its
// cause.
func (n *Node) AwaitEnd(ctx context.Context) (how string, err error) {
	p := n.current()
	if p == nil {
		return "", fmt.Errorf("await the end of %s: %w", n.Name, errNotRunning)
	}
	if err := p.waitExit(ctx); err != nil {
		return "", err
	}
	return p.ended().Error(), nil
}
