import { beforeAll, describe, expect, it } from 'vitest';
import { type App, answerOf, cookieOf, makeBed, untilLocked } from './bed.ts';

const knex = ['node_modules/knex/bin/cli.js', '--knexfile', 'examples/shop/knexfile.ts'];

describe('shop: Express, Knex and Objection', async () => {
  const bed = await makeBed('mysql', ({ primary, replicas: [first = '', second = ''] }) => ({
    DB_PRIMARY: primary,
    DB_REPLICAS: first,
    DB_ANALYTICS: second,
  }));
  const { cluster } = bed;
  let app: App;
  let setUp: { primary: string[]; replicas: string[] };

  beforeAll(async () => {
    setUp = await bed.sent(async () => {
      await bed.run([...knex, 'migrate:latest']);
      await bed.run([...knex, 'seed:run']);
    });
    await cluster.waitUntilReplicated();
    app = await bed.start('examples/shop/main.ts');
    await Promise.all([app.ask('GET', '/products'), app.ask('GET', '/products')]);
  });

  function order(quantity: number): Promise<Response> {
    const lines = [{ productId: 1, quantity }];
    return app.ask('POST', '/orders', { email: 'ada@example.org', lines });
  }

  it('is set up by Knex’s command line, on the primary', () => {
    expect(setUp.primary).toContainEqual(expect.stringContaining('create table `product`'));
    expect(setUp.primary).toContainEqual(expect.stringContaining('insert into `product`'));
    expect(setUp.replicas).toEqual([]);
  });

  it('lists products by filters and in pages, on a replica', async () => {
    let answer = {};
    const { primary, replicas } = await bed.sent(async () => {
      const path = '/products?search=tea&maxPrice=1000&page=2&pageSize=3';
      answer = await answerOf(await app.ask('GET', path));
    });
    expect(answer).toEqual({
      status: 200,
      body: { results: [{ id: 5, name: 'Tea cup', price: 800, stock: 1 }], total: 4 },
    });
    expect(primary).toEqual([]);
    expect(replicas).toHaveLength(2);
  });

  it('takes an order in one transaction on the primary, or nothing of it', async () => {
    const { primary } = await bed.sent(async () => {
      expect(await answerOf(await order(2))).toEqual({
        status: 201,
        body: expect.objectContaining({
          status: 'new',
          customer: { id: 1, email: 'ada@example.org' },
          lines: [
            expect.objectContaining({
              quantity: 2,
              price: 450,
              product: { id: 1, name: 'Green tea', price: 450, stock: 98 },
            }),
          ],
        }),
      });
    });
    const words = primary.map((sql) => /^\w+/.exec(sql)?.[0].toLowerCase());
    const [begin, commit] = [words.indexOf('begin'), words.indexOf('commit')];
    expect(words.slice(begin, commit + 1)).toEqual([
      'begin',
      'insert', // the customer, if there is none yet
      'select',
      'select', // the products, locked
      'update', // their stock
      'insert', // the order
      'insert', // its lines
      'commit',
    ]);
    const both = [1, 5].map((productId) => ({ productId, quantity: 2 }));
    const soldOut = { email: 'grace@example.org', lines: both };
    expect(await answerOf(await app.ask('POST', '/orders', soldOut))).toEqual({
      status: 409,
      body: { error: 'There are not 2 of product 5' },
    });
    const found = await cluster.primary.query(`SELECT email FROM ${cluster.database}.customer`);
    expect(found).toEqual([{ email: 'ada@example.org' }]);
  });

  it.each([
    ['no JSON', 'POST', '/orders', 400, '{'],
    ['no lines', 'POST', '/orders', 400, { email: 'ada@example.org' }],
    ['lines that are none', 'POST', '/orders', 400, { email: 'ada@example.org', lines: 'tea' }],
    ['an unknown status', 'PATCH', '/orders/1', 400, { status: 'lost' }],
    ['an unknown order', 'PATCH', '/orders/77', 404, { status: 'paid' }],
    ['an unknown order', 'GET', '/orders/77', 404],
  ])('refuses %s: %s %s', async (_what, method, path, status, body?: object | string) => {
    const response = await app.ask(method, path, body);
    expect(await answerOf(response)).toEqual({ status, body: { error: expect.any(String) } });
  });

  it('shows a client what it has done while replicas are behind, also in its next request', async () => {
    await bed.behind(async () => {
      const patched = await app.ask('PATCH', '/orders/1', { status: 'paid' });
      expect(await answerOf(patched)).toEqual({
        status: 200,
        body: expect.objectContaining({ id: 1, status: 'paid' }),
      });
      const cookie = cookieOf(patched);
      expect(cookie).toMatch(/^db-position=1~!m/);
      const seen = await answerOf(await app.ask('GET', '/orders/1', undefined, { cookie }));
      expect(seen.body).toMatchObject({ status: 'paid' });
      // Somebody else is not kept from the replicas by that.
      const { primary } = await bed.sent(async () => {
        const others = await answerOf(await app.ask('GET', '/orders/1'));
        expect(others.body).toMatchObject({ status: 'new' });
      });
      expect(primary).toEqual([]);
    });
  });

  it('streams the report from the replica of its group', async () => {
    await cluster.waitUntilReplicated();
    const [, analytics] = cluster.replicas;
    const mark = await analytics?.mark();
    const report = await app.ask('GET', '/reports/sales.csv');
    expect(report.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(await report.text()).toBe('product,sold,revenue\n"Green tea",2,900\n');
    const containing = 'purchase_line';
    const filter = mark === undefined ? { containing } : { containing, since: mark };
    expect(await analytics?.statements(filter)).toHaveLength(1);
  });

  it('counts what is on the shelf on the primary', async () => {
    const { primary, replicas } = await bed.sent(async () => {
      const { body } = await answerOf(await app.ask('GET', '/admin/stock'));
      expect(body).toContainEqual({ id: 1, stock: 98 });
    });
    expect(primary).toEqual([expect.stringMatching(/^select `id`, `stock`/)]);
    expect(replicas).toEqual([]);
  });

  it('goes on with reads while the primary is down, and asks to come back with orders', async () => {
    await cluster.waitUntilReplicated();
    await cluster.primary.kill();
    const refused = await order(1);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await answerOf(refused)).toEqual({ status: 503, body: { error: 'Sorry' } });
    expect((await app.ask('GET', '/products')).status).toBe(200);
    await cluster.primary.restart();
    await expect.poll(async () => (await order(1)).status, { timeout: 10_000 }).toBe(201);
  });

  it('answers an order under way before it ends', async () => {
    await cluster.primary.query('BEGIN');
    await cluster.primary.query(
      `SELECT id FROM ${cluster.database}.product WHERE id = 1 FOR UPDATE`,
    );
    const answer = order(1);
    await untilLocked(cluster);
    const end = app.terminate();
    await cluster.primary.query('COMMIT');
    expect((await answer).status).toBe(201);
    expect(await end).toEqual([0, null]);
  });
});
