package event

// Format is what a format description says of the events behind it. It is a
// value.
type Format struct {
	// Version of the server, as it names itself ("9.7.4", "10.11.19-MariaDB-log").
	Version string
	// MariaDB says whether the server is one.
	MariaDB bool
	// Checksum says whether a CRC32 follows each event.
	Checksum bool
}

// ParseFormat reads a FORMAT_DESCRIPTION. Its errors wrap ErrMalformed.
func ParseFormat(e Event) (Format, error) { panic("not yet") }
