import { ValidationError } from 'objection';
import { Customer, Order, OrderLine, Product } from './models.ts';

export class SoldOut extends Error {
  override readonly name = 'SoldOut';
}

/**
 * Takes an order, and what it is about out of the stock; or nothing of it. All of a transaction runs on
 * one connection to the primary, its reads too.
 *
 * @returns the id of the order.
 */
export async function placeOrder(given: { email: string; lines: unknown }): Promise<number> {
  const { email } = Customer.fromJson({ email: given.email });
  const lines = linesOf(given.lines);
  return await Order.transaction(async (trx) => {
    await Customer.query(trx).insert({ email }).onConflict('email').ignore();
    const customer = await Customer.query(trx).findOne({ email }).throwIfNotFound();
    const ids = lines.map(({ productId }) => productId);
    // Always in the same order: orders that overlap wait for each other, and do not deadlock.
    const products = await Product.query(trx).findByIds(ids).orderBy('id').forUpdate();
    for (const line of lines) {
      const product = products.find(({ id }) => id === line.productId);
      if (product === undefined || product.stock < line.quantity) {
        throw new SoldOut(`There are not ${line.quantity} of product ${line.productId}`);
      }
      line.price = product.price;
      product.stock -= line.quantity;
      await Product.query(trx).findById(product.id).patch({ stock: product.stock });
    }
    const order = { customerId: customer.id, status: 'new' as const, lines };
    return (await Order.query(trx).insertGraph(order)).id;
  });
}

function linesOf(given: unknown): OrderLine[] {
  if (!Array.isArray(given) || given.length === 0) {
    throw new ValidationError({ type: 'ModelValidation', message: 'lines: expected some' });
  }
  return given.map((line: object) => OrderLine.fromJson(line));
}
