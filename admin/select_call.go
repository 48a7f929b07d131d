package admin

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	"github.com/bellwether-db/bellwether/admin/compose"
	"github.com/bellwether-db/bellwether/admin/rows"
)

// The bounds of a stream of rows that has begun.
const (
	streamTime = time.Hour        // in all
	blockTime  = 30 * time.Second // until the client has taken the next block
)

// selectRows is /select.
func (s *Server) selectRows(c *call) *problem {
	var in struct {
		Database string            `json:"dbname"`
		Table    string            `json:"table"`
		Columns  compose.Names     `json:"columns"`
		Where    compose.Condition `json:"where"`
		Order    string            `json:"order"`
		Limit    *count            `json:"limit"`
		Offset   count             `json:"offset"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	format := rows.Accepted(c.Header.Get("Accept"))
	if format == rows.FormatUnknown {
		return &problem{Type: kindRefused, Title: "not acceptable", Status: http.StatusNotAcceptable,
			Detail: "rows come as application/json, application/x-ndjson or text/csv"}
	}
	statement, err := s.compose.Select(compose.Table{Database: in.Database, Name: in.Table}, compose.Select{
		Columns: string(in.Columns), Where: in.Where, Order: in.Order, Limit: (*uint64)(in.Limit), Offset: uint64(in.Offset),
	})
	if err != nil {
		return explained(err, false)
	}
	return s.reading(c, func(ctx context.Context, tx *sql.Tx) *problem { return stream(ctx, c, tx, statement, format) })
}

// reading runs what only reads, in a transaction that can do nothing else.
func (s *Server) reading(c *call, read func(context.Context, *sql.Tx) *problem) *problem {
	db, p := s.readingFrom(c)
	if p != nil {
		return p
	}
	tx, err := db.BeginTx(c.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return explained(err, false)
	}
	// It has changed nothing, and a connection that cannot end it is closed.
	defer func() { _ = tx.Rollback() }()
	return read(c.Context(), tx)
}

// stream writes rows as they come. Once part of them has left, an error can
// only be shown by breaking off: the answer has no proper end then.
func stream(ctx context.Context, c *call, tx *sql.Tx, statement compose.Statement, format rows.Format) *problem {
	result, err := tx.QueryContext(ctx, statement.Text, statement.Args...)
	if err != nil {
		return explained(err, false)
	}
	defer func() { _ = result.Close() }() // what it could tell, Err has told
	columns, err := rows.ColumnsOf(result)
	if err != nil {
		return explained(err, false)
	}
	c.w.Header().Set("Content-Type", format.ContentType())
	c.w.Header().Set("Cache-Control", "no-store")
	_, started, err := rows.Write(&patient{c: c, control: http.NewResponseController(c.w)}, result, columns, format)
	switch {
	case err == nil:
		return nil
	case started:
		panic(http.ErrAbortHandler)
	}
	return explained(err, false)
}

// patient gives the client time for each block, and a stream that has begun
// more than a call. It serves one goroutine.
type patient struct {
	c       *call
	control *http.ResponseController
	begun   bool
}

// Write writes one block.
func (p *patient) Write(block []byte) (int, error) {
	if !p.begun {
		p.begun = true
		p.c.extend(streamTime)
	}
	// A writer that knows no deadline has none of its own.
	_ = p.control.SetWriteDeadline(time.Now().Add(blockTime))
	return p.c.w.Write(block)
}
