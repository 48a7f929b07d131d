package acceptance

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// generalLogs reads what the nodes say they were asked; the master is first.
type generalLogs struct{ nodes []*playground.Node }

// entry is one command in a general log.
type entry struct{ command, text string }

// entryList is a node's, in order.
type entryList []entry

// entries are those of each node, the master's first.
type entries []entryList

var entryStart = regexp.MustCompile(`(?m)^[^\n\t]*\t+ *\d+ (Query|Execute|Prepare|Init DB|Connect|Quit|Close stmt|Reset stmt|Fetch|Long Data|Change user|Ping|Statistics|Reset Connection|Set option|Field List|Kill|Binlog Dump GTID|Binlog Dump|Connect Out|Register Slave|Register Replica|Error|Sleep|Debug|Processlist|Daemon)(\t|\n|$)`)

// read returns all entries so far.
func (g *generalLogs) read() (entries, error) {
	var all entries
	for _, n := range g.nodes {
		text, err := n.GeneralLog()
		if err != nil {
			return nil, fmt.Errorf("read general log: %w", err)
		}
		all = append(all, parseGeneralLog(text))
	}
	return all, nil
}

func parseGeneralLog(text string) entryList {
	var list entryList
	starts := entryStart.FindAllStringSubmatchIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		list = append(list, entry{command: text[at[2]:at[3]], text: text[at[1]:end]})
	}
	return list
}

// settled asks every node one last thing and reads the logs once it is in all
// of them.
func (g *generalLogs) settled() (entries, error) {
	last := fmt.Sprintf("<the end of the log at %d>", time.Now().UnixNano())
	for _, n := range g.nodes {
		ask := func(c *rawclient.Conn) error { return script(c, "", []string{"SELECT 1 /* " + last + " */"}) }
		if err := asBoss(n.Addr(), ask); err != nil {
			return nil, fmt.Errorf("ask %s: %w", n.Name, err)
		}
	}
	deadline := time.Now().Add(patience)
	for {
		all, err := g.read()
		if err != nil {
			return nil, err
		}
		if all[0].count(last, false) > 0 && all[1].count(last, false) > 0 && all[2].count(last, false) > 0 {
			return all, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("a general log lacks its end after %v", patience)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// count returns how often a marker was asked of the node; executed counts only
// executions of prepared statements.
func (l entryList) count(marker string, executed bool) int {
	n := 0
	for _, e := range l {
		asked := e.command == "Execute" || !executed && e.command == "Query"
		if asked && strings.Contains(e.text, marker) {
			n++
		}
	}
	return n
}
