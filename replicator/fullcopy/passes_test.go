package fullcopy

import (
	"fmt"
	"io"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// What passes is tried again with a new snapshot; what does not ends the copy.
func TestPasses(t *testing.T) {
	for _, c := range []struct {
		err    error
		passes bool
	}{
		{&mysql.MySQLError{Number: 1054, Message: "Unknown column"}, true}, // dropped or renamed meanwhile, which is instant
		{&mysql.MySQLError{Number: 1146, Message: "Table does not exist"}, true},
		{&mysql.MySQLError{Number: 1412, Message: "Table definition has changed"}, true},
		{&mysql.MySQLError{Number: 1205, Message: "Lock wait timeout"}, true},
		{errMoved, true}, {mysql.ErrInvalidConn, true}, {io.ErrUnexpectedEOF, true},
		{&mysql.MySQLError{Number: 1064, Message: "syntax"}, false}, {&mysql.MySQLError{Number: 1227, Message: "access denied"}, false},
		{ErrBusy, false}, {ErrUnfit, false}, {ErrDiffers, false}, {ErrDisturbed, false},
	} {
		if err := fmt.Errorf("copy shop.t: %w", c.err); passes(err) != c.passes {
			t.Errorf("%v: passes %t", err, !c.passes)
		}
	}
}
