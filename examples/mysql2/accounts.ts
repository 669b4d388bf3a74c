import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { pool } from './pool.ts';

const db = pool.promise();

interface Account extends RowDataPacket {
  readonly id: number;
  readonly owner: string;
  readonly cents: number;
}

export async function createTable(): Promise<void> {
  await db.query(`CREATE TABLE IF NOT EXISTS account (
    id INT PRIMARY KEY AUTO_INCREMENT, owner VARCHAR(40) NOT NULL, cents INT NOT NULL)`);
}

export async function open(owner: string, cents: number): Promise<number> {
  const sql = 'INSERT INTO account (owner, cents) VALUES (?, ?)';
  const [{ insertId }] = await db.execute<ResultSetHeader>(sql, [owner, cents]);
  return insertId;
}

/** A statement that the server prepares: on whichever it runs. */
export async function find(id: number): Promise<Account | undefined> {
  const [rows] = await db.execute<Account[]>('SELECT * FROM account WHERE id = ?', [id]);
  return rows[0];
}

/** @returns whether there was enough; if not, nothing is moved. */
export async function transfer(from: number, to: number, cents: number): Promise<boolean> {
  const connection = await db.getConnection();
  try {
    await connection.beginTransaction();
    // Always in the same order: transfers that cross wait for each other, and do not deadlock.
    const [accounts] = await connection.query<Account[]>(
      'SELECT id, cents FROM account WHERE id IN (?) ORDER BY id FOR UPDATE',
      [[from, to]],
    );
    const source = accounts.find(({ id }) => id === from);
    const isPossible = accounts.length === 2 && source !== undefined && source.cents >= cents;
    if (isPossible) {
      const sql = 'UPDATE account SET cents = cents + ? WHERE id = ?';
      await connection.execute(sql, [-cents, from]);
      await connection.execute(sql, [cents, to]);
    }
    await connection.commit();
    return isPossible;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

/** With a callback, and a hint: what is asked for is what everybody has, up to now. */
export function total(callback: (error: Error | null, cents?: number) => void): void {
  const sql = 'SELECT SUM(cents) AS cents FROM account';
  pool.query({ sql, forcePrimary: true }, (error, rows) => {
    if (error !== null) {
      callback(error);
      return;
    }
    const [row] = rows as { cents: string | null }[];
    callback(null, Number(row?.cents ?? 0));
  });
}

/** The rows as a stream, which reads no faster than it is read. */
export function everything() {
  return pool.query('SELECT * FROM account ORDER BY id').stream();
}
