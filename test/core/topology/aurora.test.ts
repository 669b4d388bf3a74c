import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aurora, type ClusterView } from '../../../packages/core/src/topology/aurora.ts';
import { deriveAuroraPattern } from '../../../packages/core/src/topology/aurora-pattern.ts';

const domain = 'abc123.eu-west-1.rds.amazonaws.com:3306';
const cluster = `shop.cluster-${domain}`;
const readers = `shop.cluster-ro-${domain}`;
const topology = aurora({ pattern: `?.${domain}` });

const at = (id: string) => `${id}.${domain}`;

/** `i1` reads, `i1*` writes, `i1+9` lags 9 ms, `i1@400` was last heard of 400 s ago. */
function row(text: string, own: string, isReadOnly: boolean) {
  const [, id = '', writes, lag = '0', seconds = '1'] =
    /^(\w+)(\*?)(?:\+(\d+))?(?:@(\d+))?$/.exec(text) ?? [];
  return {
    server_id: id,
    is_writer: writes === '*' ? 1 : 0,
    replica_lag: Number(lag),
    age: Number(seconds) * 1_000_000,
    own_id: own,
    innodb_read_only: isReadOnly ? 1 : 0,
  };
}

/** What an instance answers: `says('i1', 'i1* i2+9 i3')`; it takes writes if it says that it is the writer. */
function says(own: string, rows: string, isReadOnly = !rows.includes(`${own}*`)) {
  return topology.read(rows.split(' ').map((text) => row(text, own, isReadOnly)));
}

type Answers = Readonly<Record<string, ClusterView | null>>;

function found(answers: Answers, primary: string | null = null) {
  return topology.resolve(new Map(Object.entries(answers)), primary);
}

const all = 'i1* i2+9 i3+12';

describe('roles', () => {
  it.each<
    [
      reason: string,
      answers: Answers,
      primary: string | null,
      writable: string[],
      readable: string[],
      members: string[],
    ]
  >([
    [
      'a cluster in order',
      { [at('i1')]: says('i1', all), [at('i2')]: says('i2', all), [at('i3')]: says('i3', all) },
      null,
      ['i1'],
      ['i2', 'i3'],
      ['i1', 'i2', 'i3'],
    ],
    [
      'asked at the endpoints of the cluster, the instances behind them answer',
      { [cluster]: says('i1', all), [readers]: says('i3', all) },
      cluster,
      ['i1'],
      ['i3'],
      ['i1', 'i2', 'i3'],
    ],
    [
      'the endpoint of the cluster, still with the old writer',
      { [cluster]: says('i1', 'i1 i2* i3'), [at('i2')]: says('i2', 'i1 i2* i3') },
      cluster,
      ['i2'],
      ['i1'],
      ['i1', 'i2', 'i3'],
    ],
    [
      'the old writer is still the writer to a reader',
      {
        [at('i1')]: says('i1', 'i1 i2*'),
        [at('i2')]: says('i2', 'i1 i2*'),
        [at('i3')]: says('i3', all),
      },
      at('i1'),
      ['i2'],
      ['i1'],
      ['i1', 'i2'],
    ],
    [
      'the old writer is the writer to itself, and takes no writes any more',
      { [at('i1')]: says('i1', all, true), [at('i2')]: says('i2', 'i1 i2* i3') },
      at('i1'),
      ['i2'],
      ['i1'],
      ['i1', 'i2', 'i3'],
    ],
    [
      'it takes writes, and is not the writer to itself yet',
      { [at('i1')]: says('i1', 'i1 i2*', false) },
      null,
      [],
      [],
      ['i1', 'i2'],
    ],
    [
      'two that say both',
      { [at('i1')]: says('i1', all), [at('i2')]: says('i2', 'i1 i2* i3') },
      at('i1'),
      ['i1', 'i2'],
      [],
      ['i1', 'i2', 'i3'],
    ],
    [
      'two that say both, and do not know each other: both are members',
      { [at('i1')]: says('i1', 'i1* i3'), [at('i2')]: says('i2', 'i2* i3') },
      at('i1'),
      ['i1', 'i2'],
      [],
      ['i1', 'i2', 'i3'],
    ],
    [
      'the writer of the table takes no writes, and was the primary until now',
      { [at('i1')]: says('i1', all, true), [at('i2')]: says('i2', all) },
      at('i1'),
      [],
      ['i1', 'i2'],
      ['i1', 'i2', 'i3'],
    ],
    [
      'the view of the writer before a fresher one of a reader',
      { [at('i1')]: says('i1', 'i1*@3 i2@3'), [at('i2')]: says('i2', 'i1*@3 i2 i9') },
      null,
      ['i1'],
      ['i2'],
      ['i1', 'i2'],
    ],
    [
      'a writer that has not been asked',
      { [readers]: says('i2', all) },
      null,
      [],
      ['i2'],
      ['i1', 'i2', 'i3'],
    ],
    [
      'a writer that does not answer, but was it until now',
      { [at('i1')]: null, [at('i2')]: says('i2', all) },
      at('i1'),
      ['i1'],
      ['i2'],
      ['i1', 'i2', 'i3'],
    ],
    [
      'an instance that is gone',
      { [at('i1')]: says('i1', 'i1* i2 i3@302'), [at('i3')]: null },
      null,
      ['i1'],
      [],
      ['i1', 'i2'],
    ],
    [
      'an instance that is gone, from a view whose times are in another time zone',
      { [at('i1')]: says('i1', 'i1*@7200 i2@7201 i3@7600') },
      null,
      ['i1'],
      [],
      ['i1', 'i2'],
    ],
    [
      'without the writer, the freshest view is that of all',
      { [at('i2')]: says('i2', 'i1*@9 i2@9 i3@9'), [at('i3')]: says('i3', 'i1*@9 i3@1 i4@2') },
      null,
      [],
      ['i3'],
      ['i1', 'i3', 'i4'],
    ],
    [
      'of two rows of a writer, the fresher',
      { [at('i2')]: says('i2', 'i1*@900 i2 i3*@400') },
      null,
      [],
      ['i2'],
      ['i2', 'i3'],
    ],
    [
      'nobody answers: no host is given up',
      { [at('i1')]: null, [at('i2')]: null },
      at('i1'),
      [],
      [],
      ['i1', 'i2'],
    ],
  ])('%s', (_, answers, primary, writable, readable, members) => {
    expect(found(answers, primary)).toMatchObject({
      writable: writable.map(at),
      readable: readable.map(at),
      members: members.map(at),
    });
  });

  it('tells the lag of readers, as the writer sees it', () => {
    const { lags } = found({
      [at('i2')]: says('i2', 'i1* i2+1 i3+2'),
      [at('i1')]: says('i1', all),
    });
    expect(lags).toEqual(
      new Map([
        [at('i2'), 9],
        [at('i3'), 12],
      ]),
    );
  });

  it('knows no lag where the table has none', () => {
    const rows = [{ ...row('i1*', 'i1', false) }, { ...row('i2', 'i1', false), replica_lag: null }];
    expect(found({ [at('i1')]: topology.read(rows) }).lags).toEqual(new Map());
  });

  it('writes only where an instance says itself that it takes them, or did until now', () => {
    const ids = ['i1', 'i2', 'i3'];
    const answer = fc.option(
      fc.record({
        own: fc.constantFrom(...ids),
        writer: fc.constantFrom(...ids),
        isReadOnly: fc.boolean(),
      }),
    );
    const round = fc.array(answer, { maxLength: 4 });
    fc.assert(
      fc.property(round, fc.option(fc.constantFrom(...ids.map(at))), (answers, primary) => {
        const entries = answers.map((said, index): [string, ClusterView | null] => {
          const rows = ids.map((id) => (id === said?.writer ? `${id}*` : id)).join(' ');
          return [`x${index}:1`, said === null ? null : says(said.own, rows, said.isReadOnly)];
        });
        const { writable } = topology.resolve(new Map(entries), primary);
        const claim = (address: string) =>
          answers.some(
            (said) =>
              said?.own === said?.writer && said?.isReadOnly === false && at(said.own) === address,
          );
        expect(writable.filter((address) => !claim(address) && address !== primary)).toEqual([]);
        expect(topology.resolve(new Map([...entries].reverse()), primary).writable).toEqual(
          writable,
        );
      }),
    );
  });
});

