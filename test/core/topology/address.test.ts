import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../packages/core/src/topology/address.ts';

describe('an address has one spelling', () => {
  it.each<[host: string, address: string]>([
    ['db1.example.com', 'db1.example.com:3306'],
    ['DB1.Example.COM', 'db1.example.com:3306'],
    ['db1.example.com.', 'db1.example.com:3306'],
    ['127.0.0.1', '127.0.0.1:3306'],
    ['localhost', 'localhost:3306'],
    ['::1', '[::1]:3306'],
    ['[::1]', '[::1]:3306'],
    ['0:0:0:0:0:0:0:1', '[::1]:3306'],
    ['2001:DB8:0:0::A', '[2001:db8::a]:3306'],
    ['fe80::1%eth0', '[fe80::1%eth0]:3306'],
  ])('%s', (host, address) => {
    expect(addressOf(host, 3306)).toBe(address);
  });
});
