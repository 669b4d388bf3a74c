import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { makeBed, newTag } from './bed.ts';
import { describe } from 'vitest';
describe('zz', async () => {
  const bed = await makeBed('mysql');
  it('x', async () => {
    using proxy = await TcpProxy.start(bed.cluster.primary);
    const db = bed.open({ connection: { ...bed.primary, port: proxy.port } });
    const tag = newTag();
    await db('person').first();
    proxy.cut();
    await sleep(50);
    proxy.pause();
    const p = Promise.resolve(db('person').insert({ name: tag })).then(() => console.log('inserted', performance.now()), console.log);
    await sleep(200);
    console.log('resume', performance.now());
    proxy.resume();
    await p;
    console.log(await bed.cluster.whoRan(tag));
  });
});
