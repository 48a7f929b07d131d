package downstream

import (
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/replicator/storedlog"
	"github.com/bellwether-db/bellwether/wire"
)

// errGone says that the slave cannot be reached any more.
var errGone = errors.New("slave is gone")

// codeFatal stops a slave until somebody starts it again
// (ER_SOURCE_FATAL_ERROR_READING_BINLOG); after any other error it comes back.
const codeFatal = 1236

// mostText bounds the texts that are made of GTID sets: servers keep 512 bytes
// of an error.
const mostText = 280

// fatal is an error that stops a slave.
func fatal(format string, args ...any) *wire.ServerError {
	return &wire.ServerError{Code: codeFatal, State: "HY000", Message: fmt.Sprintf(format, args...)}
}

// refusalOf says what a slave is told when its stream ends by err; nil where
// nothing can be told.
func refusalOf(err error) *wire.ServerError {
	var told *wire.ServerError
	var purged *storedlog.PurgedError
	var ahead *storedlog.AheadError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &purged):
		missing := "files that were deleted while it read them"
		if purged.Missing != nil {
			missing = clip(purged.Missing.String(), mostText)
		}
		return fatal("Bellwether no longer stores what this slave lacks; it needs a full copy: POST /sync, or bellwether sync NODE. Missing: %s", missing)
	case errors.As(err, &ahead):
		return fatal("this slave has transactions that Bellwether's log has not (errant, or a former master's tail): save and remove them, or copy it anew with /sync. Too much: %s",
			clip(ahead.Extra.String(), mostText))
	case errors.Is(err, errReplaced):
		return fatal("A slave with the same server_uuid or server_id has connected to Bellwether; each needs its own")
	case errors.Is(err, errKilled):
		return &wire.ServerError{Code: 1317, State: "70100", Message: "Query execution was interrupted"} // ER_QUERY_INTERRUPTED
	case errors.Is(err, errClosing):
		return &wire.ServerError{Code: wire.CodeServerShutdown, State: "08S01", Message: "Server shutdown in progress"}
	case errors.Is(err, errGone):
		return nil
	}
	return &wire.ServerError{Code: wire.CodeUnknown, Message: clip("Bellwether cannot read its stored log now: "+err.Error(), mostText)}
}
