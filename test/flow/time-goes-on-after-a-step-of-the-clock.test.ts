import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCa } from '../support/certificates.js';
import { Checkpoint, type CheckpointOptions, type Refused } from '../support/checkpoint.js';
import { bearerException } from '../support/exceptions.js';
import { until } from '../support/guarded.js';
import { type Shift, shiftableClock, shiftClock } from '../support/shiftable-clock.js';
import { TokenSigner } from '../support/token-signer.js';
import { Wire } from '../support/wire.js';

const minute = 60;
const hour = 3600;
const nowSeconds = () => Math.floor(Date.now() / 1000);
const pass = (seconds: number): Shift => ({ pass: seconds * 1000 });
const expired: Refused = { reason: 'token_expired', error: 'invalid_token' };
const doubt: Refused = { reason: 'dpop_clock_in_doubt', error: 'use_dpop_nonce' };

/** A checkpoint whose clocks are shifted, and the next shift each time. */
async function start(shifts: readonly Shift[], options: CheckpointOptions = {}, startSeconds = 0) {
  const guarded = await Checkpoint.start({
    ...options,
    nodeArgs: shiftableClock(shifts, startSeconds * 1000),
  });
  let taken = 0;
  const shift = async () => {
    await shiftClock(guarded.sidecar, ++taken);
    await readiness(guarded); // which looks at the clock
  };
  /** A call of a client whose clock is that many seconds ahead of the test's. */
  const call = (aheadSeconds: number, nonce: string | undefined = undefined, lifeSeconds = 600) => {
    const iat = nowSeconds() + aheadSeconds;
    const token = guarded.token({ iat, exp: iat + lifeSeconds });
    return { token, proof: guarded.proof({ token, nonce, claims: { iat } }) };
  };
  return { guarded, shift, call };
}

const readiness = async ({ sidecar }: Checkpoint) => (await sidecar.admin('/readyz')).text;

test('I12: set back by an hour: what ends, ends on time, and good clients pass', async (t) => {
  const signer = new TokenSigner();
  const expires = new Date((nowSeconds() + 4 * minute) * 1000).toISOString().replace(/\.\d+Z/, 'Z');
  const { guarded, shift, call } = await start([-hour * 1000, pass(2 * minute), pass(2.5 * minute)], {
    signer,
    config: { exceptions: [bearerException({ clients: ['legacy'], routes: ['/legacy/**'], expires })] },
  });
  t.after(() => guarded.stop());
  const short = guarded.token({ exp: nowSeconds() + minute });
  const legacy = signer.token({ client_id: 'legacy', exp: nowSeconds() + 2 * hour });
  const bare = { target: '/legacy/x', scheme: 'Bearer', proof: null, token: legacy };
  await guarded.fetchNonce();
  await guarded.admits({ token: short });
  await guarded.admits(bare);

  await shift();
  assert.match(await readiness(guarded), /not ready: the wall clock was stepped by -3600 s/);
  await guarded.admits({ token: short });
  await guarded.admits(bare);
  await shift();
  await guarded.refuses({ token: short }, expired);
  await guarded.admits(call(2 * minute));
  await guarded.admits(bare);
  await shift();
  await guarded.refuses(bare, { reason: 'exception_expired', error: 'invalid_token', by: ['Bearer'] });
  await guarded.admits(call(4.5 * minute));
  assert.equal(await guarded.sidecar.metric('holdfast_clock_step_back_total'), 1);
  const events = guarded.sidecar.child.events.filter(({ event }) => event === 'clock_stepped');
  assert.equal(events.length, 1);
  assert.equal(Math.round(Number(events[0]?.seconds)), -hour);
});

test('I12: set back for good: adopted after five minutes, and no proof of before passes again', async (t) => {
  const { guarded, shift, call } = await start([-hour * 1000, pass(5 * minute + 2), pass(55 * minute)]);
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const used = call(0, guarded.nonce, 3 * hour);
  await guarded.admits(used);
  await shift();
  await shift();
  assert.equal(await readiness(guarded), 'ready\n');
  const good = () => call(5 * minute - hour);
  const refusal = await guarded.refuses(good(), doubt);
  const nonce = refusal.one('dpop-nonce');
  await guarded.admits(call(5 * minute - hour, nonce));
  await guarded.refuses(used, { reason: 'token_not_yet_valid', error: 'invalid_token' });
  // Its date comes a second time.
  await shift();
  await guarded.refuses(used, { reason: 'proof_replayed', error: 'invalid_dpop_proof' });
  const last = guarded.sidecar.child.events.filter(({ event }) => event === 'clock_adopted');
  assert.equal(last.length, 1);
});

test('I12: an hour ahead and back: good clients pass again, and no used proof does', async (t) => {
  const { guarded, shift, call } = await start([pass(minute), hour * 1000, -hour * 1000, pass(hour)]);
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  await shift();
  const used = call(minute, guarded.nonce);
  await guarded.admits(used);
  await shift();
  assert.match(await readiness(guarded), /stepped by 3600 s/);
  await guarded.refuses(call(minute, guarded.nonce), expired);
  const later = hour + minute;
  const nonce = (await guarded.refuses(call(later, undefined, 2 * hour), doubt)).one('dpop-nonce');
  const ahead = call(later, nonce, 2 * hour);
  await guarded.admits(ahead);
  await shift();
  assert.equal(await readiness(guarded), 'ready\n');
  await guarded.admits(call(minute));
  await guarded.refuses(used, { reason: 'proof_replayed', error: 'invalid_dpop_proof' });
  await shift();
  // The hour in which that one was dated has come.
  await guarded.refuses(ahead, { reason: 'proof_replayed', error: 'invalid_dpop_proof' });
});

