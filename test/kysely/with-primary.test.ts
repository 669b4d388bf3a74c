import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import '@rwsplit/kysely/with-primary';
import {
  type ControlledTransaction,
  type Kysely,
  type SchemaModule,
  sql,
  type Transaction,
} from 'kysely';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, hosts, newTag, open, rolesOf, type Tables } from './people.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** The names that `kysely-replication/force` has, and what they mean there as far as it is safe. */
describe('withPrimary and withReplica', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const db = open(cluster, database);
  beforeAll(async () => {
    await createTables(cluster, database);
    return () => db.destroy();
  });

  const byName = (on: Kysely<Tables>, tag: string) =>
    on.selectFrom('person').select('id').where('name', '=', tag);
  const insert = (on: Kysely<Tables>, tag: string) =>
    on.insertInto('person').values({ name: tag }).execute();

  interface Row {
    readonly what: string;
    readonly run: (tag: string) => Promise<unknown>;
    readonly role: 'primary' | 'replica';
  }

  it.each<Row>([
    {
      what: 'withPrimary, a read',
      run: (tag) => byName(db.withPrimary(), tag).execute(),
      role: 'primary',
    },
    {
      what: 'withPrimary, raw SQL',
      run: (tag) => sql`select ${tag}`.execute(db.withPrimary()),
      role: 'primary',
    },
    {
      what: 'withPrimary, a read with a common table expression',
      run: (tag) =>
        db
          .with('tagged', () => byName(db, tag))
          .withPrimary()
          .selectFrom('tagged')
          .selectAll()
          .execute(),
      role: 'primary',
    },
    {
      what: 'withPrimary, a write',
      run: (tag) => insert(db.withPrimary(), tag),
      role: 'primary',
    },
    {
      what: 'withPrimary, the schema',
      run: (tag) =>
        db.schema
          .withPrimary()
          .createTable(tag.replaceAll('-', '_'))
          .addColumn(tag, 'integer')
          .execute(),
      role: 'primary',
    },
    {
      what: 'withReplica, a read',
      run: (tag) => byName(db.withReplica(), tag).execute(),
      role: 'replica',
    },
    {
      what: 'withReplica, a read of a group',
      run: (tag) => byName(db.withReplica('default'), tag).execute(),
      role: 'replica',
    },
    {
      what: 'withReplica, a connection()',
      run: (tag) =>
        db
          .withReplica()
          .connection()
          .execute((connection) => byName(connection, tag).execute()),
      role: 'replica',
    },
    {
      what: 'withReplica, in a transaction',
      run: (tag) => db.transaction().execute((trx) => byName(trx.withReplica(), tag).execute()),
      role: 'primary',
    },
    {
      what: 'withReplica, a transaction of it',
      run: (tag) =>
        db
          .withReplica()
          .transaction()
          .execute((trx) => byName(trx, tag).execute()),
      role: 'primary',
    },
    {
      what: 'withReplica, then withPrimary',
      run: (tag) => byName(db.withReplica().withPrimary(), tag).execute(),
      role: 'primary',
    },
    {
      what: 'what they were called on',
      run: (tag) => {
        db.withPrimary();
        return byName(db, tag).execute();
      },
      role: 'replica',
    },
  ])('$role: $what', async ({ run: execute, role }) => {
    const tag = newTag();
    await execute(tag);
    expect(await rolesOf(cluster, tag)).toEqual([role]);
  });

  it('sends no write to a replica, as kysely-replication would', async () => {
    const tag = newTag();
    const refused = { code: 'RWSPLIT_USE_REPLICA' };
    await expect(insert(db.withReplica(), tag)).rejects.toMatchObject(refused);
    await expect(db.schema.withReplica().dropTable(tag).execute()).rejects.toMatchObject(refused);
    expect(await rolesOf(cluster, tag)).toEqual([]);
  });

  it('refuses the index of a replica, which has no meaning here', async () => {
    // @ts-expect-error replicas come and go: they have names and groups
    const query = byName(db.withReplica(1), newTag());
    await expect(query.execute()).rejects.toMatchObject({
      code: 'RWSPLIT_OPTIONS',
      message: expect.stringContaining('useReplica: expected'),
    });
  });

  it('keeps types', () => {
    expectTypeOf(db.withPrimary()).toEqualTypeOf<Kysely<Tables>>();
    expectTypeOf(db.withReplica('analytics')).toEqualTypeOf<Kysely<Tables>>();
    expectTypeOf(db.schema.withPrimary()).toEqualTypeOf<SchemaModule>();
    expectTypeOf<Transaction<Tables>['withPrimary']>().returns.toEqualTypeOf<Transaction<Tables>>();
    expectTypeOf<ControlledTransaction<Tables, ['a']>['withReplica']>().returns.toEqualTypeOf<
      ControlledTransaction<Tables, ['a']>
    >();
    expectTypeOf(byName(db.withPrimary(), 'x').execute).returns.resolves.toEqualTypeOf<
      { id: number }[]
    >();
  });

  // Kysely 0.28 exists twice: for those who import it, as this package does, and for those who require it.
  it('are there for those who require Kysely 0.28, and so are hints', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rwsplit-cjs-'));
    try {
      const modules = join(folder, 'node_modules');
      await mkdir(join(modules, '@rwsplit'), { recursive: true });
      await symlink(join(root, 'packages', 'core'), join(modules, '@rwsplit', 'core'));
      await symlink(join(root, 'node_modules', 'kysely-oldest'), join(modules, 'kysely'));
      // A copy: a link would lead to the Kysely of the workspace. Built, as it is published: what runs
      // sources makes CommonJS of them.
      const copy = join(modules, '@rwsplit', 'kysely');
      await cp(join(root, 'packages', 'kysely', 'dist'), join(copy, 'dist'), { recursive: true });
      await cp(join(root, 'packages', 'kysely', 'package.json'), join(copy, 'package.json'));
      const [tag, primaryTag] = [newTag(), newTag()];
      const given = { options: hosts(cluster, database), tag, primaryTag };
      await writeFile(
        join(folder, 'main.cjs'),
        `const { Kysely } = require('kysely');
         const { forcePrimary, ReplicatedMysqlDialect } = require('@rwsplit/kysely');
         require('@rwsplit/kysely/with-primary');
         const { options, tag, primaryTag } = ${JSON.stringify(given)};
         const db = new Kysely({ dialect: new ReplicatedMysqlDialect(options) });
         const byName = (on, name) => on.selectFrom('person').select('id').where('name', '=', name);
         byName(db, tag).execute()
           .then(() => byName(db.withPrimary(), primaryTag).execute())
           .then(() => byName(db, primaryTag).$call(forcePrimary).execute())
           .then(() => db.schema.withPrimary().dropTable('nowhere').ifExists().execute())
           .then(() => db.destroy());`,
      );
      await run(process.execPath, ['--conditions=built', join(folder, 'main.cjs')]);
      expect(await rolesOf(cluster, tag)).toEqual(['replica']);
      expect(await rolesOf(cluster, primaryTag)).toEqual(['primary', 'primary']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
