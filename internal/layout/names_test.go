package layout

import (
	"go/ast"
	"go/token"
)

// declared returns the types, functions, variables and constants a
// declaration makes at the top of a file.
func declared(decl ast.Decl) []*ast.Ident {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{decl.Name}
	case *ast.GenDecl:
		var names []*ast.Ident
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name)
			case *ast.ValueSpec:
				names = append(names, spec.Names...)
			}
		}
		return names
	}
	return nil
}

// undocumented returns the exported names of a declaration without a comment.
// One comment over a group of constants or variables speaks for all of them.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Doc == nil && decl.Name.IsExported() && receiverExported(decl) {
			return []*ast.Ident{decl.Name}
		}
	case *ast.GenDecl:
		if decl.Doc != nil && decl.Tok != token.TYPE || decl.Tok == token.IMPORT {
			return nil
		}
		var names []*ast.Ident
		for _, spec := range decl.Specs {
			names = append(names, undocumentedIn(spec, decl.Doc != nil && !decl.Lparen.IsValid())...)
		}
		return names
	}
	return nil
}

func undocumentedIn(spec ast.Spec, covered bool) (names []*ast.Ident) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() && spec.Doc == nil && !covered {
			names = append(names, spec.Name)
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && spec.Doc == nil && spec.Comment == nil {
				names = append(names, name)
			}
		}
	}
	return names
}

// receiverExported reports whether a function belongs to nothing or to an
// exported type.
func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	expr := f.Recv.List[0].Type
	for {
		switch inner := expr.(type) {
		case *ast.StarExpr:
			expr = inner.X
		case *ast.IndexExpr:
			expr = inner.X
		case *ast.IndexListExpr:
			expr = inner.X
		case *ast.Ident:
			return inner.IsExported()
		default:
			return false
		}
	}
}
