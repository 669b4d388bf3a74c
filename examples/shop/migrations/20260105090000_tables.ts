import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('customer', (table) => {
    table.increments();
    table.string('email', 200).notNullable().unique();
  });
  await knex.schema.createTable('product', (table) => {
    table.increments();
    table.string('name', 100).notNullable().index();
    table.integer('price').notNullable().comment('in cents');
    table.integer('stock').notNullable();
  });
  await knex.schema.createTable('purchase', (table) => {
    table.increments();
    table.integer('customer_id').unsigned().notNullable().references('customer.id');
    table.string('status', 20).notNullable();
    table.timestamp('created_at').notNullable().defaultTo(knex.fn.now());
  });
  await knex.schema.createTable('purchase_line', (table) => {
    table.increments();
    table.integer('purchase_id').unsigned().notNullable().references('purchase.id');
    table.integer('product_id').unsigned().notNullable().references('product.id');
    table.integer('quantity').notNullable();
    table.integer('price').notNullable().comment('of one piece, when it was bought');
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['purchase_line', 'purchase', 'product', 'customer']) {
    await knex.schema.dropTable(table);
  }
}
