//go:build soak

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestSelectMillion reads a million rows over REST, in each format, while the
// memory of this process, in which Bellwether and the client run, is watched.
func TestSelectMillion(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 1, Relaxed: true})
			s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: "127.0.0.1:0", feed: "relay"})
			s.bePatient(t, patientHold, 10*time.Second)
			s.fillMillion(t)
			small, _, _ := s.readAll(t, "application/json", 1000)
			for _, format := range []string{"application/json", "application/x-ndjson", "text/csv"} {
				most, size, took := s.readAll(t, format, 0)
				t.Logf("%s %s: %.1f MB in %.2f s, %.1f MB/s, heap at most %.1f MB (1000 rows: %.1f MB)",
					flavour, format, float64(size)/1e6, took.Seconds(), float64(size)/1e6/took.Seconds(), float64(most)/1e6, float64(small)/1e6)
				if most > small+32<<20 {
					t.Errorf("a million rows take %d bytes of heap, a thousand %d", most, small)
				}
			}
		})
	}
}

// fillMillion makes 1,048,576 rows of about 100 bytes of JSON.
func (s *serving) fillMillion(t *testing.T) {
	t.Helper()
	c := session(t, s.open(t))
	execAll(t, c, "CREATE DATABASE big",
		"CREATE TABLE big.t (Id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60), price DECIMAL(12,2), at DATETIME)",
		"INSERT INTO big.t (name, price, at) VALUES ('a name of about thirty letters', 12345.67, '2026-11-23 10:11:12')")
	for range 20 {
		execAll(t, c, "INSERT INTO big.t (name, price, at) SELECT name, price, at FROM big.t")
	}
	s.waitEverywhere(t, "SELECT COUNT(*) FROM big.t", fmt.Sprint(1<<20))
}

// readAll reads a table and returns the most of the heap meanwhile.
func (s *serving) readAll(t *testing.T, accept string, limit int) (most uint64, size int64, took time.Duration) {
	t.Helper()
	runtime.GC()
	target := "http://" + s.house.admin.Addr().String() + "/select?dbname=big&table=t"
	if limit > 0 {
		target += fmt.Sprintf("&limit=%d", limit)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	watched, stop := context.WithCancel(t.Context())
	peak := make(chan uint64)
	go func() { peak <- heapPeak(watched) }()
	begun := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	size, err = io.Copy(io.Discard, answer.Body)
	took = time.Since(begun)
	stop()
	if most = <-peak; err != nil || answer.StatusCode != 200 {
		t.Fatalf("%d after %d bytes: %v", answer.StatusCode, size, err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return most, size, took
}

// heapPeak watches the heap until ctx ends.
func heapPeak(ctx context.Context) (most uint64) {
	for ; ctx.Err() == nil; sleep(ctx, 20*time.Millisecond) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
	}
	return most
}
