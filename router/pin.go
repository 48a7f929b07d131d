package router

import "strings"

// Pin is one reason why a session holds its connection to a node.
type Pin uint8

// The pins.
const (
	PinNone Pin = iota
	PinTransaction
	PinTemporaryTable
	PinUserVariable
	PinUserLock
	PinTableLock
	PinHandler
	PinXA
	PinTextPrepare
	PinSessionState
	PinNextTransaction
	PinDiagnostics
	PinCursor
	PinProcedure
	PinPreparedVariable

	// NumPins is the number of pins, for tables of counters.
	NumPins
)

var pinWords = [NumPins]string{
	"none", "transaction", "temporary-table", "user-variable", "user-lock", "table-lock", "handler", "xa",
	"text-prepare", "session-state", "next-transaction", "diagnostics", "cursor", "procedure", "prepared-variable",
}

// String returns the pin in kebab case.
func (p Pin) String() string {
	if p >= NumPins {
		return "invalid"
	}
	return pinWords[p]
}

// PinSet is a set of pins; the zero value is empty. It is a value.
type PinSet uint16

// With returns the set with p added.
func (s PinSet) With(p Pin) PinSet { return s | pinBit(p) }

// Without returns the set with p removed.
func (s PinSet) Without(p Pin) PinSet { return s &^ pinBit(p) }

// Has reports whether p is in the set.
func (s PinSet) Has(p Pin) bool { return s&pinBit(p) != 0 }

// First returns the lowest pin in the set, PinNone where it is empty.
func (s PinSet) First() Pin {
	for p := PinTransaction; p < NumPins; p++ {
		if s.Has(p) {
			return p
		}
	}
	return PinNone
}

// String returns the pins in kebab case, joined by commas; "none" where empty.
func (s PinSet) String() string {
	if s == 0 {
		return PinNone.String()
	}
	var words []string
	for p := PinTransaction; p < NumPins; p++ {
		if s.Has(p) {
			words = append(words, p.String())
		}
	}
	return strings.Join(words, ",")
}

// pinBit is the bit of p; PinNone has none.
func pinBit(p Pin) PinSet {
	if p == PinNone || p >= NumPins {
		return 0
	}
	return 1 << p
}
