package compose

import (
	"fmt"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/format"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	"github.com/pingcap/tidb/pkg/parser/test_driver"
)

// written is how trees become text: keywords in capitals, names and strings in
// one kind of quotes, backslashes doubled as SQLMode has them read.
const written = format.DefaultRestoreFlags | format.RestoreStringEscapeBackslash |
	format.RestoreSpacesAroundBinaryOperation | format.RestoreStringWithoutDefaultCharset

// part is a place in a statement where a fragment stands. The text around it
// has to be such that a whole fragment is all that fits.
type part struct {
	name          string
	before, after string
	// pieces returns what the fragment has become in the tree; ok is false
	// where the statement is of another kind than the text around began.
	pieces func(ast.StmtNode) (all []ast.Node, ok bool)
}

// fragment returns a caller's text for a place, written anew from its tree.
func (c *Composer) fragment(p part, t Table, text string) (string, error) {
	if err := scan(p.name, text); err != nil {
		return "", err
	}
	statement, err := c.parse(p.before + text + p.after)
	if err != nil {
		return "", refuse(p.name, "is not understood: %v", err)
	}
	pieces, ok := p.pieces(statement)
	if !ok || len(pieces) == 0 {
		return "", refuse(p.name, "is more than that, or none")
	}
	look := inspection{table: t}
	for _, piece := range pieces {
		piece.Accept(&look)
	}
	if look.found != "" {
		return "", refuse(p.name, "%s", look.found)
	}
	whole, again, err := c.both(p, statement, pieces)
	switch {
	case err != nil:
		return "", refuse(p.name, "cannot be written: %v", err)
	case c.anew(p.before+again+p.after) != whole:
		return "", refuse(p.name, "is more than that: it goes on with something else")
	}
	return again, walk(p.name, again) // "- -1" is written as "--1"
}

// both writes the statement as it was parsed, and the pieces alone.
func (c *Composer) both(p part, statement ast.StmtNode, pieces []ast.Node) (whole, alone string, err error) {
	if whole, err = write(statement); err != nil {
		return "", "", err
	}
	texts := make([]string, len(pieces))
	for i, piece := range pieces {
		if texts[i], err = writePiece(piece); err != nil {
			return "", "", err
		}
	}
	return whole, strings.Join(texts, ", "), nil
}

// anew parses and writes a statement; "" where it cannot be.
func (c *Composer) anew(text string) string {
	statement, err := c.parse(text)
	if err != nil {
		return ""
	}
	again, err := write(statement)
	if err != nil {
		return ""
	}
	return again
}

// parse returns the one statement of a text.
func (c *Composer) parse(text string) (statement ast.StmtNode, err error) {
	p, ok := c.parsers.Get().(*parser.Parser)
	if !ok {
		p = parser.New()
		p.SetSQLMode(mysql.ModeStrictTransTables)
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			statement, err = nil, fmt.Errorf("it is beyond the parser") // which is not used again
			return
		}
		c.parsers.Put(p)
	}()
	all, _, err := p.ParseSQL(text)
	if err != nil {
		message, _, _ := strings.Cut(err.Error(), " (total length")
		return nil, fmt.Errorf("%s", message)
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("it is %d statements", len(all))
	}
	return all[0], nil
}

func write(n ast.Node) (string, error) {
	var text strings.Builder
	err := n.Restore(format.NewRestoreCtx(written, &text))
	return text.String(), err
}

// inspection looks at every node of a fragment and keeps the first that it may
// not have. What is not known here is refused.
type inspection struct {
	table Table
	found string
}

// Enter looks at a node before those below it.
func (i *inspection) Enter(n ast.Node) (ast.Node, bool) {
	if i.found == "" {
		i.found = i.judge(n)
	}
	return n, i.found != ""
}

// Leave does nothing.
func (i *inspection) Leave(n ast.Node) (ast.Node, bool) { return n, i.found == "" }

