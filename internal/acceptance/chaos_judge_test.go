package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// judgement is what was found from the outside once a run had ended and every node
// was back. Nothing but errors may be other than zero.
type judgement struct {
	lost, twice, stales, wrongs int
	problems                    []string // in words, these and others
	// lossy is where acknowledged writes may be lost: that is counted, and no problem.
	lossy bool
}

func (v *judgement) add(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// lose counts an acknowledged write that is not there.
func (v *judgement) lose(format string, args ...any) {
	v.lost++
	if !v.lossy {
		v.add(format, args...)
	}
}

// judge looks at every node. The load has been stopped.
// Where writes may be lost, reads may miss them as well.
func (l *crowd) judge(lossy bool) *judgement {
	v := &judgement{stales: len(l.stale), wrongs: len(l.wrong), lossy: lossy}
	v.problems = append(v.problems, l.wrong...)
	if !lossy {
		v.problems = append(v.problems, l.stale...)
	}
	if err := l.until(judgePatience, l.equal); err != nil {
		v.add("the nodes do not come to the same: %v", err)
	}
	if err := l.oneMaster(); err != nil {
		v.add("%v", err)
	}
	for _, n := range l.servers.Nodes {
		if err := errors.Join(l.rows(v, n, "singles", "id", l.singles), l.rows(v, n, "transfers", "0", l.transfers), l.ownRows(v, n), l.money(v, n)); err != nil {
			v.add("look at %s: %v", n.Name, err)
		}
	}
	l.past(v)
	if !lossy {
		l.linearizable(v)
	}
	return v
}

// judgePatience bounds what is waited for after a run.
const judgePatience = 30 * time.Second

// equal is an error while a node has other transactions or other rows than the
// master. The product's own heartbeat may write meanwhile: so the master is
// asked before and after.
func (f *fleet) equal() error {
	master, err := f.master()
	if err != nil {
		return err
	}
	before, err := f.executedBy(master)
	if err != nil {
		return err
	}
	want, err := f.checksums(master)
	if err != nil {
		return err
	}
	for _, n := range f.servers.Nodes {
		has, err := f.executedBy(n)
		if err != nil {
			return err
		}
		after, err := f.executedBy(master)
		if err != nil {
			return err
		}
		if !has.ContainsSet(before) || !after.ContainsSet(has) {
			return fmt.Errorf("%s has %v, the master %s had %v and then %v", n.Name, has, master.Name, before, after)
		}
		if got, err := f.checksums(n); err != nil || got != want {
			return fmt.Errorf("%s has the checksums %s (%w), the master %s %s", n.Name, got, err, master.Name, want)
		}
	}
	return nil
}

func (f *fleet) checksums(n *playground.Node) (text string, err error) {
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	db := f.on(n, 1)
	defer db.Close()
	rows, err := db.QueryContext(ctx, "CHECKSUM TABLE chaos.singles, chaos.transfers, chaos.accounts, chaos.own, chaos.registers")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var table, sum sql.NullString
		if err := rows.Scan(&table, &sum); err != nil {
			return "", err
		}
		text += table.String + "=" + sum.String + " "
	}
	return text, rows.Err()
}

// oneMaster wants one writable node, the one that the product takes for it.
func (f *fleet) oneMaster() error {
	master, err := f.master()
	if err != nil {
		return err
	}
	for _, n := range f.servers.Nodes {
		closed, err := n.Query(f.Context(), "SELECT @@GLOBAL.read_only")
		if err != nil {
			return err
		}
		if (closed == "0") != (n == master) {
			return fmt.Errorf("%s has read_only %s, the master is %s", n.Name, closed, master.Name)
		}
	}
	return nil
}

// rows wants each acknowledged write of this run to be on a node once, under the
// id that the client was told, and any other at most once.
func (l *crowd) rows(v *judgement, n *playground.Node, table, id string, acknowledged map[chaosKey]int64) error {
	db := l.on(n, 1)
	defer db.Close()
	rows, err := db.QueryContext(l.Context(), fmt.Sprintf("SELECT client, number, %s FROM chaos.%s WHERE run = %d", id, table, l.number))
	if err != nil {
		return err
	}
	defer rows.Close()
	there := map[chaosKey]int{}
	for rows.Next() {
		var k chaosKey
		var is int64
		if err := rows.Scan(&k.client, &k.number, &is); err != nil {
			return err
		}
		if there[k]++; there[k] == 2 {
			v.twice++
			v.add("%s: %s %+v is there twice", n.Name, table, k)
		}
		if told, ok := acknowledged[k]; ok && told != is {
			v.wrongs++
			v.add("%s: %s %+v has id %d, the client was told %d", n.Name, table, k, is, told)
		}
	}
	for k := range acknowledged {
		if there[k] == 0 {
			v.lose("%s: %s %+v was acknowledged and is lost", n.Name, table, k)
		}
	}
	return rows.Err()
}

// money wants that none was made or lost, in all runs so far.
func (l *crowd) money(v *judgement, n *playground.Node) error {
	sum, err := n.Query(l.Context(), "SELECT SUM(balance) FROM chaos.accounts")
	if err != nil {
		return err
	}
	if want := fmt.Sprint(chaosAccounts * chaosBalance); sum != want {
		v.wrongs++
		v.add("%s: the accounts have %s together, want %s", n.Name, sum, want)
	}
	odd, err := n.Query(l.Context(), oddAccounts)
	if err == nil && odd != "0" {
		v.wrongs++
		v.add("%s: %s accounts are not what their transfers say", n.Name, odd)
	}
	return err
}

// past wants the rows of earlier runs to be there still, and remembers those of
// this one. All nodes have the same by now.
func (l *crowd) past(v *judgement) {
	count := func(runs int) (string, error) {
		return l.servers.Nodes[0].Query(l.Context(), fmt.Sprintf("SELECT CONCAT(COUNT(*), ' rows, ', COALESCE(SUM(CRC32(CONCAT_WS('-', id, run, client, number))), 0)) FROM chaos.singles WHERE run <= %d", runs))
	}
	before, err := count(l.number - 1)
	if err == nil && l.written != "" && before != l.written {
		v.lose("of earlier runs there are %s, and were %s", before, l.written)
	}
	if err == nil {
		l.written, err = count(l.number)
	}
	if err != nil {
		v.add("count earlier rows: %v", err)
	}
}

// oddAccounts counts accounts that do not have what their transfers say.
var oddAccounts = fmt.Sprintf(`SELECT COUNT(*) FROM chaos.accounts LEFT JOIN (
	SELECT account, SUM(amount) AS moved FROM (
		SELECT payee AS account, amount FROM chaos.transfers UNION ALL SELECT payer, -amount FROM chaos.transfers) legs
	GROUP BY account) sums ON account = id
	WHERE balance <> %d + COALESCE(moved, 0)`, chaosBalance)

// linearizable wants an order of the reads and writes of the registers that one
// copy of the data could have had.
func (l *crowd) linearizable(v *judgement) {
	result, info := porcupine.CheckOperationsVerbose(registers, l.history, judgePatience)
	if result == porcupine.Ok {
		return
	}
	drawing, err := os.CreateTemp("", "chaos-*.html") // the folder of the test is gone when somebody looks
	if err == nil {
		err = errors.Join(porcupine.Visualize(registers, info, drawing), drawing.Close())
	}
	if result == porcupine.Illegal {
		v.stales++
	}
	v.add("%d reads and writes of registers: %v, drawn in %s (%v)", len(l.history), result, drawing.Name(), err)
}
