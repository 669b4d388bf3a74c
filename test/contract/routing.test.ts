import { AsyncResource } from 'node:async_hooks';
import { withSession } from '@rwsplit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { type Api, apis } from './apis.ts';
import { followUps, primaryRows, replicaRows, schema } from './rows.ts';

/**
 * Design §4's two lists, through each API, judged by the servers' own general logs. All statements
 * of an API run first, each with a tag of its own; then each row asks the logs for its tag.
 */
describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const isKnown = (row: { only?: string }) => row.only === undefined || row.only === flavor;
  const rows = [
    ...replicaRows.filter(isKnown).map((row) => ({ ...row, role: 'replica' })),
    ...primaryRows.filter(isKnown).map((row) => ({ ...row, role: 'primary' })),
  ];

  beforeAll(async () => {
    for (const statement of schema) {
      await cluster.primary.query(
        statement.replace(/(TABLE|INTO|FUNCTION|PROCEDURE) (\w+)/, `$1 ${database.name}.$2`),
      );
    }
    if (flavor === 'mariadb') {
      await cluster.primary.query(`CREATE SEQUENCE ${database.name}.counter`);
    }
    await cluster.waitUntilReplicated();
  });

  describe.each(Object.keys(apis) as (keyof typeof apis)[])('%s', (name) => {
    const tags = new Map(
      rows.map((row, index) => [row.sql, `contract-${flavor}-${name}-${index}-`]),
    );
    const ran = new Map<string, string[]>();
    let api: Api;

    beforeAll(async () => {
      api = apis[name]({
        primary: database.connectionOptions(cluster.primary),
        replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
        // A replica that has not caught up yet must not change where things run.
        causalWait: 10_000,
      });
      // The first connection of each host asks for its version.
      await api.run('SELECT 1');
      await api.run('SELECT 1');
      for (const { sql } of rows) {
        // Some rows are there to fail: only where they run counts.
        await api.run(tagged(sql, tags.get(sql) ?? '')).catch(() => {});
      }
      for (const { server, sql } of await cluster.whoRan(`contract-${flavor}-${name}-`)) {
        const tag = /contract-[^/]+?-\d+-/.exec(sql)?.[0] ?? '';
        ran.set(tag, [...(ran.get(tag) ?? []), server]);
      }
    });

    afterAll(() => api.close());

    it.each(rows)('$role: $sql ($why)', ({ sql, role }) => {
      const servers = ran.get(tags.get(sql) ?? '') ?? [];
      expect(servers).toHaveLength(1);
      expect(servers[0]).toMatch(role === 'primary' ? /^primary$/ : /^replica-\d$/);
    });

    describe.each(followUps)('$sql', ({ sql, after, answer }) => {
      it('is refused alone, and sent nowhere', async () => {
        const tag = `contract-alone-${flavor}-${name}-${followUps.findIndex((one) => one.sql === sql)}-`;
        const run = inFreshFlow(() => api.run(tagged(sql, tag)));
        await expect(run).rejects.toMatchObject({ code: 'RWSPLIT_FOLLOW_UP_LOST' });
        expect(await cluster.whoRan(tag)).toEqual([]);
      });

      it('is answered on one connection', async () => {
        await api.withConnection(async (run) => {
          await run(after);
          expect(await run(sql)).toEqual(answer);
        });
      });

      it('is answered in a session, whose statements run on connections of their own', async () => {
        await withSession(async () => {
          await api.run(after);
          expect(await api.run(sql)).toEqual(answer);
        });
      });

      it('is answered outside every session, if it comes next', async () => {
        await inFreshFlow(async () => {
          await api.run(after);
          expect(await api.run(sql)).toEqual(answer);
        });
      });
    });
  });
});

/** Runs something in no flow that has run a statement before. */
function inFreshFlow<Result>(run: () => Promise<Result>): Promise<Result> {
  return origin.runInAsyncScope(() => new AsyncResource('flow')).runInAsyncScope(run);
}

const origin = new AsyncResource('contract');

/** The tag as a comment of its own, where it cannot change the statement. */
function tagged(sql: string, tag: string): string {
  return `/* ${tag} */ ${sql}`;
}
