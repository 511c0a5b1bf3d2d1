import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { NonceIssuer } from '#holdfast/proof/nonce.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ShiftedReadings } from '../../support/shifted-readings.js';

const origin = 'https://orders.example.com';
const lifetimeMs = 300_000;

function replicas() {
  const clock = new ManualClock();
  const secret = randomBytes(32);
  const open = () => new NonceIssuer({ secret, lifetimeMs, clock });
  return { clock, secret, a: open(), b: open() };
}

test('H03: a nonce is accepted by its issuer and by every replica with the same secret', () => {
  const { clock, a, b } = replicas();
  const expected = { issuedAtMs: clock.nowMs(), expiresSoon: false, isOfThisProcess: false };
  const nonce = a.issue(origin);
  assert.deepEqual(a.verify(nonce, origin), expected);
  assert.deepEqual(b.verify(nonce, origin), expected);
});

test('H03: a nonce of another secret is refused, and without a secret each process has its own', () => {
  const { clock, a } = replicas();
  const [one, other] = [new NonceIssuer({ lifetimeMs, clock }), new NonceIssuer({ lifetimeMs, clock })];
  assert.equal(a.verify(one.issue(origin), origin), undefined);
  assert.equal(other.verify(one.issue(origin), origin), undefined);
  assert.notEqual(one.verify(one.issue(origin), origin), undefined);
});

test('H03: a nonce lives to the last millisecond of its lifetime, remembered or not', () => {
  const { clock, a, b } = replicas();
  const nonce = a.issue(origin);
  assert.notEqual(a.verify(nonce, origin), undefined);
  clock.advance(lifetimeMs);
  assert.notEqual(a.verify(nonce, origin), undefined);
  assert.notEqual(b.verify(nonce, origin), undefined);
  clock.advance(1);
  assert.equal(a.verify(nonce, origin), undefined);
  assert.equal(b.verify(nonce, origin), undefined);
});

test('H03: a nonce of a replica whose clock runs ahead by up to five seconds is accepted', () => {
  const { clock, a, b } = replicas();
  clock.advance(5000);
  const nonce = a.issue(origin);
  clock.advance(-5000);
  assert.notEqual(b.verify(nonce, origin), undefined);
  clock.advance(-1);
  assert.equal(b.verify(nonce, origin), undefined);
});

test('H03: a nonce with any one bit flipped is refused', () => {
  const { a } = replicas();
  const nonce = a.issue(origin);
  for (let bit = 0; bit < 24 * 8; bit++) {
    const bytes = Buffer.from(nonce, 'base64url');
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(a.verify(bytes.toString('base64url'), origin), undefined, `bit ${bit}`);
  }
  assert.notEqual(a.verify(nonce, origin), undefined);
});

test('H03: no other spelling of a nonce is accepted', () => {
  const { a } = replicas();
  // Sixteen nonces, so that among them are some with the characters that differ between the two alphabets.
  const nonces = Array.from({ length: 16 }, (_, i) => a.issue(`${origin}:${i}`));
  for (const [i, nonce] of nonces.entries()) {
    const standard = Buffer.from(nonce, 'base64url').toString('base64');
    const others = [
      `${nonce}=`,
      `${nonce}A`,
      ` ${nonce}`,
      `${nonce}\n`,
      nonce.slice(0, -1),
      nonce.slice(0, 16),
      '',
    ];
    if (standard !== nonce) others.push(standard);
    for (const other of others)
      assert.equal(a.verify(other, `${origin}:${i}`), undefined, JSON.stringify(other));
    assert.notEqual(a.verify(nonce, `${origin}:${i}`), undefined);
  }
});

test('H03: arbitrary text is no nonce', () => {
  const { a } = replicas();
  const text = fc.oneof(fc.string(), fc.base64String({ minLength: 32, maxLength: 32 }));
  fc.assert(fc.property(text, (nonce) => a.verify(nonce, origin) === undefined));
});

