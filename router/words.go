package router

import "strings"

// set is an immutable set of words in lower case.
type set map[string]struct{}

func (s set) has(word string) bool {
	_, ok := s[word]
	return ok
}

// words makes a set of the words of some lines.
func words(lines ...string) set {
	s := make(set)
	for _, line := range lines {
		for word := range strings.FieldsSeq(line) {
			s[word] = struct{}{}
		}
	}
	return s
}

// reserved are keywords that no unquoted identifier can be, on either flavour:
// no view and no function has such a name.
var reserved = words(
	`all and as asc between by case collate cross delete desc distinct distinctrow div drop else exists false
	for force from group having ignore in index inner insert interval into is join key keys kill left like limit
	lock mod natural not null on optimize or order outer outfile procedure regexp rename replace right
	rlike select set sql_big_result sql_calc_found_rows sql_small_result straight_join table then to true
	union unique update use using values when where with xor`,
)

// notCalls are keywords that a parenthesis may follow without a call, on either flavour:
// operators, clauses and the types of CAST and JSON_TABLE. None of them can be the
// name of a function that is called without quotes.
var notCalls = words(
	`all and any as between by case columns div else end escape except exists from group having in index inner
	intersect interval into is join key keys lateral left like limit natural not of on or order outer over partition
	recursive regexp return right rlike row rows select some sounds straight_join table then to union
	use using value values when where with within xor distinct distinctrow ignore force match against only
	binary bit blob char character date datetime dec decimal double enum fixed float int integer bigint smallint tinyint
	mediumint nchar number numeric real set signed text time timestamp unsigned varbinary varchar varchar2 nvarchar vector
	year path nested ordinality collate minus before after separator`,
)

// neverInRead are reserved words that no read has, quoted ones and names after
// a point aside. What has one is a write, or not what it seems.
var neverInRead = words(
	`alter call create delete drop dumpfile grant infile kill load lock outfile purge rename require revoke
	schema schemas trigger undo unlock update`,
)
