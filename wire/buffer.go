package wire

import "sync"

// Buffers are held only while a command runs; an idle connection has none.
// Small ones carry statements and short answers, large ones long answers, so
// that a result of megabytes costs few system calls.
const (
	smallBuffer = 16 << 10
	largeBuffer = 128 << 10
)

// The pools are the one shared state of the package; sync.Pool makes them
// safe, and a pointer to an array keeps Put from allocating.
var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// takeBuffer returns a buffer of at least size bytes.
func takeBuffer(size int) []byte {
	switch {
	case size <= smallBuffer:
		return smallBuffers.Get().(*[smallBuffer]byte)[:]
	case size <= largeBuffer:
		return largeBuffers.Get().(*[largeBuffer]byte)[:]
	default:
		return make([]byte, size)
	}
}

// giveBuffer takes a buffer back; the caller must not use it any more.
// Buffers of other sizes are left to the garbage collector.
func giveBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	}
}
