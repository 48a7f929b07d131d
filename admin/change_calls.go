package admin

import (
	"encoding/json"
	"net/http"

	"github.com/bellwether-db/bellwether/admin/compose"
)

// The calls that change rows.

// insert is /insert.
func (s *Server) insert(c *call) *problem {
	var in struct {
		Database string              `json:"dbname"`
		Table    string              `json:"table"`
		Columns  compose.Names       `json:"columns"`
		Values   compose.Assignments `json:"values"`
		Row      compose.Fields      `json:"row"`
		Rows     []compose.Fields    `json:"rows"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	rows := in.Rows
	for _, one := range []compose.Fields{in.Row, in.Values.Fields} {
		if one != nil {
			rows = append(rows, one)
		}
	}
	table := compose.Table{Database: in.Database, Name: in.Table}
	statement, err := s.compose.Insert(table, compose.Insert{Columns: string(in.Columns), Values: in.Values.SQL, Rows: rows})
	return s.change(c, "insert", table, statement, err)
}

// update is /update.
func (s *Server) update(c *call) *problem {
	var in struct {
		Database string              `json:"dbname"`
		Table    string              `json:"table"`
		Set      compose.Assignments `json:"set"`
		Where    compose.Condition   `json:"where"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	table := compose.Table{Database: in.Database, Name: in.Table}
	statement, err := s.compose.Update(table, in.Set, in.Where)
	return s.change(c, "update", table, statement, err)
}

// delete is /delete.
func (s *Server) delete(c *call) *problem {
	var in struct {
		Database string            `json:"dbname"`
		Table    string            `json:"table"`
		Where    compose.Condition `json:"where"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	table := compose.Table{Database: in.Database, Name: in.Table}
	statement, err := s.compose.Delete(table, in.Where)
	return s.change(c, "delete", table, statement, err)
}

// changed is the answer to a change.
type changed struct {
	Status string `json:"status"`
	// Affected is null where the database's own answer was lost.
	Affected *int64 `json:"affectedRows"`
	// InsertID is the first row's key where the database made one up.
	InsertID int64 `json:"insertId,omitempty"`
	// Detail says what there is to know besides.
	Detail string `json:"detail,omitempty"`
}

// change runs a statement once, and never again whatever comes of it.
func (s *Server) change(c *call, name string, on compose.Table, statement compose.Statement, err error) *problem {
	c.done = entry{Call: name, Database: on.Database, Table: on.Name, Statement: statement.Text}
	if c.alone {
		c.done.Call, c.done.Node = aloneCalls[name], c.node
	}
	if err != nil {
		return explained(err, false)
	}
	if c.alone {
		return s.changeAlone(c, on, statement)
	}
	result, err := s.gateway.ExecContext(c.Context(), statement.Text, statement.Args...)
	answer := changed{Status: "ok", Detail: tookEffect(err)}
	switch {
	case answer.Detail != "":
	case err != nil:
		return explained(err, true)
	default:
		// Both are in the answer that has been read: neither asks the database.
		c.done.Affected, _ = result.RowsAffected()
		answer.InsertID, _ = result.LastInsertId()
		answer.Affected = &c.done.Affected
	}
	writeJSON(c.w, answer)
	return nil
}

// writeJSON writes an answer that is all there.
func writeJSON(w http.ResponseWriter, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		problem{Type: kindInternal, Title: "internal", Status: http.StatusInternalServerError, Detail: err.Error()}.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// A client that has gone needs no answer.
	_, _ = w.Write(append(body, '\n'))
}
