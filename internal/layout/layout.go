// Package layout holds the rules of the house in a test: which room may import
// which, where third parties may be used, and what code must look like here.
// It reads the sources with go/parser alone, so it is quick, and it has no
// other content than its tests.
package layout
