package cluster

// AppendBinary appends a MySQL set in the servers' binary form: the body of a
// PREVIOUS_GTIDS event and of COM_BINLOG_DUMP_GTID (mysql source:
// sql/rpl_gtid_set.cc, Gtid_set::encode). The form with tags is used only
// where a tag is present, since servers before 8.3 do not know it.
func (s *GTIDSet) AppendBinary(dst []byte) []byte { panic("not yet") }

// ParseBinaryGTIDSet reads what AppendBinary writes, in either form. Its
// errors wrap ErrGTIDSyntax.
func ParseBinaryGTIDSet(b []byte) (*GTIDSet, error) { panic("not yet") }
