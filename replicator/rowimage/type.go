package rowimage

// Type is the type of a column as a TABLE_MAP event has it (enum_field_types).
type Type uint8

// The types.
const (
	Decimal           Type = 0
	Tiny              Type = 1
	Short             Type = 2
	Long              Type = 3
	Float             Type = 4
	Double            Type = 5
	Null              Type = 6
	Timestamp         Type = 7
	LongLong          Type = 8
	Int24             Type = 9
	Date              Type = 10
	Time              Type = 11
	DateTime          Type = 12
	Year              Type = 13
	VarChar           Type = 15
	Bit               Type = 16
	Timestamp2        Type = 17
	DateTime2         Type = 18
	Time2             Type = 19
	BlobCompressed    Type = 140 // MariaDB
	VarCharCompressed Type = 141 // MariaDB
	Vector            Type = 242
	JSON              Type = 245
	NewDecimal        Type = 246
	Enum              Type = 247
	Set               Type = 248
	TinyBlob          Type = 249
	MediumBlob        Type = 250
	LongBlob          Type = 251
	Blob              Type = 252
	VarString         Type = 253
	String            Type = 254
	Geometry          Type = 255
)

// metaSize is how many bytes of metadata a type has.
func (t Type) metaSize() int {
	switch t {
	case Float, Double, Timestamp2, DateTime2, Time2, BlobCompressed, Vector, JSON, TinyBlob, MediumBlob, LongBlob, Blob, Geometry:
		return 1
	case VarChar, Bit, VarCharCompressed, NewDecimal, Enum, Set, VarString, String:
		return 2
	}
	return 0
}

// numeric says whether a type has a sign; YEAR is among them.
func (t Type) numeric() bool {
	switch t {
	case Tiny, Short, Int24, Long, LongLong, NewDecimal, Float, Double, Year:
		return true
	}
	return false
}

// integerSize is the length of an integer type, 0 for others.
func (t Type) integerSize() int {
	switch t {
	case Tiny:
		return 1
	case Short:
		return 2
	case Int24:
		return 3
	case Long:
		return 4
	case LongLong:
		return 8
	}
	return 0
}
