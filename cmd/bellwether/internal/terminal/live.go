package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
)

// live is a command that shows what a Bellwether that runs says, once or again
// and again. It is a value, filled in by flags.
type live struct {
	config string
	output string
	watch  bool
	every  time.Duration
}

// flags adds what every such command takes.
func (l *live) flags(cmd *cobra.Command) {
	RequireConfig(cmd, &l.config)
	flags := cmd.Flags()
	flags.StringVarP(&l.output, "output", "o", "table", "`table` for people, or json")
	flags.BoolVarP(&l.watch, "watch", "w", false, "show it again and again, until Ctrl-C")
	flags.DurationVar(&l.every, "interval", 2*time.Second, "how long between two looks")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// outputs are the forms of what is shown.
var outputs = []string{"table", "json"}

// leastInterval keeps a watch from being a load.
const leastInterval = 100 * time.Millisecond

// show looks once, or until ctx ends, and shows what draw makes of it.
func (l *live) show(ctx context.Context, out io.Writer, draw func(context.Context, running.Bellwether, io.Writer) error) error {
	if !slices.Contains(outputs, l.output) {
		return fmt.Errorf("--output %s: it is table or json", l.output)
	}
	from, err := running.On(l.config)
	if err != nil {
		return err
	}
	if !l.watch {
		return draw(ctx, from, out)
	}
	tick := time.NewTicker(max(l.every, leastInterval))
	defer tick.Stop()
	for {
		// As one piece: a screen that is cleared and then waited for flickers.
		page := new(bytes.Buffer)
		if err := draw(ctx, from, page); err != nil && !errors.Is(err, ErrTold) {
			fmt.Fprintf(page, "%v\n", err)
		}
		if ctx.Err() != nil {
			return nil
		}
		if isTerminal(out) {
			fmt.Fprint(out, "\033[H\033[2J")
		}
		if _, err := page.WriteTo(out); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// writeDocument prints a value as JSON.
func writeDocument(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
