/** Functions judged pure: the answer comes from the arguments, the data and the clock. */
export interface PureGroup {
  /** The manual's chapter that describes them. */
  readonly source: string;
  readonly names: string;
}

/**
 * A function that stands in no group here is not pure. Random numbers, UUIDs and the clock are
 * pure enough: a plain read may ask them of any host. Sections are those of the MySQL 9 manual,
 * "Functions and Operators", and of the MariaDB manual, "Built-in Functions".
 */
export const pureGroups: readonly PureGroup[] = [
  {
    source: 'MySQL, Flow Control Functions; Comparison Functions and Operators',
    names: 'coalesce greatest if ifnull interval isnull least nullif',
  },
  {
    source: 'MySQL, Mathematical Functions',
    names: `abs acos asin atan atan2 ceil ceiling conv cos cot crc32 degrees exp floor ln log log10
      log2 mod pi pow power radians rand round sign sin sqrt tan truncate`,
  },
  {
    source: 'MySQL, Date and Time Functions',
    names: `adddate addtime convert_tz curdate current_date current_time current_timestamp curtime
      date date_add date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear extract
      from_days from_unixtime get_format hour last_day localtime localtimestamp makedate maketime
      microsecond minute month monthname now period_add period_diff quarter sec_to_time second
      str_to_date subdate subtime sysdate time time_format time_to_sec timediff timestamp
      timestampadd timestampdiff to_days to_seconds unix_timestamp utc_date utc_time utc_timestamp
      week weekday weekofyear year yearweek`,
  },
  {
    source: 'MySQL, String Functions and Operators; Regular Expressions',
    names: `ascii bin bit_length char char_length character character_length concat concat_ws elt export_set
      field find_in_set format from_base64 hex insert instr lcase left length locate lower lpad
      ltrim make_set mid oct octet_length ord position quote regexp_instr regexp_like
      regexp_replace regexp_substr repeat replace reverse right rpad rtrim soundex space strcmp
      substr substring substring_index to_base64 trim ucase unhex upper weight_string`,
  },
  {
    source: 'MySQL, Cast Functions and Operators',
    names: 'binary cast convert',
  },
  {
    source: 'MySQL, XML Functions; what an XPath string may hold is the business of the lexer',
    names: 'extractvalue updatexml',
  },
  {
    source: 'MySQL, Bit Functions and Operators',
    names: 'bit_count',
  },
  {
    source: 'MySQL, Encryption and Compression Functions',
    names: `aes_decrypt aes_encrypt compress md5 random_bytes sha sha1 sha2 statement_digest
      statement_digest_text uncompress uncompressed_length`,
  },
  {
    source: 'MySQL, Information Functions',
    names: 'charset coercibility collation',
  },
  {
    source: 'MySQL, Spatial Analysis Functions',
    names: `geomcollection geometrycollection linestring mbrcontains mbrcoveredby mbrcovers
      mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin multilinestring
      multipoint multipolygon point polygon st_area st_asbinary st_asgeojson st_astext st_aswkb
      st_aswkt st_buffer st_buffer_strategy st_centroid st_collect st_contains st_convexhull
      st_crosses st_difference st_dimension st_disjoint st_distance st_distance_sphere st_endpoint
      st_envelope st_equals st_exteriorring st_frechetdistance st_geohash st_geomcollfromtext
      st_geomcollfromtxt st_geomcollfromwkb st_geometrycollectionfromtext
      st_geometrycollectionfromwkb st_geometryfromtext st_geometryfromwkb st_geometryn
      st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb st_hausdorffdistance
      st_interiorringn st_intersection st_intersects st_isclosed st_isempty st_issimple st_isvalid
      st_latfromgeohash st_latitude st_length st_linefromtext st_linefromwkb
      st_lineinterpolatepoint st_lineinterpolatepoints st_linestringfromtext st_linestringfromwkb
      st_longfromgeohash st_longitude st_makeenvelope st_mlinefromtext st_mlinefromwkb
      st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb
      st_multilinestringfromtext st_multilinestringfromwkb st_multipointfromtext
      st_multipointfromwkb st_multipolygonfromtext st_multipolygonfromwkb st_numgeometries
      st_numinteriorring st_numinteriorrings st_numpoints st_overlaps st_pointatdistance
      st_pointfromgeohash st_pointfromtext st_pointfromwkb st_pointn st_polyfromtext
      st_polyfromwkb st_polygonfromtext st_polygonfromwkb st_simplify st_srid st_startpoint
      st_swapxy st_symdifference st_touches st_transform st_union st_validate st_within st_x st_y`,
  },
  {
    source: 'MySQL, JSON Functions; ETAG of JSON Duality Views',
    names: `etag json_array json_array_append json_array_insert json_contains json_contains_path
      json_depth json_extract json_insert json_keys json_length json_merge json_merge_patch
      json_merge_preserve json_object json_overlaps json_pretty json_quote json_remove json_replace
      json_schema_valid json_schema_validation_report json_search json_set json_table json_type
      json_unquote json_valid json_value`,
  },
  {
    source: 'MySQL, Functions Used with Global Transaction Identifiers: arithmetic on their text',
    names: 'gtid_subset gtid_subtract',
  },
  {
    source: 'MySQL, Aggregate Functions',
    names: `any_value avg bit_and bit_or bit_xor count group_concat grouping json_arrayagg
      json_objectagg max min std stddev stddev_pop stddev_samp sum var_pop var_samp variance`,
  },
  {
    source: 'MySQL, Window Functions',
    names: `cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
      row_number`,
  },
  {
    source: 'MySQL, Vector Functions',
    names: 'from_vector string_to_vector to_vector vector_dim vector_to_string',
  },
  {
    source: 'MySQL, Performance Schema Functions: formatting of their argument',
    names: 'format_bytes format_pico_time',
  },
  {
    source: 'MySQL, Miscellaneous Functions',
    names: `bin_to_uuid inet6_aton inet6_ntoa inet_aton inet_ntoa is_ipv4 is_ipv4_compat
      is_ipv4_mapped is_ipv6 is_uuid name_const uuid uuid_to_bin`,
  },
  {
    source: 'MariaDB, Control Flow; Numeric; Secondary Functions',
    names: 'crc32c nvl nvl2 rownum',
  },
  {
    source: 'MariaDB, Date and Time Functions',
    names: 'add_months',
  },
  {
    source: 'MariaDB, String Functions, and their Oracle-mode forms, which may be called by name',
    names: `chr concat_operator_oracle decode decode_oracle encode lengthb lpad_oracle ltrim_oracle
      natural_sort_key replace_oracle rpad_oracle rtrim_oracle sformat substr_oracle to_char
      trim_oracle`,
  },
  {
    source: 'MariaDB, Encryption, Hashing and Compression Functions: hashes of their argument',
    names: 'old_password password',
  },
  {
    source: 'MariaDB, Dynamic Columns Functions',
    names: `column_add column_check column_create column_delete column_exists column_get column_json
      column_list`,
  },
  {
    source: 'MariaDB, JSON Functions',
    names: `json_compact json_detailed json_equals json_exists json_loose json_normalize json_query`,
  },
  {
    source: 'MariaDB, Aggregate and Window Functions',
    names: 'median percentile_cont percentile_disc',
  },
  {
    source: 'MariaDB, Information and Miscellaneous Functions',
    names: 'decode_histogram sys_guid',
  },
  {
    source: 'MariaDB, Geographic Functions: the names without their prefix, and its own',
    names: `area asbinary astext aswkb aswkt boundary buffer centroid contains convexhull crosses
      dimension disjoint endpoint envelope equals exteriorring geomcollfromtext geomcollfromwkb
      geometrycollectionfromtext geometrycollectionfromwkb geometryfromtext geometryfromwkb
      geometryn geometrytype geomfromtext geomfromwkb glength interiorringn intersects isclosed
      isempty isring issimple linefromtext linefromwkb linestringfromtext linestringfromwkb
      mbrequal mlinefromtext mlinefromwkb mpointfromtext mpointfromwkb mpolyfromtext mpolyfromwkb
      multilinestringfromtext multilinestringfromwkb multipointfromtext multipointfromwkb
      multipolygonfromtext multipolygonfromwkb numgeometries numinteriorrings numpoints overlaps
      pointfromtext pointfromwkb pointn pointonsurface polyfromtext polyfromwkb polygonfromtext
      polygonfromwkb srid st_boundary st_isring st_pointonsurface st_relate startpoint touches
      within x y`,
  },
  {
    source: 'MySQL 5.7, Spatial Analysis Functions',
    names: 'distance',
  },
  {
    source: 'MariaDB 11 and later: JSON, Vector and UUID Functions',
    names: `json_array_intersect json_object_filter_keys json_object_to_array uuid_v4 uuid_v7
      vec_distance vec_distance_cosine vec_distance_euclidean vec_fromtext vec_totext`,
  },
];

/** Pure functions that answer differently each time they are asked. */
export const volatileNames = 'rand random_bytes sys_guid sysdate uuid uuid_v4 uuid_v7';

/** Keywords of one dialect whose names are functions of the other only. */
export const mereKeywords = { mysql: 'contains password srid', mariadb: '' } as const;
