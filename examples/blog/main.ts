import { sessionPerRequest } from '@rwsplit/kysely';
import { blog } from './app.ts';
import { db, positionHeader } from './database.ts';

const { PORT = '3000', NEWSLETTER = 'http://127.0.0.1:3001' } = process.env;

sessionPerRequest({ filter: ({ url }) => url !== '/health', header: positionHeader });

const app = blog(NEWSLETTER);
console.log(`listening on ${await app.listen({ host: '127.0.0.1', port: Number(PORT) })}`);

process.once('SIGTERM', async () => {
  await app.close();
  await db.destroy();
});
