import { relations } from 'drizzle-orm';
import { boolean, datetime, int, mysqlTable, varchar } from 'drizzle-orm/mysql-core';

export const list = mysqlTable('list', {
  id: int().primaryKey().autoincrement(),
  name: varchar({ length: 80 }).notNull(),
});

export const task = mysqlTable('task', {
  id: int().primaryKey().autoincrement(),
  listId: int('list_id').notNull(),
  text: varchar({ length: 200 }).notNull(),
  isDone: boolean('is_done').notNull().default(false),
  due: datetime(),
});

export const listRelations = relations(list, ({ many }) => ({ tasks: many(task) }));
export const taskRelations = relations(task, ({ one }) => ({
  list: one(list, { fields: [task.listId], references: [list.id] }),
}));
