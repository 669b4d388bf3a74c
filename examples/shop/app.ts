import { pipeline } from 'node:stream/promises';
import express, { type Express } from 'express';
import type { Knex } from 'knex';
import { onError } from './errors.ts';
import { Order, Product } from './models.ts';
import { placeOrder } from './orders.ts';

export function shop(knex: Knex): Express {
  const app = express();
  app.use(express.json());

  app.get('/health', (_request, response) => {
    response.send('fine');
  });

  app.get('/products', async ({ query }, response) => {
    const { search, maxPrice, page, pageSize } = query;
    const products = Product.query().orderBy('name');
    if (search) products.where('name', 'like', `%${search}%`);
    if (maxPrice) products.where('price', '<=', Number(maxPrice));
    // Two reads. Both are of one session, so that the count is not older than the rows.
    const size = Math.min(positive(pageSize, 20), 100);
    response.json(await products.page(positive(page, 1) - 1, size));
  });

  app.post('/orders', async ({ body }, response) => {
    const id = await placeOrder(body ?? {});
    response.status(201).json(await orderWithLines(id));
  });

  app.get('/orders/:id', async ({ params }, response) => {
    response.json(await orderWithLines(Number(params.id)));
  });

  app.patch('/orders/:id', async ({ params, body }, response) => {
    const id = Number(params.id);
    await Order.query().findById(id).patch({ status: body?.status }).throwIfNotFound();
    response.json(await orderWithLines(id));
  });

  // Of last second is good enough here: a replica of the group 'analytics', as it is.
  app.get('/reports/sales.csv', async (_request, response) => {
    const sales = knex('purchase_line as line')
      .join('product', 'product.id', 'line.product_id')
      .select('product.name')
      .sum({ sold: 'line.quantity', revenue: knex.raw('line.quantity * line.price') })
      .groupBy('product.id', 'product.name')
      .orderBy('product.name')
      .useReplica('analytics');
    response.type('csv');
    await pipeline(sales.stream(), toCsv, response);
  });

  // Who counts what is on the shelf wants to know what has been sold up to now, by anybody.
  app.get('/admin/stock', async (_request, response) => {
    const products = Product.query().select('id', 'stock').orderBy('id');
    response.json(await products.onBuildKnex((query) => query.forcePrimary()));
  });

  app.use(onError);
  return app;
}

/** Reads on a replica that has what this request, and its client's last ones, have written. */
async function orderWithLines(id: number): Promise<Order> {
  return await Order.query()
    .findById(id)
    .withGraphFetched('[customer, lines.product]')
    .throwIfNotFound({ message: `There is no order ${id}` });
}

function positive(given: unknown, otherwise: number): number {
  const number = Number(given);
  return Number.isInteger(number) && number > 0 ? number : otherwise;
}

async function* toCsv(
  rows: AsyncIterable<{ name: string; sold: string; revenue: string }>,
): AsyncGenerator<string> {
  yield 'product,sold,revenue\n';
  for await (const { name, sold, revenue } of rows) {
    yield `"${name.replaceAll('"', '""')}",${sold},${revenue}\n`;
  }
}
