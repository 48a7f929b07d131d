package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// registers is what a table of one row a key is to its clients: the last write
// of a key is what is read. Porcupine looks at each key by itself.
var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := make([][]porcupine.Operation, linearKeys)
		for _, op := range history {
			key := op.Input.(registerCall).key
			byKey[key] = append(byKey[key], op)
		}
		return byKey
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		if call := input.(registerCall); call.write {
			return true, call.value
		}
		return output == state, state
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %v", input, output) },
}

// registerCall is one operation on one key.
type registerCall struct {
	write      bool
	key, value int
}

const (
	linearKeys    = 4
	linearClients = 4 // that write, and as many that read
)

// linear is a history of clients in the making.
type linear struct {
	*fed
	begun time.Time
	value atomic.Int64

	mu      sync.Mutex
	history []porcupine.Operation
}

// isLinear has clients write and read for a while under a hindrance, at global,
// and wants a history that one copy of the data could have made.
func (f *fed) isLinear(h hindrance, during time.Duration) {
	l := &linear{fed: f, begun: time.Now()}
	f.run("DROP TABLE IF EXISTS stale.r", "CREATE TABLE stale.r (id INT PRIMARY KEY, v INT NOT NULL)", "INSERT INTO stale.r VALUES (0, 0), (1, 0), (2, 0), (3, 0)")
	f.everywhere("SELECT SUM(v) FROM stale.r", "0")
	ctx, cancel := context.WithTimeout(f.Context(), during)
	defer cancel()
	var group sync.WaitGroup
	group.Go(func() { h.hinder(ctx, f) })
	for n := range 2 * linearClients {
		group.Go(func() {
			if err := l.client(ctx, n); err != nil {
				f.Errorf("client %d: %v", n, err)
			}
		})
	}
	group.Wait()
	if f.Failed() {
		return
	}
	result, info := porcupine.CheckOperationsVerbose(registers, l.history, patience)
	if result != porcupine.Ok {
		f.Errorf("%d operations: %v", len(l.history), result)
		drawing, err := os.CreateTemp("", "linear-*.html") // the folder of the test is gone when somebody looks
		if err == nil {
			err = errors.Join(porcupine.Visualize(registers, info, drawing), drawing.Close())
		}
		f.Logf("drawn in %s (%v)", drawing.Name(), err)
		return
	}
	f.Logf("%d operations are linearizable", len(l.history))
}

// client writes, or reads in several ways, one thing after another.
func (l *linear) client(ctx context.Context, n int) error {
	conn, err := l.clients(1).Conn(l.Context())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(l.Context(), "SET bellwether_consistency = global"); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(uint64(n), 11))
	for ctx.Err() == nil {
		call := registerCall{key: random.IntN(linearKeys), write: n < linearClients}
		if call.write {
			call.value = int(l.value.Add(1))
		}
		from := time.Since(l.begun)
		got, err := l.do(conn, call, random)
		if err != nil {
			return err
		}
		l.note(porcupine.Operation{ClientId: n, Input: call, Call: int64(from), Output: got, Return: int64(time.Since(l.begun))})
		if call.write { // so that there are reads between writes
			rest(ctx, time.Duration(random.IntN(4000))*time.Microsecond)
		}
	}
	return nil
}

func (l *linear) note(op porcupine.Operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history = append(l.history, op)
}

// do runs one operation: a read on whatever node, on the master, or in a
// transaction.
func (l *linear) do(conn *sql.Conn, call registerCall, random *rand.Rand) (got int, err error) {
	if call.write {
		_, err = conn.ExecContext(l.Context(), fmt.Sprintf("UPDATE stale.r SET v = %d WHERE id = %d", call.value, call.key))
		return 0, err
	}
	begin, hint := "", ""
	switch random.IntN(8) {
	case 0:
		hint = "/* bellwether: master */ "
	case 1:
		begin = "START TRANSACTION READ ONLY"
	case 2:
		begin = "BEGIN"
	}
	if begin != "" {
		if _, err := conn.ExecContext(l.Context(), begin); err != nil {
			return 0, err
		}
	}
	table := []string{" stale.r", "(stale.r)"}[random.IntN(2)]
	if err = conn.QueryRowContext(l.Context(), fmt.Sprintf("%sSELECT v FROM%s WHERE id = %d", hint, table, call.key)).Scan(&got); err != nil {
		return 0, err
	}
	if begin != "" {
		_, err = conn.ExecContext(l.Context(), "COMMIT")
	}
	return got, err
}

// TestRegistersSee: the model takes what one copy of the data could have made, and
// nothing else.
func TestRegistersSee(t *testing.T) {
	write := func(key, value int, from, to int64) porcupine.Operation {
		return porcupine.Operation{Input: registerCall{write: true, key: key, value: value}, Output: 0, Call: from, Return: to}
	}
	read := func(client, key, got int, from, to int64) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: registerCall{key: key}, Output: got, Call: from, Return: to}
	}
	for _, c := range []struct {
		name    string
		history []porcupine.Operation
		want    porcupine.CheckResult
	}{
		{"a read after a write", []porcupine.Operation{write(0, 5, 1, 2), read(1, 0, 5, 3, 4)}, porcupine.Ok},
		{"a read beside it, before or after", []porcupine.Operation{write(0, 5, 1, 9), read(1, 0, 0, 2, 3), read(2, 0, 5, 4, 5)}, porcupine.Ok},
		{"of another key", []porcupine.Operation{write(0, 5, 1, 2), read(1, 1, 0, 3, 4)}, porcupine.Ok},
		{"a stale read", []porcupine.Operation{write(0, 5, 1, 2), read(1, 0, 0, 3, 4)}, porcupine.Illegal},
		{"back and forth", []porcupine.Operation{write(0, 5, 1, 9), read(1, 0, 5, 2, 3), read(2, 0, 0, 4, 5)}, porcupine.Illegal},
		{"what nobody wrote", []porcupine.Operation{read(1, 0, 7, 1, 2)}, porcupine.Illegal},
	} {
		if got := porcupine.CheckOperationsTimeout(registers, c.history, patience); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
