//go:build soak

package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"
)

// client writes one thing after another and reads each back on the session that
// wrote it. It connects anew when its session breaks.
func (b *bank) client(ctx context.Context, client int) {
	db := b.f.clients(1)
	random := rand.New(rand.NewPCG(uint64(client), 7))
	for number := 1; ctx.Err() == nil; number++ {
		k := entryKey{client, number}
		err := b.turn(db, k, random)
		refused := (*mysql.MySQLError)(nil)
		switch {
		case err == nil:
			rest(ctx, time.Duration(random.IntN(5))*time.Millisecond)
		case errors.As(err, &refused) && refused.Number != deadlock:
			b.f.Errorf("client %d, write %d was refused: %v", client, number, err)
			rest(ctx, time.Second)
		default: // its connection broke: it may be there or not
			rest(ctx, 20*time.Millisecond)
		}
	}
}

var errAway = errors.New("no connection")

// deadlock is for the client to try again, as on any server.
const deadlock = 1213

// turn is one write and the read of it. It has a bound of its own, so that it is
// finished also when the test is about to end.
func (b *bank) turn(db *sql.DB, k entryKey, random *rand.Rand) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	session, err := db.Conn(ctx)
	if err != nil { // a product that has just started may not let it in yet
		return fmt.Errorf("%w: %v", errAway, err)
	}
	defer session.Close()
	name, done := "singles", b.singles
	if k.client < inserters {
		_, err = session.ExecContext(ctx, fmt.Sprintf("INSERT INTO bank.singles (client, number) VALUES (%d, %d)", k.client, k.number))
	} else {
		name, done = "transfers", b.transfer
		err = move(ctx, session, k, random)
	}
	b.mu.Lock()
	if err == nil {
		done[k] = true
	} else {
		b.doubtful++
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.readBack(ctx, session, name, k)
}

// readBack wants a session to see what it has just written. A session that
// breaks has nothing to see.
func (b *bank) readBack(ctx context.Context, session *sql.Conn, name string, k entryKey) error {
	var found int
	query := fmt.Sprintf("SELECT COUNT(*) FROM bank.%s WHERE client = %d AND number = %d", name, k.client, k.number)
	if err := session.QueryRowContext(ctx, query).Scan(&found); err != nil {
		return err
	}
	if found != 1 {
		b.f.Errorf("client %d finds its own write %d %d times", k.client, k.number, found)
	}
	return nil
}

// move moves money between two accounts. The lower one is locked first.
func move(ctx context.Context, session *sql.Conn, k entryKey, random *rand.Rand) error {
	low := random.IntN(bankAccounts - 1)
	high, amount := low+1+random.IntN(bankAccounts-1-low), 1+random.IntN(50)
	payer, payee := low, high
	if random.IntN(2) == 0 {
		payer, payee, amount = high, low, amount+1
	}
	lower := -amount // what the lower account gets
	if payee == low {
		lower = amount
	}
	tx, err := session.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	for _, s := range []string{
		fmt.Sprintf("UPDATE bank.accounts SET balance = balance + %d WHERE id = %d", lower, low),
		fmt.Sprintf("UPDATE bank.accounts SET balance = balance - %d WHERE id = %d", lower, high),
		fmt.Sprintf("INSERT INTO bank.transfers (client, number, payer, payee, amount) VALUES (%d, %d, %d, %d, %d)", k.client, k.number, payer, payee, amount),
	} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit()
}
