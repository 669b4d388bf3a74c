import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Text } from '../../../packages/core/src/statement/text.ts';

function codesOf(sql: string): number[] {
  return Array.from({ length: sql.length }, (_, at) => sql.charCodeAt(at));
}

describe('the characters of a text', () => {
  const text = new Text();
  const codes = (sql: string): number[] => {
    text.begin(sql);
    expect(text).toMatchObject({ sql, length: sql.length });
    return [...text.codes.subarray(0, sql.length)];
  };

  it('are those of the string, of any kind', () => {
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit })), (sql) => {
        expect(codes(sql)).toEqual(codesOf(sql));
        expect(text.codes[sql.length]).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('end with a 0, whatever text there was before, at every size of the array', () => {
    for (const length of [
      0, 1, 1023, 1024, 65_535, 65_536, 70_000, 300_000, 65_536, 65_535, 5, 0,
    ]) {
      const sql = 'é'.repeat(length);
      expect(codes(sql)).toEqual(codesOf(sql));
      expect(text.codes[length]).toBe(0);
    }
  });

  it('give the memory of a long text back with the next short one', () => {
    text.begin('x'.repeat(1_000_000));
    expect(text.codes.length).toBeGreaterThan(1_000_000);
    text.begin('SELECT 1');
    expect(text.codes.length).toBe(65_536);
  });
});
