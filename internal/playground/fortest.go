package playground

import (
	"context"
	"time"
)

// TB is what ForTest needs of a test; every testing.TB is one. (The package
// is part of the product's binary, which has no use for package testing.)
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Failed() bool
	Cleanup(func())
	TempDir() string
}

// testPatience bounds a cluster's start in a test, the first one of a machine
// included, which initialises the template.
const testPatience = 5 * time.Minute

// ForTest starts a cluster for one test, in the test's own folder where the
// options name none, and stops it when the test ends; the servers' logs are
// shown if the test failed. Where there is no server to start the test fails,
// with what to do about it. A package whose tests share one cluster calls Start
// in TestMain instead.
func ForTest(t TB, o Options) *Cluster {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	c, err := Start(ctx, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the ends of the servers' logs:\n%s", c.Logs())
		}
		if err := c.Stop(); err != nil {
			t.Errorf("stop playground: %v", err)
		}
	})
	return c
}
