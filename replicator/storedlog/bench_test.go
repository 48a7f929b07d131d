package storedlog

import (
	"testing"
)

// BenchmarkSync appends and syncs one small transaction at a time.
func BenchmarkSync(b *testing.B) {
	l := opened(b, Config{Dir: b.TempDir()})
	rotate(b, l)
	for n := uint64(1); b.Loop(); n++ {
		write(b, l, n, n, 300)
	}
}

// BenchmarkAppend appends small transactions and syncs a thousand at a time.
func BenchmarkAppend(b *testing.B) {
	l := opened(b, Config{Dir: b.TempDir()})
	rotate(b, l)
	b.SetBytes(sizeOf(transaction(1, 300)))
	for n := uint64(1); b.Loop(); n++ {
		if err := appendAll(l, transaction(n, 300)); err != nil {
			b.Fatal(err)
		}
		if n%1000 == 0 {
			if err := l.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkRead reads a log of small transactions from its beginning.
func BenchmarkRead(b *testing.B) {
	for name, key := range map[string][]byte{"plain": nil, "encrypted": testKey} {
		b.Run(name, func(b *testing.B) {
			l := opened(b, Config{Dir: b.TempDir(), Key: key})
			rotate(b, l)
			write(b, l, 1, 50_000, 300)
			b.SetBytes(50_000 * sizeOf(transaction(1, 300)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := l.Read(set(b, ""))
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = r.Next(done())
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
