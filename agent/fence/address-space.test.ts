import { expect, test } from 'vitest';
import { isCloser, spaceOfAddress } from './address-space.ts';

test.each([
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
  ['10.1.1.1', 'private'],
  ['172.16.3.4', 'private'],
  ['172.32.0.1', 'public'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['198.18.0.1', 'private'],
  ['240.0.0.1', 'private'],
  ['fd12::1', 'private'],
  ['fec0::1', 'private'],
  ['127.5.5.5', 'loopback'],
  ['0.0.0.0', 'loopback'],
  ['::', 'loopback'],
  ['::1', 'loopback'],
  ['169.254.169.254', 'forbidden'],
  ['fe80::1', 'forbidden'],
  ['fe80::1%eth0', 'forbidden'],
  ['fd00:ec2::254', 'forbidden'],
  ['100.100.100.200', 'forbidden'],
  ['168.63.129.16', 'forbidden'],
  ['224.0.0.1', 'forbidden'],
  ['ff02::1', 'forbidden'],
  ['255.255.255.255', 'forbidden'],
  ['not an address', 'forbidden'],
])('%s is %s', (address, space) => {
  expect(spaceOfAddress(address)).toBe(space);
});

test.each([
  ['::ffff:169.254.169.254', 'forbidden'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:0:169.254.169.254', 'forbidden'],
  ['::169.254.169.254', 'forbidden'],
  ['::127.0.0.1', 'loopback'],
  ['2002:a9fe:a9fe::1', 'forbidden'],
  ['2002:a00:1::1', 'private'],
  ['2002:808:808::1', 'public'],
  ['64:ff9b::a9fe:a9fe', 'forbidden'],
  ['64:ff9b::808:808', 'public'],
  ['64:ff9b:1::a00:1', 'private'],
  // The client's address is written with every bit turned.
  ['2001:0:808:808:0:0:5601:5601', 'forbidden'],
  ['2001:0:808:808:0:0:f7f7:f7f7', 'public'],
  ['2001:4860::5efe:a00:1', 'private'],
])('%s is %s, for the IPv4 address inside', (address, space) => {
  expect(spaceOfAddress(address)).toBe(space);
});

test('spaces are ordered from public to forbidden', () => {
  expect(isCloser('private', 'public')).toBe(true);
  expect(isCloser('loopback', 'private')).toBe(true);
  expect(isCloser('private', 'private')).toBe(false);
  expect(isCloser('public', 'loopback')).toBe(false);
});
