package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/meanwhile"
)

// How often progress is shown: on a terminal in one line, elsewhere a line each.
const (
	terminalInterval = 500 * time.Millisecond
	logInterval      = 10 * time.Second
)

// Showing does work and shows how far it is until it ends.
func Showing(ctx context.Context, out io.Writer, line func() string, work func(ctx context.Context) error) error {
	interval, format := logInterval, "%s\n"
	if isTerminal(out) {
		interval, format = terminalInterval, "\r\033[K%s"
		defer func() { fmt.Fprint(out, "\r\033[K") }()
	}
	return meanwhile.Every(ctx, interval, func() { fmt.Fprintf(out, format, line()) }, work)
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
