package acceptance

import "fmt"

// transfer moves money between two accounts, and reads inside the transaction
// what it then relies on. The lower account is locked first.
func (c *caller) transfer(number int) error {
	t := c.draw()
	if err := c.begin(); err != nil {
		return err
	}
	for _, leg := range t.legs() {
		if err := c.book(leg); err != nil {
			return c.abandon(err)
		}
	}
	_, err := c.exec(1, "INSERT INTO chaos.transfers (run, client, number, payer, payee, amount) VALUES (?, ?, ?, ?, ?, ?)",
		c.crowd.number, c.n, number, t.payer, t.payee, t.amount)
	if err != nil {
		return c.abandon(err)
	}
	if _, err := c.exec(0, "COMMIT"); err != nil {
		return c.abandon(err)
	}
	c.ack()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.transfers[chaosKey{c.n, number}] = 0
	return nil
}

// movement is an amount that goes from one account to another.
type movement struct{ payer, payee, amount int }

func (c *caller) draw() movement {
	m := movement{payer: c.random.IntN(chaosAccounts), payee: c.random.IntN(chaosAccounts - 1), amount: 1 + c.random.IntN(50)}
	if m.payee >= m.payer {
		m.payee++
	}
	return m
}

// leg is what a movement does to one account.
type leg struct{ account, change int }

func (m movement) legs() []leg {
	legs := []leg{{m.payer, -m.amount}, {m.payee, m.amount}}
	if m.payer > m.payee {
		legs[0], legs[1] = legs[1], legs[0]
	}
	return legs
}

func (c *caller) begin() error {
	word := "BEGIN"
	if c.n%2 == 1 {
		word = "START TRANSACTION"
	}
	_, err := c.exec(0, word)
	return err
}

// book reads a balance, sets the new one, and wants to find that.
func (c *caller) book(l leg) error {
	before, err := c.one("SELECT balance FROM chaos.accounts WHERE id = ? FOR UPDATE", l.account)
	if err != nil {
		return err
	}
	want := before + int64(l.change)
	if _, err := c.exec(1, "UPDATE chaos.accounts SET balance = ? WHERE id = ?", want, l.account); err != nil {
		return err
	}
	after, err := c.one("SELECT balance FROM chaos.accounts WHERE id = ?", l.account)
	if err == nil && after != want {
		c.say(&c.wrong, "account %d has %d, the transaction has just written %d", l.account, after, want)
	}
	return err
}

// abandon says where a transaction ended; work closes the session.
func (c *caller) abandon(err error) error { return fmt.Errorf("in a transaction: %w", err) }
