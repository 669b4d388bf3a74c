import type { FunctionTable } from '../../packages/core/src/statement/functions/table.ts';

/** How the pure functions of other versions differ from those of the servers that were asked. */
export interface VersionDifference {
  readonly dialect: FunctionTable['dialect'];
  /** `'since'`: built in from this version on; `'until'`: no longer built in from it on. */
  readonly change: 'since' | 'until';
  readonly version: string;
  readonly names: string;
  /** Where it is documented. No server of that version was asked. */
  readonly source: string;
}

const mysqlReference = 'MySQL, Built-In Function and Operator Reference, column "Introduced"';
const mariadbReference = 'MariaDB documentation, page of the function';

/**
 * A version named here may be later than the first that has the function, never earlier: what came
 * with a preview counts from the first general release (MySQL 5.7.9, 8.0.11; MariaDB 10.6.3), what
 * came to several series at once from the last of them. Not covered: versions before MySQL 5.6 and
 * MariaDB 10.2.
 */
export const versionDifferences: readonly VersionDifference[] = [
  {
    dialect: 'mysql',
    change: 'since',
    version: '5.7.9',
    source: 'MySQL 5.7, What Is New: JSON; Spatial Function Reference: names with a prefix',
    names: `any_value json_array json_array_append json_array_insert json_contains json_contains_path
      json_depth json_extract json_insert json_keys json_length json_merge json_object json_quote
      json_remove json_replace json_search json_set json_type json_unquote json_valid mbrcontains
      mbrcoveredby mbrcovers mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin
      random_bytes st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_buffer
      st_buffer_strategy st_centroid st_contains st_convexhull st_crosses st_difference st_dimension
      st_disjoint st_distance st_distance_sphere st_endpoint st_envelope st_equals st_exteriorring
      st_geohash st_geomcollfromtext st_geomcollfromtxt st_geomcollfromwkb
      st_geometrycollectionfromtext st_geometrycollectionfromwkb st_geometryfromtext
      st_geometryfromwkb st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext
      st_geomfromwkb st_interiorringn st_intersection st_intersects st_isclosed st_isempty
      st_issimple st_isvalid st_latfromgeohash st_length st_linefromtext st_linefromwkb
      st_linestringfromtext st_linestringfromwkb st_longfromgeohash st_makeenvelope st_mlinefromtext
      st_mlinefromwkb st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb
      st_multilinestringfromtext st_multilinestringfromwkb st_multipointfromtext
      st_multipointfromwkb st_multipolygonfromtext st_multipolygonfromwkb st_numgeometries
      st_numinteriorring st_numinteriorrings st_numpoints st_overlaps st_pointfromgeohash
      st_pointfromtext st_pointfromwkb st_pointn st_polyfromtext st_polyfromwkb st_polygonfromtext
      st_polygonfromwkb st_simplify st_srid st_startpoint st_symdifference st_touches st_union
      st_validate st_within st_x st_y`,
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '5.7.22',
    source: 'MySQL 5.7.22 Release Notes, JSON Notes',
    names: 'json_arrayagg json_merge_patch json_merge_preserve json_objectagg json_pretty',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.11',
    source: `${mysqlReference}, 8.0: before the first general release`,
    names: `bin_to_uuid cume_dist dense_rank first_value geomcollection grouping is_uuid json_table
      lag last_value lead nth_value ntile percent_rank rank regexp_instr regexp_like regexp_replace
      regexp_substr row_number st_swapxy statement_digest statement_digest_text uuid_to_bin`,
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.12',
    source: `${mysqlReference}, 8.0`,
    names: 'st_latitude st_longitude',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.13',
    source: `${mysqlReference}, 8.0`,
    names: 'st_transform',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.16',
    source: `${mysqlReference}, 8.0`,
    names: 'format_bytes format_pico_time',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.17',
    source: `${mysqlReference}, 8.0`,
    names: 'json_overlaps json_schema_valid json_schema_validation_report',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.21',
    source: `${mysqlReference}, 8.0`,
    names: 'json_value',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.23',
    source: `${mysqlReference}, 8.0`,
    names: 'st_frechetdistance st_hausdorffdistance',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.24',
    source: `${mysqlReference}, 8.0`,
    names: 'st_collect st_lineinterpolatepoint st_lineinterpolatepoints st_pointatdistance',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '9.1.0',
    source: 'MySQL 9.0 Reference Manual, Vector Functions',
    names: 'from_vector string_to_vector to_vector vector_dim vector_to_string',
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '9.4.0',
    source: 'MySQL 9.4 Reference Manual, JSON Duality Views',
    names: 'etag',
  },
  {
    dialect: 'mysql',
    change: 'until',
    version: '8.0.0',
    source: 'MySQL 8.0, Features Removed: spatial names without a prefix; ENCODE, DECODE',
    names: `area asbinary astext aswkb aswkt buffer centroid convexhull crosses decode dimension
      disjoint distance encode endpoint envelope equals exteriorring geomcollfromtext
      geomcollfromwkb geometrycollectionfromtext geometrycollectionfromwkb geometryfromtext
      geometryfromwkb geometryn geometrytype geomfromtext geomfromwkb glength interiorringn
      intersects isclosed isempty issimple linefromtext linefromwkb linestringfromtext
      linestringfromwkb mbrequal mlinefromtext mlinefromwkb mpointfromtext mpointfromwkb
      mpolyfromtext mpolyfromwkb multilinestringfromtext multilinestringfromwkb multipointfromtext
      multipointfromwkb multipolygonfromtext multipolygonfromwkb numgeometries numinteriorrings
      numpoints overlaps pointfromtext pointfromwkb pointn polyfromtext polyfromwkb polygonfromtext
      polygonfromwkb startpoint touches within x y`,
  },
  {
    dialect: 'mysql',
    change: 'until',
    version: '9.6.0',
    source: 'MySQL 9.6 Reference Manual, Legacy Hashing Component',
    names: 'md5 sha sha1',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.2.6',
    source: 'MariaDB 10.2, Changes & Improvements: JSON, window functions, GeoJSON',
    names: `cume_dist dense_rank first_value json_array json_array_append json_array_insert
      json_compact json_contains json_contains_path json_depth json_detailed json_exists
      json_extract json_insert json_keys json_length json_loose json_merge json_object json_query
      json_quote json_remove json_replace json_search json_set json_type json_unquote json_valid
      json_value lag lead nth_value ntile percent_rank rank row_number st_asgeojson
      st_geomfromgeojson`,
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.3.7',
    source: 'MariaDB 10.3, Changes & Improvements: functions of Oracle, aggregates',
    names: `chr concat_operator_oracle decode_oracle lengthb lpad_oracle ltrim_oracle median nvl nvl2
      percentile_cont percentile_disc replace_oracle rpad_oracle rtrim_oracle substr_oracle
      trim_oracle`,
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.4.6',
    source: `${mariadbReference}: 10.2.25, 10.3.16, 10.4.5`,
    names: 'json_merge_patch json_merge_preserve',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.5.4',
    source: `${mariadbReference}: 10.5.0`,
    names: 'json_arrayagg json_objectagg',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.6.3',
    source: `${mariadbReference}: 10.6.1; ST_DISTANCE_SPHERE to several series`,
    names: 'add_months rownum st_distance_sphere sys_guid to_char',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.7.2',
    source: `${mariadbReference}: 10.7.0`,
    names: 'json_equals json_normalize natural_sort_key sformat',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.8.2',
    source: `${mariadbReference}: 10.8.0`,
    names: 'crc32c',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.9.2',
    source: `${mariadbReference}: 10.9`,
    names: 'json_overlaps',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '10.10.3',
    source: `${mariadbReference}: 10.10.0; JSON_PRETTY to several series`,
    names: 'json_pretty random_bytes',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '11.0.2',
    source: `${mariadbReference}: 11.0.2`,
    names: 'format_pico_time',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '11.1.2',
    source: `${mariadbReference}: 11.1.0`,
    names: 'json_schema_valid',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '11.2.2',
    source: `${mariadbReference}: 11.2.0`,
    names: 'json_array_intersect json_object_filter_keys json_object_to_array',
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '11.7.2',
    source: 'MariaDB 11.7, Changes & Improvements: vectors, UUID',
    names: `uuid_v4 uuid_v7 vec_distance_cosine vec_distance_euclidean vec_fromtext vec_totext`,
  },
  {
    dialect: 'mariadb',
    change: 'since',
    version: '11.8.2',
    source: `${mariadbReference}: 11.8`,
    names: 'vec_distance',
  },
];
