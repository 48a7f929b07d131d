package compose

import "strings"

// functions are the builtins that a fragment may call. Neither server looks
// for a stored function where it has a builtin of the name. What waits, locks,
// reads files, or tells of the connection is not among them.
var functions = wordSet(`
abs acos asin atan atan2 ceil ceiling conv cos cot crc32 degrees exp floor greatest least ln log log10 log2 mod pi pow power
radians rand round sign sin sqrt tan truncate format
ascii bin bit_length char char_func char_length character_length concat concat_ws elt export_set field find_in_set from_base64 hex insert_func
instr lcase left length locate lower lpad ltrim make_set mid oct octet_length ord position quote regexp_instr regexp_like
regexp_replace regexp_substr repeat replace reverse right rpad rtrim soundex space strcmp substr substring substring_index
to_base64 trim ucase unhex upper weight_string convert
coalesce if ifnull nullif isnull interval
adddate addtime convert_tz curdate current_date current_time current_timestamp curtime date date_add date_format date_sub datediff
day dayname dayofmonth dayofweek dayofyear extract from_days from_unixtime get_format hour last_day localtime localtimestamp
makedate maketime microsecond minute month monthname now period_add period_diff quarter sec_to_time second str_to_date subdate
subtime sysdate time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_days to_seconds unix_timestamp utc_date
utc_time utc_timestamp week weekday weekofyear year yearweek
json_array json_array_append json_array_insert json_contains json_contains_path json_depth json_extract json_insert json_keys
json_length json_merge_patch json_merge_preserve json_object json_overlaps json_pretty json_quote json_remove json_replace
json_search json_set json_storage_size json_type json_unquote json_valid json_value json_memberof
md5 sha sha1 sha2 compress uncompress uncompressed_length aes_encrypt aes_decrypt random_bytes
uuid uuid_short uuid_to_bin bin_to_uuid is_uuid inet_aton inet_ntoa inet6_aton inet6_ntoa is_ipv4 is_ipv6 is_ipv4_compat is_ipv4_mapped
bit_count any_value collation charset coercibility database schema
`)

// dangerous says why of some functions that are not among those above.
var dangerous = map[string]string{
	"sleep": "waits", "benchmark": "keeps the server busy", "load_file": "reads files of the server",
	"get_lock": "takes a lock", "release_lock": "gives a lock back", "release_all_locks": "gives locks back",
	"is_free_lock": "looks at locks", "is_used_lock": "looks at locks",
	"master_pos_wait": "waits", "source_pos_wait": "waits", "master_gtid_wait": "waits",
	"wait_for_executed_gtid_set": "waits", "wait_until_sql_thread_after_gtids": "waits",
	"nextval": "changes a sequence", "setval": "changes a sequence", "lastval": "reads a sequence",
	"sys_exec": "runs programs", "sys_eval": "runs programs",
}

// whyNotCalled says why a fragment may not call a function, "" where it may.
// schema is what stands before its name.
func whyNotCalled(schema, name string) string {
	if schema != "" {
		return "calls " + schema + "." + name + ": stored functions may reach other tables, call them through the MySQL address"
	}
	lower := strings.ToLower(name)
	if why, ok := dangerous[lower]; ok {
		return "calls " + strings.ToUpper(name) + ", which " + why
	}
	if _, ok := functions[lower]; !ok {
		return "calls " + name + ", which is not one of the builtin functions that a fragment may call"
	}
	return ""
}

func wordSet(words string) map[string]struct{} {
	set := make(map[string]struct{})
	for _, word := range strings.Fields(words) {
		set[word] = struct{}{}
	}
	return set
}
