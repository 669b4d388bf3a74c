import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import { flavors } from '../support/servers/flavor.ts';
import { isMissed, probeHazards, probeReport } from './catalogue.ts';

// Small files of each kind; all of them: pnpm test:corpus --catalogue.
const files = {
  mysql: ['t/odbc.test', 't/schema_read_only_cs.test'],
  mariadb: [
    'main/odbc.test',
    'main/func_rollback.test',
    'suite/compat/oracle/t/sequence.test',
    'suite/vcol/t/vcol_trigger_sp_innodb.test',
  ],
} as const;

describe.concurrent('hazards that no text shows', () => {
  it.each(flavors)(
    'are in the catalogue of %s, or their session is on the primary',
    async (flavor) => {
      const hazards = await probeHazards(flavor, files[flavor]);
      expect(hazards.filter(isMissed), probeReport(flavor, hazards)).toEqual([]);
      const kinds = new Set(hazards.map(({ explanation }) => explanation));
      expect(kinds).toEqual(new Set(expectedKinds[flavor]));
    },
    120_000,
  );

  it.each(flavors)('on %s, sql_auto_is_null pins the session', (flavor) => {
    const { pin } = createClassifier({ dialect: flavor }).classify('SET sql_auto_is_null = 1');
    expect(pin).toBe('session-variable');
  });
});

const expectedKinds = {
  mysql: ['sql_auto_is_null', 'view over a stored function'],
  mariadb: [
    'sql_auto_is_null',
    'view over a stored function',
    'view over a sequence',
    'generated column',
  ],
} as const;