describe('an answer', () => {
  it('is read with numbers as text', () => {
    const text = { server_id: 'i1', is_writer: '1', replica_lag: '7.5', age: '1000', own_id: 'i1' };
    expect(topology.read([{ ...text, innodb_read_only: '0' }])).toEqual({
      server: 'i1',
      isReadOnly: false,
      instances: [{ id: 'i1', isWriter: true, lag: 7.5, age: 1 }],
    });
  });

  it('is none without rows, and where they are those of something else', () => {
    expect(topology.read([])).toBeNull();
    expect(topology.read([{ a: 1 }])).toBeNull();
  });
});

describe('the pattern', () => {
  it.each<[reason: string, addresses: string[], pattern: string]>([
    ['of an instance', [at('i1')], `?.${domain}`],
    ['of a cluster', [cluster], `?.${domain}`],
    ['of its readers', [readers], `?.${domain}`],
    ['of some of its readers', [`most.cluster-custom-${domain}`], `?.${domain}`],
    ['of all of them', ['localhost:3306', cluster, readers, at('i1')], `?.${domain}`],
    [
      'in China',
      ['shop.cluster-abc123.rds.cn-north-1.amazonaws.com.cn:3306'],
      '?.abc123.rds.cn-north-1.amazonaws.com.cn:3306',
    ],
    [
      'in a closed region, on another port',
      ['shop.cluster-abc123.rds.us-iso-east-1.c2s.ic.gov:3307'],
      '?.abc123.rds.us-iso-east-1.c2s.ic.gov:3307',
    ],
  ])('is derived from the endpoint %s', (_, addresses, pattern) => {
    expect(deriveAuroraPattern(addresses)).toEqual({ kind: 'pattern', pattern });
  });

  it.each<[reason: string, addresses: string[], problem: string]>([
    ['a name of one’s own', ['db.example.com:3306'], 'found db.example.com:3306'],
    ['an address', ['10.0.0.1:3306'], 'found 10.0.0.1:3306'],
    ['no host', [], 'found no host'],
    ['a proxy', [`shop.proxy-${domain}`], 'an RDS Proxy, which hides the instance that answers'],
    [
      'a global database',
      ['shop.global-abc123.global.rds.amazonaws.com:3306'],
      'a global database, whose instances are in several regions',
    ],
    ['a shard group', [`shop.shardgrp-${domain}`], 'a shard group'],
    [
      'two clusters',
      [at('i1'), at('i2').replace('abc123', 'def456')],
      `found ?.${domain} and ?.${domain.replace('abc123', 'def456')}`,
    ],
  ])('is not derived from %s', (_, addresses, problem) => {
    expect(deriveAuroraPattern(addresses)).toEqual({
      kind: 'problem',
      problem: expect.stringContaining(problem),
    });
  });
});