describe('I12: a machine that was suspended for an hour', () => {
  test('I12: what expired stays expired, and nothing that was dated ahead has begun', async (t) => {
    const signer = new TokenSigner();
    const { guarded, shift, call } = await start([pass(minute), hour * 1000, pass(6 * minute)], { signer });
    t.after(() => guarded.stop());
    await guarded.fetchNonce();
    await shift();
    const { token, proof: first } = call(minute);
    await guarded.admits({ token, proof: first });
    const iat = nowSeconds() + hour + minute;
    const madeAhead = guarded.token({ exp: iat + hour });
    const proof = guarded.proof({ token: madeAhead, claims: { iat } });
    const postDated = guarded.token({ nbf: iat, exp: iat + hour });
    await shift();
    await guarded.refuses({ token }, expired);
    await guarded.refuses(
      { token: madeAhead, proof },
      { reason: 'dpop_nonce_invalid', error: 'use_dpop_nonce' },
    );
    await guarded.refuses(
      { token: postDated, proof: guarded.proof({ token: postDated, claims: { iat } }) },
      { reason: 'token_not_yet_valid', error: 'invalid_token' },
    );
    // A good client, whose token is new, is asked for a nonce once.
    const nonce = (await guarded.refuses(call(hour + minute), doubt)).one('dpop-nonce');
    await guarded.admits(call(hour + minute, nonce));
    await shift();
    await guarded.refuses({ token }, expired);
    await guarded.admits(call(hour + 7 * minute));
    assert.equal(await guarded.sidecar.metric('holdfast_clock_step_forward_total'), 1);
  });

  test('I12: an answer that goes on ends at once, not when its timer would have', async (t) => {
    const { guarded, shift, call } = await start([hour * 1000], { upstream: { expiryGrace: '0s' } });
    t.after(() => guarded.stop());
    await guarded.fetchNonce();
    guarded.service.script = () =>
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n';
    const wire = await Wire.open({ port: guarded.sidecar.port });
    wire.send(guarded.bytes(call(0, guarded.nonce)));
    const ended = guarded.sidecar.child.event(
      ({ event, reason }) => event === 'request' && reason === 'token_expired_while_streaming',
    );
    await until(() => wire.unread.includes('event-stream'), 'the answer has begun');
    await shift();
    await ended;
    wire.close();
  });
});

test('I13: a process that starts with a clock behind takes no proof of the time before', async (t) => {
  const { guarded, shift, call } = await start([30_000], {}, -30);
  t.after(() => guarded.stop());
  // Used with an earlier process, when the clock was right.
  const earlier = call(-5);
  await shift();
  const refusal = await guarded.refuses(earlier, {
    reason: 'dpop_proof_predates_start',
    error: 'use_dpop_nonce',
  });
  await guarded.admits(call(0, refusal.one('dpop-nonce')));
});

test('R02: an exception that is dated ahead lets nothing pass, and the start says so', async (t) => {
  const signer = new TokenSigner();
  const created = new Date((nowSeconds() + 10 * minute) * 1000).toISOString().replace(/\.\d+Z/, 'Z');
  const { guarded, shift } = await start([pass(10 * minute)], {
    signer,
    config: { exceptions: [bearerException({ clients: ['legacy'], routes: ['/legacy/**'], created })] },
  });
  t.after(() => guarded.stop());
  const token = signer.token({ client_id: 'legacy', exp: nowSeconds() + hour });
  const call = { target: '/legacy/x', scheme: 'Bearer', proof: null, token };
  await guarded.refuses(call, { reason: 'exception_not_yet_valid', error: 'invalid_token', by: ['Bearer'] });
  const warning = guarded.sidecar.child.events.find(({ event }) => event === 'config_warning');
  assert.match(String(warning?.detail), /lets nothing pass before/);
  await shift();
  await guarded.admits(call);
});

test('I12: a client certificate that has ended stays so when the clock is set back', async (t) => {
  const ca = await makeCa();
  const shown = await ca.issue({
    cn: 'shop',
    usage: 'client',
    notAfter: new Date(Date.now() + 2 * minute * 1000),
  });
  const { guarded, shift } = await start([-hour * 1000, pass(3 * minute)], {
    tls: { ca: ['partners.pem'] },
    files: { 'partners.pem': ca.certPem },
  });
  t.after(() => guarded.stop());
  const token = guarded.token({ exp: nowSeconds() + hour, cnf: { 'x5t#S256': shown.thumbprint } });
  const tls = { cert: shown.certPem, key: shown.keyPem };
  const call = { token, scheme: 'Bearer', proof: null, tls };
  await guarded.admits(call);
  await shift();
  await guarded.admits(call);
  await shift();
  await guarded.refuses(call, {
    reason: 'client_certificate_untrusted',
    error: 'invalid_token',
    by: ['Bearer'],
  });
});
