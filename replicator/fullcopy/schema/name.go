package schema

import "strings"

// Quote makes an identifier of a name.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// Literal makes an SQL string of text, for a session without
// NO_BACKSLASH_ESCAPES.
func Literal(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}

// Literals makes a list of SQL strings.
func Literals(texts []string) string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = Literal(text)
	}
	return strings.Join(out, ", ")
}

// Marker is the database that a node holds while it is an unfinished full
// copy. It belongs to no master, and is neither copied nor compared.
const Marker = "bellwether_unfinished_copy"

// own are the databases that belong to each server itself.
var own = []string{"mysql", "information_schema", "performance_schema", "sys", "ndbinfo", Marker}
