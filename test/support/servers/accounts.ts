import type { Flavor } from './flavor.ts';

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** The database that the application user may do anything in. */
export const appDatabase = 'app';

/** What the tests' own queries use: never shown as application traffic. */
export const admin: Account = { user: 'rwsplit_admin', password: 'admin-password' };
export const app: Account = { user: 'app', password: 'app-password' };
export const replication: Account = {
  user: 'rwsplit_replication',
  password: 'replication-password',
};

/** Statements that make a fresh data directory usable, one a line (`--init-file` wants that). */
export function accountStatements(flavor: Flavor): string[] {
  // MariaDB 10.5 split REPLICATION CLIENT: the old word gives SHOW BINLOG STATUS only.
  const monitor = flavor === 'mysql' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR, REPLICA MONITOR';
  return [
    createUser(flavor, admin),
    createUser(flavor, app),
    createUser(flavor, replication),
    `GRANT ALL PRIVILEGES ON *.* TO ${admin.user}@'%' WITH GRANT OPTION`,
    `GRANT REPLICATION SLAVE ON *.* TO ${replication.user}@'%'`,
    `GRANT ${monitor} ON *.* TO ${app.user}@'%'`,
    `GRANT ALL PRIVILEGES ON ${appDatabase}.* TO ${app.user}@'%'`,
    // The databases of single test files; `_` unescaped would match any character.
    `GRANT ALL PRIVILEGES ON \`${appDatabase}\\_%\`.* TO ${app.user}@'%'`,
    ...(flavor === 'mariadb' ? binaryStatementLog : []),
    // Last: the first failing line ends the list, so this database says that all went well.
    `CREATE DATABASE ${appDatabase}`,
  ];
}

// Its column is utf8mb3 text, which would lose four-byte characters and odd bytes. MySQL has a
// binary one, and does not accept a changed definition.
const binaryStatementLog = [
  'ALTER TABLE mysql.general_log MODIFY argument LONGTEXT CHARACTER SET utf8mb4 NOT NULL',
];

function createUser(flavor: Flavor, { user, password }: Account): string {
  const method =
    flavor === 'mysql'
      ? `WITH caching_sha2_password BY '${password}'`
      : `VIA mysql_native_password USING PASSWORD('${password}')`;
  return `CREATE USER ${user}@'%' IDENTIFIED ${method}`;
}
