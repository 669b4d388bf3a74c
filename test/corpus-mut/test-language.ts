/**
 * The words of the mysqltest language (MySQL source documentation, "MySQL Test Framework",
 * "mysqltest Language Reference"; MariaDB adds a few). A command begins with one of them; what
 * begins with another word is SQL.
 */

/** Commands whose argument is SQL that is sent as it stands. */
export const plainSql: ReadonlySet<string> = new Set([
  'query',
  'query_horizontal',
  'query_vertical',
  'send',
]);

/** Commands whose argument is SQL in which `$name` stands for a variable of the test. */
export const evaluatedSql: ReadonlySet<string> = new Set(['eval', 'evalp', 'send_eval']);

/** Commands that are followed by lines of their own, up to one that is their last argument. */
export const withLines: ReadonlySet<string> = new Set(['append_file', 'perl', 'write_file']);

/** Commands that are no SQL; all of `enable_*` and `disable_*` are too. */
export const others: ReadonlySet<string> = new Set(
  (
    'assert cat_file change_user character_set chmod connect connection copy_file ' +
    'copy_files_wildcard dec delimiter die diff_files dirty_close disconnect echo end end_timer ' +
    'error exec exec_in_background execw exit expr file_exists force-cpdir force-rmdir ' +
    'horizontal_results if inc let list_files list_files_append_file list_files_write_file ' +
    'lowercase_result mkdir move_file optimizer_trace output partially_sorted_result ping ' +
    'ps_bind ps_close ps_execute ps_prepare query_attributes query_attrs_add query_attrs_delete query_get_value real_sleep reap ' +
    'remove_file remove_files_wildcard replace_column replace_numeric_round replace_regex ' +
    'replace_result require reset_connection result_format rmdir save_master_pos send_quit ' +
    'send_shutdown shutdown_server skip skip_if_hypergraph sleep sorted_result source start_timer ' +
    'sync_slave_with_master sync_with_master system vertical_results wait_for_slave_to_stop while ' +
    'write_line'
  ).split(' '),
);
