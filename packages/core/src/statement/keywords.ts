/**
 * Keywords as the rules of reads see them. Space separated, lower case.
 *
 * The reserved words are those of the servers themselves: each word of
 * `information_schema.KEYWORDS` that MySQL 9.7 or MariaDB 10.11 refuses as an alias. MySQL takes
 * none of its keywords, reserved or not, for a stored function when it stands unquoted before a
 * parenthesis, MariaDB many: the test of what runs in place of a built-in tries them all.
 */

/** Reserved in both dialects. */
export const reserved =
  'accessible add all alter analyze and as asc asensitive before between bigint binary blob both ' +
  'by call cascade case change char character check collate column condition constraint continue ' +
  'convert create cross current_date current_time current_timestamp current_user cursor databases ' +
  'day_hour day_microsecond day_minute day_second dec decimal declare default delayed delete desc ' +
  'describe deterministic distinct distinctrow div double drop dual each else elseif enclosed ' +
  'escaped except exists exit explain false fetch float float4 float8 for force foreign from ' +
  'fulltext grant group having high_priority hour_microsecond hour_minute hour_second if ignore in ' +
  'index infile inner inout insensitive insert int int1 int2 int3 int4 int8 integer intersect ' +
  'interval into is iterate join key keys kill leading leave left like limit linear lines load ' +
  'localtime localtimestamp lock long longblob longtext loop low_priority match maxvalue ' +
  'mediumblob mediumint mediumtext middleint minute_microsecond minute_second mod modifies natural ' +
  'not no_write_to_binlog null numeric on optimize option optionally or order out outer outfile ' +
  'over partition precision primary procedure purge range read reads read_write real recursive ' +
  'references regexp release rename repeat replace require resignal restrict return revoke right ' +
  'rlike rows row_number schemas second_microsecond select sensitive separator set show signal ' +
  'smallint spatial specific sql sqlexception sqlstate sqlwarning sql_big_result ' +
  'sql_calc_found_rows sql_small_result ssl starting straight_join table terminated then tinyblob ' +
  'tinyint tinytext to trailing trigger true undo union unique unlock unsigned update usage use ' +
  'using utc_date utc_time utc_timestamp values varbinary varchar varcharacter varying when where ' +
  'while with write xor year_month zerofill';

/** Reserved in MySQL only. */
export const reservedInMysql =
  'cube cume_dist database dense_rank empty external first_value function generated get grouping ' +
  'groups io_after_gtids io_before_gtids json_table lag last_value lateral lead library nth_value ' +
  'ntile of optimizer_costs percent_rank qualify rank row schema stored system tablesample ' +
  'virtual window';

/** Reserved in MariaDB only. */
export const reservedInMariadb =
  'current_role delete_domain_id do_domain_ids ignore_domain_ids master_demote_to_replica ' +
  'master_demote_to_slave master_ssl_verify_server_cert offset page_checksum parse_vcol_expr ' +
  'portion ref_system_id returning stats_auto_recalc stats_persistent stats_sample_pages';

/**
 * Keywords of queries in both dialects and in all their versions: harmless wherever they stand. A
 * parenthesis behind them opens no argument list, so a bound value may stand behind them too.
 */
export const queryWords =
  'against all and any as asc at between boolean both by case char character charset collate ' +
  'columns cross current current_date current_time current_timestamp desc distinct distinctrow div ' +
  'dual else end escape exists expansion false fetch first force from full group having ' +
  'high_priority if ignore in index inner interval is join key language last leading left like ' +
  'limit localtime localtimestamp match mod mode natural next no not null offset on only or order ' +
  'outer partition precision primary query range regexp restrict right rlike row rows select ' +
  'separator some sounds sql_big_result sql_buffer_result sql_no_cache sql_small_result ' +
  'straight_join table then to trailing transaction true union unique unknown use using utc_date ' +
  'utc_time utc_timestamp values when where with xor day_hour day_microsecond day_minute ' +
  'day_second hour_microsecond hour_minute hour_second minute_microsecond minute_second ' +
  'second_microsecond year_month';

/**
 * Keywords of queries that call a stored function of their name in MariaDB, wherever an
 * expression may stand: harmless before a parenthesis only where the grammar has their clause.
 */
export const calledInMariadb =
  'against at columns current cube escape expansion first full last mode next only query rollup ' +
  'sql_buffer_result sql_no_cache transaction unknown';

/** Those of them whose clause has a parenthesis. See `calls.ts`. */
export const openingInMariadb = 'against columns escape sql_buffer_result sql_no_cache';

/** Reserved words of queries that are names to older servers or the other dialect. */
export const newerQueryWords =
  'cube empty except groups intersect json_table lateral of over qualify recursive returning ' +
  'rollup system tablesample window';

/** Types of CAST, CONVERT, RETURNING and JSON_TABLE, which may have their length in parentheses. */
export const typeWords =
  'bigint binary bit blob bool boolean char character date datetime dec decimal double enum fixed ' +
  'float float4 float8 int int1 int2 int3 int4 int8 integer json long longblob longtext mediumblob ' +
  'mediumint mediumtext middleint national nchar numeric nvarchar precision real signed smallint ' +
  'text time timestamp tinyblob tinyint tinytext unsigned varbinary varchar varcharacter varying ' +
  'year zerofill';

/** A type in MariaDB's ORACLE mode, and a keyword there in every mode. */
export const typeWordsInMariadb = 'varchar2';

/**
 * Words before a parenthesis that older servers, or the other dialect, take for the name of a
 * function: they open a clause only where the grammar has that clause. See `calls.ts`.
 */
export const openingWords = 'cube except intersect json_table lateral of over rollup sets';

/**
 * Reserved words that are functions before a parenthesis and statements elsewhere: only a call
 * of them is harmless.
 */
export const callOnlyWords = 'insert replace repeat';

/** Words that write, in a text that begins like a read. */
export const writingWords =
  'alter call create delete drop grant insert kill load optimize procedure purge rename replace ' +
  'revoke set update';

/** Words whose place decides. See `words.ts`. */
export const guardedWords = 'current_user default for set values';

/** Guarded in MariaDB only: there it is a function without parentheses. */
export const guardedInMariadb = 'current_role';

/** Pseudo-columns of a sequence in MariaDB's ORACLE mode. */
export const sequenceColumns = 'nextval currval';

export const systemSchemas = 'information_schema performance_schema mysql sys';

/** First words of a query. */
export const queryStarts = 'select with table values';

/** Tables in which Knex and Kysely keep their migrations. */
export const migrationTables =
  'knex_migrations knex_migrations_lock kysely_migration kysely_migration_lock';