test('H04: a nonce of another origin is refused, also once its own origin has accepted it', () => {
  const { a } = replicas();
  for (const other of ['https://billing.example.com', 'http://orders.example.com', `${origin}:8443`, '']) {
    const nonce = a.issue(origin);
    assert.equal(a.verify(nonce, other), undefined);
    assert.notEqual(a.verify(nonce, origin), undefined);
    assert.equal(a.verify(nonce, other), undefined);
    assert.notEqual(a.issue(other), nonce);
  }
});

test('H06: a nonce has the syntax of RFC 9449 §8.1 and fits in a header', () => {
  const { clock, a } = replicas();
  for (let i = 0; i < 200; i++) {
    assert.match(a.issue(origin), /^[\x21\x23-\x5b\x5d-\x7e]{32}$/);
    clock.advance(1000);
  }
});

test('H07: a nonce in the last third of its life says so', () => {
  const { clock, a } = replicas();
  const nonce = a.issue(origin);
  clock.advance((lifetimeMs * 2) / 3 - 1);
  assert.equal(a.verify(nonce, origin)?.expiresSoon, false);
  clock.advance(1);
  assert.equal(a.verify(nonce, origin)?.expiresSoon, true);
});

test('H08: a nonce is accepted any number of times', () => {
  const { a } = replicas();
  const nonce = a.issue(origin);
  for (let i = 0; i < 10; i++) assert.notEqual(a.verify(nonce, origin), undefined);
});

test('H08: a second of requests gets one nonce, the next second another', () => {
  const { clock, a } = replicas();
  const nonce = a.issue(origin);
  clock.advance(999);
  assert.equal(a.issue(origin), nonce);
  clock.advance(1);
  assert.notEqual(a.issue(origin), nonce);
});

test('I11: the evidence tells to the millisecond when the nonce was issued', () => {
  const { clock, a, b } = replicas();
  clock.advance(1234);
  const issuedAtMs = clock.nowMs();
  const nonce = a.issue(origin);
  clock.advance(4321);
  assert.equal(b.verify(nonce, origin)?.issuedAtMs, issuedAtMs);
});

test('H03: more nonces than are remembered are accepted all the same', () => {
  const clock = new ManualClock();
  const secret = randomBytes(32);
  const [issuer, verifier] = [1, 2].map(() => new NonceIssuer({ secret, lifetimeMs, clock }));
  assert.ok(issuer !== undefined && verifier !== undefined);
  const origins = Array.from({ length: 9000 }, (_, i) => `https://${i}.example.com`);
  const nonces = origins.map((each) => issuer.issue(each));
  for (let round = 0; round < 2; round++) {
    for (const [i, nonce] of nonces.entries()) {
      assert.notEqual(verifier.verify(nonce, origins[i] ?? ''), undefined);
    }
  }
});

test('H03: a secret of less than 32 bytes is refused', () => {
  const clock = new ManualClock();
  assert.throws(() => new NonceIssuer({ secret: randomBytes(31), lifetimeMs, clock }), RangeError);
  assert.ok(new NonceIssuer({ secret: randomBytes(32), lifetimeMs, clock }));
});

test('I12: a nonce that had expired is not young again when its time comes a second time', () => {
  const time = new ShiftedReadings();
  const secret = randomBytes(32);
  const issuer = new NonceIssuer({ secret, lifetimeMs, clock: time.clock });
  time.step(3_600_000);
  const ahead = issuer.issue(origin);
  assert.notEqual(issuer.verify(ahead, origin), undefined);
  time.step(-3_600_000);
  time.pass(1000);
  assert.equal(issuer.verify(ahead, origin), undefined);
  const own = issuer.issue(origin);
  assert.notEqual(issuer.verify(own, origin), undefined, 'one that was issued since');
  const replica = new NonceIssuer({ secret, lifetimeMs, clock: new ManualClock(time.clock.nowMs()) });
  assert.notEqual(replica.verify(own, origin), undefined, 'a replica takes it');
  time.pass(3_600_000);
  assert.equal(issuer.verify(ahead, origin), undefined, 'its time has come a second time');
  assert.notEqual(issuer.verify(issuer.issue(origin), origin), undefined);
});
