import { forcePrimary, routeOf, useReplica } from '@rwsplit/kysely';
import {
  CamelCasePlugin,
  DeduplicateJoinsPlugin,
  HandleEmptyInListsPlugin,
  type Kysely,
  type KyselyPlugin,
  OperationNodeTransformer,
  ParseJSONResultsPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type RootOperationNode,
  replaceWithNoncontingentExpression,
  sql,
  WithSchemaPlugin,
} from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, newTag, open, rolesOf, type Tables } from './people.ts';

const transformer = new OperationNodeTransformer();

/** A user's plugin that makes every node anew, and gives rows of its own. */
class Rebuild implements KyselyPlugin {
  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return transformer.transformNode(structuredClone(node), queryId);
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return { ...result, rows: result.rows.map((row) => ({ ...row })) };
  }
}

/** A hint of one query must be in force whatever the plugins around it make of the query. */
describe('hints and plugins', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const plugins: Record<string, () => KyselyPlugin> = {
    CamelCasePlugin: () => new CamelCasePlugin(),
    ParseJSONResultsPlugin: () => new ParseJSONResultsPlugin(),
    DeduplicateJoinsPlugin: () => new DeduplicateJoinsPlugin(),
    WithSchemaPlugin: () => new WithSchemaPlugin(database.name),
    HandleEmptyInListsPlugin: () =>
      new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }),
    'a plugin that rebuilds every node': () => new Rebuild(),
  };
  const db = open(cluster, database);
  beforeAll(async () => {
    await createTables(cluster, database);
    return () => db.destroy();
  });

  const byName = (on: Kysely<Tables>, tag: string) =>
    on.selectFrom('person').select('id').where('name', '=', tag);

  describe.each(Object.keys(plugins))('%s', (name) => {
    const plugin = (): KyselyPlugin => plugins[name]?.() ?? new Rebuild();

    it('leaves the hint in force, be it given before or after', async () => {
      const tag = newTag();
      await using own = open(cluster, database, { plugins: [plugin(), plugin()] });
      await byName(forcePrimary(own), tag).execute();
      await byName(forcePrimary(db.withPlugin(plugin())), tag).execute();
      await byName(forcePrimary(db).withPlugin(plugin()), tag).execute();
      await byName(own, tag).$call(forcePrimary).withPlugin(plugin()).execute();
      await byName(own.withPlugin(plugin()), tag).$call(forcePrimary).executeTakeFirst();
      await own.executeQuery(byName(own, tag).$call(forcePrimary).compile());
      await forcePrimary(sql`select ${tag}`).withPlugin(plugin()).execute(own);
      for await (const _ of byName(own, tag).$call(forcePrimary).stream()) break;
      expect(new Set(await rolesOf(cluster, tag))).toEqual(new Set(['primary']));
      expect(await rolesOf(cluster, tag)).toHaveLength(8);
    });

    it('gives a query without a hint none', async () => {
      const tag = newTag();
      const query = byName(db.withPlugin(plugin()), tag);
      query.$call(forcePrimary).compile();
      await query.execute();
      expect(await rolesOf(cluster, tag)).toEqual(['replica']);
    });

    it('has the primary win over a replica', async () => {
      const tag = newTag();
      const compiled = useReplica(forcePrimary(byName(db.withPlugin(plugin()), tag))).compile();
      await db.executeQuery(compiled);
      expect(routeOf(compiled)).toMatchObject({ host: 'primary', reason: 'force-primary' });
    });
  });
});
