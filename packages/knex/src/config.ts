import type { HostConfig, RoutingOptions } from '@rwsplit/core';
import type {} from 'knex';

/** The key `replication` of a Knex configuration: how statements are routed. */
export type ReplicationOptions = RoutingOptions;

declare module 'knex' {
  namespace Knex {
    // Knex's own parameters; their constraints and defaults are those of its declaration.
    interface Config<SV> {
      /**
       * The servers that reads go to, for `client: ReplicatedMysql2`. Each takes over what it does not
       * say itself (user, password, database, TLS, …) from `connection`. Without this key the client is
       * Knex's own for mysql2, and everything runs on the one server.
       *
       * @default []
       */
      replicas?: readonly HostConfig[] | undefined;
      /**
       * How statements are routed, for `client: ReplicatedMysql2`. Without `replicas` it has no effect.
       *
       * @default {}
       */
      replication?: ReplicationOptions | undefined;
    }

    interface QueryBuilder<TRecord, TResult> {
      /**
       * Runs the query on the primary, wherever it could run. It goes along with `clone()`, `stream()`
       * and transactions. Of nested queries, the outermost decides. Knex's other clients take no notice.
       */
      forcePrimary(): this;
      /**
       * Runs the read on a replica, of this group if one is named, whatever the code around it says. A write
       * with it is refused; what needs the primary by itself runs there. Knex's other clients take no notice.
       */
      useReplica(group?: string): this;
    }

    interface Raw<TResult> {
      /** As that of query builders. Raw queries of Knex's other clients do not have it. */
      forcePrimary(): this;
      /** As that of query builders. Raw queries of Knex's other clients do not have it. */
      useReplica(group?: string): this;
    }

    interface SchemaBuilder {
      /** As that of query builders. Schema builders of Knex's other clients do not have it. */
      forcePrimary(): this;
      /** As that of query builders. Schema builders of Knex's other clients do not have it. */
      useReplica(group?: string): this;
    }
  }
}
