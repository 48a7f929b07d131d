package layout

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const mostFunctionLines, mostFileLines = 80, 400

// flat names functions that may be longer: one switch over the kinds of a
// packet or token, or one table of cases. "path:function".
var flat = map[string]bool{}

func TestFunctionsAreShort(t *testing.T) {
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || s.test && isTable(f) || flat[s.path+":"+f.Name.Name] {
				continue
			}
			length := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			if length > mostFunctionLines {
				t.Errorf("%s: %s has %d lines, %d are allowed", s.at(f), f.Name.Name, length, mostFunctionLines)
			}
		}
	}
}

// isTable reports whether a test or benchmark begins with its table of cases,
// or loops over it: its length is the number of cases.
func isTable(f *ast.FuncDecl) bool {
	if f.Body == nil || len(f.Body.List) == 0 {
		return false
	}
	table := false
	ast.Inspect(f.Body, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		if ok {
			_, list := literal.Type.(*ast.ArrayType)
			_, byName := literal.Type.(*ast.MapType)
			table = table || list || byName
		}
		return !table
	})
	return table
}

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > mostFileLines {
			t.Errorf("%s has %d lines, %d are allowed: split it by idea", s.path, s.lines, mostFileLines)
		}
	}
}

func TestNoInitAndNoSkip(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.FuncDecl:
				if node.Name.Name == "init" && node.Recv == nil {
					t.Errorf("%s: no init functions here: main wires", s.at(node))
				}
			case *ast.CallExpr:
				if name := skips(node); name != "" {
					t.Errorf("%s: no %s: a test that cannot run fails and says what to install", s.at(node), name)
				}
			}
			return true
		})
	}
}

// skips names the method of testing that a call skips a test with.
func skips(call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	receiver, ok := selector.X.(*ast.Ident)
	if !ok || !slices.Contains([]string{"t", "b", "f", "tb"}, receiver.Name) {
		return ""
	}
	if name := selector.Sel.Name; slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) {
		return receiver.Name + "." + name
	}
	return ""
}

func TestNoUnfinishedWork(t *testing.T) {
	marks := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)
	for _, s := range sources(t) {
		for _, group := range s.file.Comments {
			for _, comment := range group.List {
				if found := marks.FindString(comment.Text); found != "" {
					t.Errorf("%s: %s: finish it, or open an issue", s.at(comment), found)
				}
			}
		}
	}
}

func TestNamesSayWhatThingsAre(t *testing.T) {
	vague := regexp.MustCompile(`(Manager|Helper|Util|Utils)$`)
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			for _, name := range declared(decl) {
				if vague.MatchString(name.Name) {
					t.Errorf("%s: %s says nothing: name what it is or owns", s.at(name), name.Name)
				}
			}
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no comment", s.at(name), name.Name)
			}
		}
	}
}

// Every package begins with a comment that says what it is for.
func TestPackagesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.file.Name.Name == "main" || s.test {
			continue
		}
		documented[s.room] = documented[s.room] || s.file.Doc != nil && strings.HasPrefix(s.file.Doc.Text(), "Package ")
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("%s: no file begins with \"// Package ...\"", folder)
		}
	}
}