func (i *inspection) judge(n ast.Node) string {
	switch n := n.(type) {
	case *test_driver.ParamMarkerExpr:
		return "has a ?: give values as JSON to have them bound"
	case *test_driver.ValueExpr:
		return i.literal(n)
	case *ast.ColumnName:
		return i.belongs(n.Schema.O, n.Table.O)
	case *ast.SelectField:
		if n.WildCard != nil { // which Accept goes past
			return i.belongs(n.WildCard.Schema.O, n.WildCard.Table.O)
		}
		return ""
	case *ast.FuncCallExpr:
		return i.call(n)
	case *ast.AggregateFuncExpr:
		return ""
	case *ast.SubqueryExpr, *ast.ExistsSubqueryExpr, *ast.CompareSubqueryExpr:
		return "has a subquery: a call reaches its own table only"
	case *ast.VariableExpr:
		return "names the variable " + n.Name + ": no call reads or sets variables"
	case *ast.TableName:
		return "names the table " + n.Name.O
	case *ast.ColumnOption:
		return judgeOption(n)
	case *ast.Constraint:
		return judgeConstraint(n)
	case *ast.AlterTableSpec:
		return judgeChange(n)
	case *ast.BetweenExpr, *ast.BinaryOperationExpr, *ast.WhenClause, *ast.CaseExpr, *ast.ColumnNameExpr, *ast.DefaultExpr,
		*ast.PatternInExpr, *ast.IsNullExpr, *ast.IsTruthExpr, *ast.PatternLikeOrIlikeExpr, *ast.ParenthesesExpr, *ast.PositionExpr,
		*ast.PatternRegexpExpr, *ast.RowExpr, *ast.UnaryOperationExpr, *ast.MatchAgainst, *ast.SetCollationExpr, *ast.FuncCastExpr,
		*ast.TrimDirectionExpr, *ast.TimeUnitExpr, *ast.GetFormatSelectorExpr, *ast.Assignment, *ast.ByItem,
		*ast.ColumnDef, *ast.IndexPartSpecification, *ast.IndexOption, *ast.ColumnPosition:
		return ""
	}
	return fmt.Sprintf("has something that no call takes (%s)", strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast."))
}

// literal refuses strings in other character sets than the connection's, whose
// bytes would be taken for something else.
func (i *inspection) literal(n *test_driver.ValueExpr) string {
	switch set := n.Type.GetCharset(); strings.ToLower(set) {
	case "", "utf8mb4", "utf8", "utf8mb3", "binary":
		return ""
	default:
		return "has a string in " + set + ": all text is utf8mb4 here"
	}
}

// belongs refuses a qualified name of another table.
func (i *inspection) belongs(schema, table string) string {
	if schema != "" && schema != i.table.Database || table != "" && table != i.table.Name {
		return "names another table: " + strings.TrimPrefix(schema+"."+table, ".")
	}
	return ""
}

// call lets builtins through, and has them written as such: never in quotes,
// as names of stored functions may be.
func (i *inspection) call(n *ast.FuncCallExpr) string {
	switch n.FnName.L {
	case ast.DateLiteral, ast.TimeLiteral, ast.TimestampLiteral:
		return ""
	}
	n.Tp = ast.FuncCallExprTypeKeyword
	return whyNotCalled(n.Schema.O, n.FnName.L)
}

// tables returns the tables that a statement names, and its kind.
func (c *Composer) tables(text string) (named []Table, kind string, err error) {
	statement, err := c.parse(text)
	if err != nil {
		return nil, "", err
	}
	var found collection
	statement.Accept(&found)
	return found.tables, strings.TrimPrefix(fmt.Sprintf("%T", statement), "*ast."), nil
}

// collection gathers the names of tables.
type collection struct{ tables []Table }

// Enter notes a table.
func (c *collection) Enter(n ast.Node) (ast.Node, bool) {
	if name, ok := n.(*ast.TableName); ok {
		c.tables = append(c.tables, Table{Database: name.Schema.O, Name: name.Name.O})
	}
	return n, false
}

// Leave does nothing.
func (c *collection) Leave(n ast.Node) (ast.Node, bool) { return n, true }
