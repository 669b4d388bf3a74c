import { afterEach, describe, expect, it, vi } from 'vitest';
import { findServer } from '../support/servers/find.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each([
  ['mysql', 'RWSPLIT_MYSQLD', /^(8\.[4-9]|9|[1-9]\d)/],
  ['mariadb', 'RWSPLIT_MARIADBD', /^(10\.([6-9]|\d\d)|1[1-9])/],
] as const)('finding %s', (flavor, variable, version) => {
  it('returns a program of that flavour that is new enough', async () => {
    const program = await findServer(flavor);
    expect(program.flavor).toBe(flavor);
    expect(program.version).toMatch(version);
  });

  it('does not go past a path chosen by the user that is none', async () => {
    vi.stubEnv(variable, '/bin/sh');
    await expect(findServer(flavor)).rejects.toThrow(`${variable} must name`);
  });
});
