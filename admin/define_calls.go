package admin

import (
	"net/http"

	"github.com/bellwether-db/bellwether/admin/compose"
)

// The calls that define: databases and tables.

// createDatabase is /createdb.
func (s *Server) createDatabase(c *call) *problem {
	var in struct {
		Name string `json:"name"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	statement, err := s.compose.CreateDatabase(in.Name)
	return s.change(c, "createdb", compose.Table{Database: in.Name}, statement, err)
}

// dropDatabase is /dropdb.
func (s *Server) dropDatabase(c *call) *problem {
	var in struct {
		Name string `json:"name"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	statement, err := s.compose.DropDatabase(in.Name)
	return s.change(c, "dropdb", compose.Table{Database: in.Name}, statement, err)
}

// alterDatabase is /alterdb.
func (s *Server) alterDatabase(c *call) *problem {
	var in struct {
		Name      string `json:"name"`
		Charset   string `json:"charset"`
		Collation string `json:"collation"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	statement, err := s.compose.AlterDatabase(in.Name, in.Charset, in.Collation)
	p := s.change(c, "alterdb", compose.Table{Database: in.Name}, statement, err)
	if p != nil && p.Code == codeNoFolder {
		p.Type, p.Status, p.Remedy = kindUnknown, http.StatusNotFound, "MariaDB says so of a database that is not there: see whether it is"
	}
	return p
}

// codeNoFolder is what MariaDB answers to ALTER DATABASE of none: it cannot write
// the file in which a database's options are.
const codeNoFolder = 1

// createTable is /createtable.
func (s *Server) createTable(c *call) *problem {
	var in struct {
		Database string         `json:"dbname"`
		Table    string         `json:"table"`
		Schema   compose.Schema `json:"schema"`
		Columns  compose.Schema `json:"columns"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	if in.Schema != "" && in.Columns != "" {
		return badParameter("schema and columns say the same: choose one")
	}
	table := compose.Table{Database: in.Database, Name: in.Table}
	statement, err := s.compose.CreateTable(table, string(in.Schema+in.Columns))
	return s.change(c, "createtable", table, statement, err)
}

// alterTable is /altertable.
func (s *Server) alterTable(c *call) *problem {
	var in struct {
		Database string `json:"dbname"`
		Table    string `json:"table"`
		Change   string `json:"change"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	table := compose.Table{Database: in.Database, Name: in.Table}
	statement, err := s.compose.AlterTable(table, in.Change)
	return s.change(c, "altertable", table, statement, err)
}
