package router

import "strings"

// flagWords are the flags' words, in the order of their bits.
var flagWords = [...]string{
	"only-reads", "multi", "uses-user-variables", "sets-user-variables", "needs-diagnostics", "needs-insert-id",
	"sets-insert-id", "calc-found-rows", "makes-temporary-table", "drops-temporary-table", "takes-user-lock",
	"releases-user-lock", "locks-tables", "unlocks-tables", "opens-handler", "closes-handler", "starts-xa", "ends-xa",
	"prepares-text", "deallocates-text", "sets-next-transaction", "sets-uncarried", "read-only-transaction",
	"selects-connection-id", "may-use-catalogue", "server-local", "session-only",
	"needs-sequence",
}

// String returns the flags in kebab case, joined by blanks.
func (f Flags) String() string {
	var b strings.Builder
	for i, word := range flagWords {
		if f&(1<<i) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}
