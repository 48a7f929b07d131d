package terminal

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
)

func topCommand() *cobra.Command {
	l, order, limit := live{}, "total", 20
	cmd := &cobra.Command{
		Use:   "top --config FILE",
		Short: "Show the busiest statements, by their shape",
		Long: `Top shows what clients run most, by the shape of the statement, since Bellwether started or the
digests were begun anew. On a terminal it is shown again and again; elsewhere once, unless --watch is given.`,
		Args: cobra.NoArgs,
		RunE: Running(func(cmd *cobra.Command, _ []string) error {
			l.watch = l.watch || l.output == "table" && isTerminal(cmd.OutOrStdout())
			path := "/v1/digests?order=" + order + "&limit=" + strconv.Itoa(limit)
			return l.show(cmd.Context(), cmd.OutOrStdout(), func(ctx context.Context, from running.Bellwether, out io.Writer) error {
				var r admin.DigestReport
				if err := from.Do(ctx, http.MethodGet, path, nil, &r); err != nil {
					return err
				}
				if l.output == "json" {
					return writeDocument(out, r)
				}
				return writeTop(out, &r, time.Now())
			})
		}),
	}
	l.flags(cmd)
	cmd.Flags().StringVar(&order, "order", order, "by `total` time, count, errors or max")
	cmd.Flags().IntVar(&limit, "limit", limit, "how many")
	_ = cmd.RegisterFlagCompletionFunc("order", cobra.FixedCompletions([]string{"total", "count", "errors", "max"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func writeTop(out io.Writer, r *admin.DigestReport, now time.Time) error {
	fmt.Fprintf(out, "Statements by shape, of the last %s\n\n", now.Sub(r.Since).Round(time.Second))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TOTAL\tCOUNT\tERRORS\tP50\tP99\tMAX\tMASTER\tSLAVES\tDATABASE\tSTATEMENT")
	for i := range r.Digests {
		d := &r.Digests[i]
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", milliseconds(d.TotalMS), d.Count, d.Errors,
			milliseconds(d.P50MS), milliseconds(d.P99MS), milliseconds(d.MaxMS), d.ToMaster, d.ToSlaves, d.Database, brief(d.Text, statementWidth))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if r.Dropped > 0 {
		fmt.Fprintf(out, "\n%d statements of other shapes, for which there was no room (proxy.digests)\n", r.Dropped)
	}
	return nil
}

// statementWidth is how much of a statement a table shows.
const statementWidth = 100

// brief is the beginning of a text, on one line.
func brief(text string, width int) string {
	text = OneLine(text)
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// milliseconds is a time in milliseconds as people read it.
func milliseconds(ms float64) string {
	d := time.Duration(ms * float64(time.Millisecond))
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}
