import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { type Api, apis } from './apis.ts';
import { primaryRows, replicaRows, schema } from './rows.ts';

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
  });
});

/** The tag as a comment of its own, where it cannot change the statement. */
function tagged(sql: string, tag: string): string {
  return `/* ${tag} */ ${sql}`;
}
