package main

import (
	"errors"
	"fmt"
	"syscall"
)

// withAdvice adds to an error of listening what to do about it. setting names
// the flag or key that says where to listen.
func withAdvice(err error, setting string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: something listens there already: stop it, or choose another address with %s", err, setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: ports below 1024 need a privilege (CAP_NET_BIND_SERVICE): choose another one with %s", err, setting)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine has no such address: choose another one with %s", err, setting)
	}
	return err
}
