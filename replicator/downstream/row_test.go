package downstream

import (
	"database/sql"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// row asks a node for one row, by column names; NULL is "".
func (w *world) row(n *playground.Node, query string) map[string]string {
	w.Helper()
	db, err := sql.Open("mysql", n.DSN(w.nodes.Operator.User, w.nodes.Operator.Password, ""))
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(w.Context(), query)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		w.Fatal(err)
	}
	out := map[string]string{}
	if !rows.Next() {
		return out
	}
	values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		w.Fatal(err)
	}
	for i, name := range names {
		out[name] = values[i].String
	}
	return out
}
