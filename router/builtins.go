package router

// bothBuiltins are the builtin functions of both flavours that change nothing
// and answer alike on every node that has the same data; effects has the
// others. A name that is not here goes to the master as a stored or loadable function.
var bothBuiltins = words(
	// Aggregates and windows.
	`avg bit_and bit_or bit_xor count group_concat json_arrayagg json_objectagg max min std stddev stddev_pop
	stddev_samp sum var_pop var_samp variance cume_dist dense_rank first_value lag last_value lead nth_value ntile
	percent_rank rank row_number`,
	// Control and comparison.
	`case coalesce greatest if ifnull interval isnull least nullif strcmp`,
	// Casts.
	`binary cast convert char`,
	// Numbers.
	`abs acos asin atan atan2 ceil ceiling conv cos cot crc32 degrees exp floor format ln log log10 log2 mod oct pi
	pow power radians rand round sign sin sqrt tan truncate`,
	// Text.
	`ascii bin bit_count bit_length char_length character_length concat concat_ws elt export_set field find_in_set
	from_base64 hex insert instr lcase left length locate lower lpad ltrim make_set mid octet_length ord
	position quote regexp_instr regexp_replace regexp_substr repeat replace reverse right rpad rtrim
	soundex space substr substring substring_index to_base64 trim ucase unhex upper weight_string`,
	// Dates.
	`adddate addtime convert_tz curdate current_date current_time current_timestamp curtime date date_add date_format
	date_sub datediff day dayname dayofmonth dayofweek dayofyear extract from_days from_unixtime get_format hour last_day
	localtime localtimestamp makedate maketime microsecond minute month monthname now period_add period_diff quarter
	sec_to_time second str_to_date subdate subtime sysdate time time_format time_to_sec timediff timestamp timestampadd
	timestampdiff to_days to_seconds unix_timestamp utc_date utc_time utc_timestamp week weekday weekofyear year yearweek`,
	// Digests and compression.
	`aes_decrypt aes_encrypt compress md5 random_bytes sha sha1 sha2 uncompress uncompressed_length`,
	// The session, as the proxy carries it, and the server.
	`benchmark charset coercibility collation current_user database default name_const schema session_user sleep
	system_user user uuid uuid_short values version`,
	// Addresses.
	`inet_aton inet_ntoa inet6_aton inet6_ntoa is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6`,
	// JSON and XML.
	`extractvalue updatexml json_array json_array_append json_array_insert json_contains json_contains_path
	json_depth json_extract json_insert json_keys json_length json_merge json_merge_patch json_merge_preserve
	json_object json_overlaps json_pretty json_quote json_remove json_replace json_schema_valid json_search json_set
	json_table json_type json_unquote json_valid json_value`,
	// Shapes.
	`geometrycollection linestring mbrcontains mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches
	mbrwithin multilinestring multipoint multipolygon point polygon
	st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_buffer st_centroid st_contains st_convexhull
	st_crosses st_difference st_dimension st_disjoint st_distance st_distance_sphere st_endpoint st_envelope st_equals
	st_exteriorring st_geomcollfromtext st_geomcollfromwkb st_geometrycollectionfromtext
	st_geometrycollectionfromwkb st_geometryfromtext st_geometryfromwkb st_geometryn st_geometrytype st_geomfromgeojson
	st_geomfromtext st_geomfromwkb st_interiorringn st_intersection st_intersects st_isclosed st_isempty
	st_issimple st_length st_linefromtext st_linefromwkb st_linestringfromtext st_linestringfromwkb st_mlinefromtext
	st_mlinefromwkb st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb st_multilinestringfromtext
	st_multilinestringfromwkb st_multipointfromtext st_multipointfromwkb st_multipolygonfromtext
	st_multipolygonfromwkb st_numgeometries st_numinteriorrings st_numpoints st_overlaps st_pointfromtext
	st_pointfromwkb st_pointn st_polyfromtext st_polyfromwkb st_polygonfromtext st_polygonfromwkb st_simplify
	st_srid st_startpoint st_symdifference st_touches st_union st_within st_x st_y st_isvalid st_geohash
	st_latfromgeohash st_longfromgeohash st_pointfromgeohash st_collect st_validate`,
)

// mysqlBuiltins are those of MySQL alone, 8.0 to 9.7. Source: the MySQL
// reference manual, "Built-In Function and Operator Reference".
var mysqlBuiltins = words(
	`any_value grouping json_storage_free json_storage_size json_schema_validation_report
	bin_to_uuid uuid_to_bin is_uuid icu_version format_bytes format_pico_time
	gtid_subset gtid_subtract statement_digest statement_digest_text
		st_frechetdistance st_hausdorffdistance st_lineinterpolatepoint st_lineinterpolatepoints st_makeenvelope
	st_pointatdistance st_swapxy st_transform st_latitude st_longitude 	regexp_like mbrcoveredby vector_dim string_to_vector vector_to_string 	mbrcovers`,
)

// mariadbBuiltins are those of MariaDB alone, 10.5 to 11.8. Source: the MariaDB
// documentation, "Function and Operator Reference".
var mariadbBuiltins = words(
	`add_months area asbinary astext aswkb aswkt boundary buffer centroid column_add column_check column_create column_delete
	column_exists column_get column_json column_list contains convexhull crc32c crosses decode decode_oracle
	dimension disjoint encode encrypt endpoint envelope equals exteriorring 	geomcollfromtext geomcollfromwkb geometrycollectionfromtext geometrycollectionfromwkb geometryfromtext
	geometryfromwkb geometryn geometrytype geomfromtext geomfromwkb glength interiorringn intersects isclosed isempty
	isring issimple json_compact json_detailed json_equals json_exists json_loose json_normalize json_query json_key_value
	chr json_array_intersect json_object_filter_keys json_object_to_array json_unquote kdf lengthb
	linefromtext linefromwkb linestringfromtext linestringfromwkb median mlinefromtext mlinefromwkb months_between
	mpointfromtext mpointfromwkb mpolyfromtext mpolyfromwkb multilinestringfromtext multilinestringfromwkb
	multipointfromtext multipointfromwkb multipolygonfromtext multipolygonfromwkb natural_sort_key numgeometries
	numinteriorrings numpoints nvl nvl2 old_password overlaps password percentile_cont percentile_disc
	pointfromtext pointfromwkb pointn pointonsurface polyfromtext polyfromwkb polygonfromtext polygonfromwkb
	random_bytes replace_oracle rownum rtrim_oracle sformat srid st_boundary st_isring st_pointonsurface st_relate startpoint
	substr_oracle sys_guid to_char to_date touches trim_oracle trunc within x y
	uuid_v4 uuid_v7 vec_distance vec_distance_euclidean vec_distance_cosine vec_fromtext vec_totext
	lpad_oracle rpad_oracle ltrim_oracle st_numinteriorrings format_pico_time format_bytes
	st_latfromgeohash json_schema_valid value`,
)
