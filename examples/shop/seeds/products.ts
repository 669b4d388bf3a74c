import type { Knex } from 'knex';

/** For an empty shop. */
export async function seed(knex: Knex): Promise<void> {
  await knex('product').insert([
    { name: 'Green tea', price: 450, stock: 100 },
    { name: 'Black tea', price: 400, stock: 100 },
    { name: 'Herbal tea', price: 350, stock: 20 },
    { name: 'Tea pot', price: 2_900, stock: 5 },
    { name: 'Tea cup', price: 800, stock: 1 },
  ]);
}
