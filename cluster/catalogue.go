package cluster

// Catalogue is what the router and the proxy must know of the nodes' schemas.
// It is immutable; a change of the schemas makes a new one with a higher
// Version.
type Catalogue struct {
	// Version changes with the content, so that verdicts may be cached.
	Version uint64
	// Known is false until a node has been read: then any name may be unsafe.
	Known bool
	// Unsafe holds, in lower case and without the schema, the names of stored
	// functions, and of views that may reach one, less those that the
	// configuration lists as safe.
	Unsafe map[string]struct{}
	// Collations by the id that the handshake uses.
	Collations map[uint16]Collation
}

// Collation names one collation and its character set.
type Collation struct {
	Name    string
	Charset string
}
