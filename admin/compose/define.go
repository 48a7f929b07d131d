package compose

import (
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/format"
)

// KeyColumn is the column that a table gets, first of all, if its schema has
// no primary key.
const KeyColumn = "Id"

const implicitKey = "`" + KeyColumn + "` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"

func schemaPart() part {
	return part{name: "schema", before: "CREATE TABLE `t` (", after: ")", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		create, ok := s.(*ast.CreateTableStmt)
		if !ok {
			return nil, false
		}
		return append(nodes(create.Cols), nodes(create.Constraints)...), true
	}}
}

func changePart() part {
	return part{name: "change", before: "ALTER TABLE `t` ", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		alter, ok := s.(*ast.AlterTableStmt)
		if !ok {
			return nil, false
		}
		return nodes(alter.Specs), true
	}}
}

func judgeOption(n *ast.ColumnOption) string {
	switch n.Tp {
	case ast.ColumnOptionPrimaryKey, ast.ColumnOptionNotNull, ast.ColumnOptionAutoIncrement, ast.ColumnOptionDefaultValue,
		ast.ColumnOptionUniqKey, ast.ColumnOptionNull, ast.ColumnOptionOnUpdate, ast.ColumnOptionComment, ast.ColumnOptionGenerated,
		ast.ColumnOptionCollate, ast.ColumnOptionCheck:
		return ""
	case ast.ColumnOptionReference:
		return "references another table: make foreign keys through the MySQL address"
	}
	return "gives a column an option that no call takes"
}

func judgeConstraint(n *ast.Constraint) string {
	switch n.Tp {
	case ast.ConstraintPrimaryKey, ast.ConstraintKey, ast.ConstraintIndex, ast.ConstraintUniq, ast.ConstraintUniqKey,
		ast.ConstraintUniqIndex, ast.ConstraintFulltext, ast.ConstraintCheck:
		return ""
	case ast.ConstraintForeignKey:
		return "references another table: make foreign keys through the MySQL address"
	}
	return "has a key of a kind that no call takes"
}

func judgeChange(n *ast.AlterTableSpec) string {
	switch n.Tp {
	case ast.AlterTableAddColumns, ast.AlterTableModifyColumn, ast.AlterTableChangeColumn, ast.AlterTableAddConstraint,
		ast.AlterTableDropColumn, ast.AlterTableDropPrimaryKey, ast.AlterTableDropIndex, ast.AlterTableRenameColumn,
		ast.AlterTableAlterColumn, ast.AlterTableRenameIndex:
		return ""
	case ast.AlterTableRenameTable:
		return "renames the table: no call reaches another"
	}
	return "changes something else than columns and keys"
}

// writePiece writes what a fragment became. Columns and checks are written
// here, because MariaDB does not know the word ENFORCED that the parser adds.
func writePiece(n ast.Node) (string, error) {
	var text strings.Builder
	ctx := format.NewRestoreCtx(written, &text)
	var err error
	switch n := n.(type) {
	case *ast.ColumnDef:
		err = writeColumn(ctx, n)
	case *ast.Constraint:
		err = writeConstraint(ctx, n)
	case *ast.AlterTableSpec:
		err = writeChange(ctx, n)
	default:
		err = n.Restore(ctx)
	}
	return text.String(), err
}

func writeColumn(ctx *format.RestoreCtx, n *ast.ColumnDef) error {
	bare := ast.ColumnDef{Name: n.Name, Tp: n.Tp}
	if err := bare.Restore(ctx); err != nil {
		return err
	}
	for _, option := range n.Options {
		ctx.WritePlain(" ")
		if err := writeOption(ctx, option); err != nil {
			return err
		}
	}
	return nil
}

func writeOption(ctx *format.RestoreCtx, n *ast.ColumnOption) error {
	if n.Tp != ast.ColumnOptionCheck {
		return n.Restore(ctx)
	}
	return writeCheck(ctx, n.ConstraintName, n.Expr, n.Enforced)
}

func writeConstraint(ctx *format.RestoreCtx, n *ast.Constraint) error {
	if n.Tp != ast.ConstraintCheck {
		return n.Restore(ctx)
	}
	return writeCheck(ctx, n.Name, n.Expr, n.Enforced)
}

func writeCheck(ctx *format.RestoreCtx, name string, condition ast.ExprNode, enforced bool) error {
	if name != "" {
		ctx.WriteKeyWord("CONSTRAINT ")
		ctx.WriteName(name)
		ctx.WritePlain(" ")
	}
	ctx.WriteKeyWord("CHECK ")
	ctx.WritePlain("(")
	if err := condition.Restore(ctx); err != nil {
		return err
	}
	ctx.WritePlain(")")
	if !enforced {
		ctx.WriteKeyWord(" NOT ENFORCED")
	}
	return nil
}

func writeChange(ctx *format.RestoreCtx, n *ast.AlterTableSpec) error {
	switch {
	case n.Tp == ast.AlterTableAddConstraint && n.Constraint != nil:
		ctx.WriteKeyWord("ADD ")
		return writeConstraint(ctx, n.Constraint)
	case n.Tp == ast.AlterTableAddColumns && len(n.NewColumns) == 1:
		ctx.WriteKeyWord("ADD COLUMN ")
	case n.Tp == ast.AlterTableModifyColumn && len(n.NewColumns) == 1:
		ctx.WriteKeyWord("MODIFY COLUMN ")
	default:
		return n.Restore(ctx)
	}
	if err := writeColumn(ctx, n.NewColumns[0]); err != nil || n.Position == nil {
		return err
	}
	if n.Position.Tp != ast.ColumnPositionNone {
		ctx.WritePlain(" ")
	}
	return n.Position.Restore(ctx)
}

// keyed reports whether the columns of a schema have a primary key, and
// whether one of them is called as the implicit one.
func (c *Composer) keyed(schema string) (key, taken bool, err error) {
	statement, err := c.parse("CREATE TABLE `t` (" + schema + ")")
	if err != nil {
		return false, false, err
	}
	create, ok := statement.(*ast.CreateTableStmt)
	if !ok {
		return false, false, nil
	}
	for _, constraint := range create.Constraints {
		key = key || constraint.Tp == ast.ConstraintPrimaryKey
	}
	for _, column := range create.Cols {
		taken = taken || strings.EqualFold(column.Name.Name.O, KeyColumn)
		for _, option := range column.Options {
			key = key || option.Tp == ast.ColumnOptionPrimaryKey
		}
	}
	return key, taken, nil
}
