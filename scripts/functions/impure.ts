import type { ImpureFunction } from '../../packages/core/src/statement/functions/table.ts';

/** Built-in functions whose call belongs to the primary, and why. */
export interface ImpureGroup {
  readonly why: string;
  readonly verdict: ImpureFunction;
  readonly names: string;
}

const session = { reason: 'session-function' } as const;
const unsafe = { reason: 'unsafe-function' } as const;

/** Chapter names are those of the MySQL 9 manual, "Functions and Operators", unless said otherwise. */
export const impureGroups: readonly ImpureGroup[] = [
  {
    why: 'Information Functions: the last automatic id of this session; with an argument, sets it',
    verdict: { ...session, asks: 'insert-id' },
    names: 'last_insert_id',
  },
  {
    why: 'Information Functions: about the last read of this session',
    verdict: { ...session, asks: 'found-rows' },
    names: 'found_rows',
  },
  {
    why: 'Information Functions: about the previous statement of this session',
    verdict: { ...session, asks: 'row-count' },
    names: 'row_count',
  },
  {
    why: 'Information Functions: who and where this session is, which differs from host to host',
    verdict: session,
    names: `connection_id current_role current_user database schema session_user system_user user
      roles_graphml`,
  },
  {
    why: 'Performance Schema Functions: thread numbers of one server',
    verdict: session,
    names: 'ps_current_thread_id ps_thread_id',
  },
  {
    why: 'Information Functions: what the server is; adapters choose their SQL by the primary',
    verdict: unsafe,
    names: 'version icu_version',
  },
  {
    why: 'Locking Functions: the lock belongs to this session until it is released',
    verdict: { ...unsafe, pin: 'user-lock' },
    names: 'get_lock',
  },
  {
    why: 'Locking Functions: user locks live on one server',
    verdict: unsafe,
    names: 'release_lock release_all_locks is_free_lock is_used_lock',
  },
  {
    why: 'Miscellaneous and Information Functions: they wait or burn time, used for that effect',
    verdict: unsafe,
    names: 'sleep benchmark',
  },
  {
    why: 'Replication Functions: they wait for, or read, the replication state of one server',
    verdict: unsafe,
    names: `master_pos_wait source_pos_wait master_gtid_wait wait_for_executed_gtid_set
      binlog_gtid_pos wsrep_sync_wait_upto_gtid wsrep_last_seen_gtid`,
  },
  {
    why: 'MariaDB, Galera Functions: the last write of this session',
    verdict: session,
    names: 'wsrep_last_written_gtid',
  },
  {
    why: 'Replication Functions: they change how one server replicates',
    verdict: unsafe,
    names: `asynchronous_connection_failover_add_managed asynchronous_connection_failover_add_source
      asynchronous_connection_failover_delete_managed
      asynchronous_connection_failover_delete_source asynchronous_connection_failover_reset`,
  },
  {
    why: 'String Functions: a file of one server',
    verdict: unsafe,
    names: 'load_file',
  },
  {
    why: 'MariaDB, Encryption Functions: the key file of one server; salt of the system library',
    verdict: unsafe,
    names: 'des_encrypt des_decrypt encrypt',
  },
  {
    why: 'MariaDB, Sequence Functions: the last value that this session took',
    verdict: session,
    names: 'lastval',
  },
  {
    why: 'MariaDB, Sequence Functions: they write the sequence',
    verdict: unsafe,
    names: 'nextval setval',
  },
  {
    why: 'Miscellaneous Functions: built from the server id and a counter of one server',
    verdict: unsafe,
    names: 'uuid_short',
  },
  {
    why: 'Miscellaneous Functions: in MariaDB a default may take the next value of a sequence',
    verdict: unsafe,
    names: 'default',
  },
  {
    why: 'Miscellaneous Functions: the value that an INSERT would store; only there has it a meaning',
    verdict: unsafe,
    names: 'value',
  },
  {
    why: 'JSON Utility Functions: bytes in the row as stored, which partial updates change per server',
    verdict: unsafe,
    names: 'json_storage_free json_storage_size',
  },
  {
    why: 'Encryption Functions: asks the password component of one server',
    verdict: unsafe,
    names: 'validate_password_strength',
  },
  {
    why: 'InnoDB administration: loaded by the server itself, reads or changes its redo log',
    verdict: unsafe,
    names: `innodb_redo_log_archive_flush innodb_redo_log_archive_start innodb_redo_log_archive_stop
      innodb_redo_log_consumer_advance innodb_redo_log_consumer_register
      innodb_redo_log_consumer_unregister innodb_redo_log_sharp_checkpoint
      innodb_set_open_files_limit`,
  },
  {
    why: 'Internal Functions: for the views of information_schema, refused to or pointless for users',
    verdict: unsafe,
    names: `can_access_column can_access_database can_access_event can_access_resource_group
      can_access_routine can_access_table can_access_trigger can_access_user can_access_view
      convert_cpu_id_mask convert_interval_to_user_interval current_role_in current_user_in
      get_dd_column_privileges get_dd_create_options get_dd_index_private_data
      get_dd_index_sub_part_length get_dd_property_key_value get_dd_schema_options
      get_dd_tablespace_private_data get_jdv_property_key_value internal_auto_increment
      internal_avg_row_length internal_check_time internal_checksum internal_data_free
      internal_data_length internal_dd_char_length internal_get_comment_or_error
      internal_get_dd_column_extra internal_get_enabled_role_json internal_get_hostname
      internal_get_mandatory_roles_json internal_get_partition_nodegroup internal_get_username
      internal_get_view_warning_or_error internal_index_column_cardinality internal_index_length
      internal_is_enabled_role internal_is_mandatory_role internal_keys_disabled
      internal_max_data_length internal_table_rows internal_tablespace_autoextend_size
      internal_tablespace_data_free internal_tablespace_extent_size internal_tablespace_extra
      internal_tablespace_free_extents internal_tablespace_id internal_tablespace_initial_size
      internal_tablespace_logfile_group_name internal_tablespace_logfile_group_number
      internal_tablespace_maximum_size internal_tablespace_row_format internal_tablespace_status
      internal_tablespace_total_extents internal_tablespace_type internal_tablespace_version
      internal_update_time internal_use_terminology_previous is_visible_dd_object
      remove_dd_property_key version_with_update`,
  },
];
