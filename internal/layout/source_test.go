package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/bellwether-db/bellwether"

// source is one parsed Go file of the repository.
type source struct {
	path  string // from the repository's root, with slashes
	room  string // its folder
	test  bool
	lines int
	file  *ast.File
	set   *token.FileSet
}

// at returns the place of a node as "path:line".
func (s source) at(node ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(node.Pos()).Line)
}

// imports returns what the file imports.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, `"`))
	}
	return paths
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && skipped(entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(relative)
		all = append(all, source{
			path: slashed, room: path.Dir(slashed), test: strings.HasSuffix(slashed, "_test.go"),
			lines: set.File(file.FileStart).LineCount(), file: file, set: set,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found %d Go files, that cannot be all", len(all))
	}
	return all
}

// skipped names folders that hold no code of this module.
func skipped(name string) bool {
	return name == "testdata" || name == "tools" || name == "bin" || name == "node_modules" || strings.HasPrefix(name, ".")
}
