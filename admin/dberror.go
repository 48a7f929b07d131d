package admin

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"net/http"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/admin/compose"
)

// explained turns what went wrong with a statement into what the caller is
// told. changes says that the statement may have changed something.
func explained(err error, changes bool) *problem {
	var refused *compose.Refusal
	var said *mysql.MySQLError
	var dialing *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return &problem{Type: kindRefused, Title: "refused", Status: http.StatusBadRequest, Detail: refused.Error()}
	case errors.As(err, &said):
		return told(said, changes)
	case errors.As(err, &dialing) && dialing.Op == "dial":
		return &problem{Type: kindUnavailable, Title: "unavailable", Status: http.StatusServiceUnavailable,
			Detail: "the proxy's own address does not answer: " + err.Error(), Remedy: "nothing was done; try later"}
	case errors.Is(err, driver.ErrBadConn): // which the driver says only if nothing was sent
		return &problem{Type: kindUnavailable, Title: "unavailable", Status: http.StatusServiceUnavailable,
			Detail: "the connection to the proxy is gone", Remedy: "nothing was done; try again"}
	case errors.Is(err, context.DeadlineExceeded) && !changes:
		return &problem{Type: kindUnavailable, Title: "out of time", Status: http.StatusGatewayTimeout,
			Detail: "the call took longer than admin.timeout", Remedy: "ask for less, or raise admin.timeout"}
	case changes:
		return outcomeUnknown(err.Error())
	}
	return &problem{Type: kindUnavailable, Title: "unavailable", Status: http.StatusServiceUnavailable, Detail: err.Error(), Remedy: "try again"}
}

// outcomeUnknown is the answer to a change of which nobody can say whether it
// took place.
func outcomeUnknown(detail string) *problem {
	return &problem{Type: kindOutcome, Title: "outcome not known", Status: http.StatusGatewayTimeout, Detail: detail,
		Remedy: "look whether the change is there before sending it again"}
}

// verdict is what an error number of the databases means to a caller.
type verdict struct {
	kind   kind
	status int
	remedy string
}

// verdicts are by MySQL's numbers, which MariaDB shares.
var verdicts = map[uint16]verdict{
	1044: {kindDenied, http.StatusForbidden, "the account of admin.account lacks the privilege"},
	1045: {kindDenied, http.StatusForbidden, "the account of admin.account cannot log in: check its password"},
	1142: {kindDenied, http.StatusForbidden, "the account of admin.account lacks the privilege"},
	1143: {kindDenied, http.StatusForbidden, "the account of admin.account lacks the privilege"},
	1227: {kindDenied, http.StatusForbidden, "the account of admin.account lacks the privilege"},
	1008: {kindUnknown, http.StatusNotFound, ""},
	1049: {kindUnknown, http.StatusNotFound, ""},
	1051: {kindUnknown, http.StatusNotFound, ""},
	1146: {kindUnknown, http.StatusNotFound, ""},
	3503: {kindUnknown, http.StatusNotFound, ""}, // ALTER DATABASE of none, MySQL's
	1007: {kindConflict, http.StatusConflict, ""},
	1050: {kindConflict, http.StatusConflict, ""},
	1062: {kindConflict, http.StatusConflict, ""},
	1451: {kindConflict, http.StatusConflict, ""},
	1452: {kindConflict, http.StatusConflict, ""},
	1586: {kindConflict, http.StatusConflict, ""},
	1213: {kindConflict, http.StatusConflict, "nothing was done; send it again"},
	1205: {kindUnavailable, http.StatusServiceUnavailable, "nothing was done; try later"},
	1040: {kindUnavailable, http.StatusServiceUnavailable, "nothing was done; try later"},
	1042: {kindUnavailable, http.StatusServiceUnavailable, "nothing was done; try later"},
	1203: {kindUnavailable, http.StatusServiceUnavailable, "nothing was done; try later"},
	1290: {kindUnavailable, http.StatusServiceUnavailable, "nothing was done; /readyz says why writes cannot be served"},
	1836: {kindUnavailable, http.StatusServiceUnavailable, "nothing was done; /readyz says why writes cannot be served"},
	1158: {kindUnavailable, http.StatusServiceUnavailable, "nothing was done; try again"},
	1792: {kindDenied, http.StatusForbidden, "this call only reads"},
}

// The proxy's own numbers; see proxy.CodeCommitted.
const (
	codeCommitted      = 50101 // it took effect, what the server answered is lost
	codeOutcomeUnknown = 50102
)

// tookEffect returns what the proxy says of a change that took effect although
// the database's own answer is lost; "" where that is not so.
func tookEffect(err error) string {
	var said *mysql.MySQLError
	if errors.As(err, &said) && said.Number == codeCommitted {
		return said.Message
	}
	return ""
}

// lostCodes are errors after which a change may have taken place: the proxy
// lost the node, the node was killed or shut down within the statement.
var lostCodes = map[uint16]bool{codeOutcomeUnknown: true, 1053: true, 1317: true, 1105: true, 1159: true, 1160: true, 1161: true, 3024: true, 1969: true, 1927: true}

// told turns a database's own error into a problem.
func told(said *mysql.MySQLError, changes bool) *problem {
	v, known := verdicts[said.Number]
	p := &problem{Type: v.kind, Title: "the database refuses", Status: v.status, Detail: said.Message, Remedy: v.remedy, Code: said.Number}
	switch {
	case known:
	case lostCodes[said.Number] && changes:
		p = outcomeUnknown(said.Message)
		p.Code = said.Number
	case lostCodes[said.Number]:
		p.Type, p.Status, p.Remedy = kindUnavailable, http.StatusServiceUnavailable, "try again"
	default:
		p.Type, p.Status = kindStatement, http.StatusBadRequest
	}
	return p
}
