import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({ config: { identity: { strip: ['X-Tenant'] } } });
});
after(() => guarded.stop());

const identity = [
  'x-auth-client',
  'x-auth-issuer',
  'x-auth-key',
  'x-auth-proof',
  'x-auth-scope',
  'x-auth-subject',
  'x-auth-type',
];
/** What a request without any field of its own carries. */
const always = [
  'connection',
  'host',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  ...identity,
].sort();

/** Sends the lines with a proven request. @returns what the service saw, by lower-case name */
async function seen(headers: readonly string[], method = 'GET', body = ''): Promise<Map<string, string[]>> {
  guarded.service.reset();
  const response = await guarded.send({ method, target: '/a', headers, body });
  assert.equal(response.status, 200, response.body);
  assert.equal(guarded.service.requests.length, 1);
  const fields = new Map<string, string[]>();
  for (const [name, value] of guarded.service.last.headers) {
    fields.set(name.toLowerCase(), [...(fields.get(name.toLowerCase()) ?? []), value]);
  }
  return fields;
}

function names(fields: Map<string, unknown>): string[] {
  return [...fields.keys()].sort();
}

async function onlyOurs(lines: readonly string[]): Promise<void> {
  const fields = await seen(lines);
  assert.deepEqual(names(fields), always);
  assert.deepEqual(fields.get('connection'), ['keep-alive']);
  assert.deepEqual(fields.get('host'), ['api.test']);
  assert.deepEqual(fields.get('x-auth-subject'), ['alice']);
  assert.deepEqual(fields.get('x-auth-proof'), ['dpop']);
  assert.deepEqual(fields.get('x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(fields.get('x-forwarded-proto'), ['http']);
  assert.deepEqual(fields.get('x-forwarded-host'), ['api.test']);
}

describe('removed on the way to the service', () => {
  test('nothing but our own fields is added', () => onlyOurs([]));

  const removed: readonly { title: string; lines: readonly string[] }[] = [
    {
      title: 'trap H8: Connection and what it names',
      lines: ['Connection: keep-alive, X-Gone, X-Auth-Subject, Client-Cert', 'X-Gone: 1'],
    },
    {
      title: 'B01: several Connection lines',
      lines: ['Connection: X-Gone', 'connection: x-lost , close', 'X-Gone: 1', 'X-Lost: 2'],
    },
    {
      title: 'B01: a field that is called like a connection option',
      lines: ['Connection: close', 'Close: 1', 'keep-alive: 2'],
    },
    {
      title: 'B01: our own fields cannot be nominated away',
      lines: [
        'Connection: Host, Via, X-Forwarded-For, X-Request-Id, X-Auth-Client, Authorization, Content-Length',
      ],
    },
    {
      title: 'B02: hop-by-hop fields, trap H3: Trailer without a chunked body',
      lines: [
        'Keep-Alive: timeout=5',
        'Proxy-Connection: keep-alive',
        'TE: trailers',
        'Trailer: X-A',
        'Upgrade: h2c',
        'Proxy-Authorization: Basic YTpi',
        'Proxy-Authenticate: Basic',
        'HTTP2-Settings: AAMAAABk',
      ],
    },
    {
      title: 'B08, trap H13: forwarding fields of an untrusted peer',
      lines: [
        'Forwarded: for=6.6.6.6',
        'X-Forwarded-For: 6.6.6.6',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: evil.test',
        'X-Forwarded-Port: 1',
        'X-Forwarded-Uri: /admin',
        'X-Forwarded-Prefix: /x',
        'X-Forwarded-Method: DELETE',
        'X-Forwarded-Client-Cert: Hash=a',
        'X-Forwarded-User: root',
        'X-Forwarded-Something-New: 1',
        'X-Real-IP: 6.6.6.6',
        'X-Original-URL: /admin',
        'X-Original-Host: evil.test',
        'X-Rewrite-URL: /admin',
        'True-Client-IP: 6.6.6.6',
        'X-Azure-ClientIP: 6.6.6.6',
        'CF-Connecting-IPv6: ::6',
        'Fly-Client-IP: 6.6.6.6',
        'CF-Connecting-IP: 6.6.6.6',
        'X-Client-IP: 6.6.6.6',
        'X-Cluster-Client-IP: 6.6.6.6',
        'X-Request-ID: mine',
        'X-Host: evil.test',
      ],
    },
    {
      title: 'A21: fields that override the method',
      lines: ['X-HTTP-Method: DELETE', 'X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE'],
    },
    { title: 'A14: odd names that impersonate nothing', lines: ['X_Foo: a', 'X.Bar: b', 'X~Z: c'] },
    {
      title: 'client certificates that the sidecar did not see',
      lines: [
        'Client-Cert: :AAAA:',
        'Client-Cert-Chain: :AAAA:',
        'X-SSL-Client-Verify: SUCCESS',
        'SSL-Client-Cert: a',
        'X-Amzn-Mtls-Clientcert: a',
        'X-ARR-ClientCert: a',
      ],
    },
    {
      title: 'identity, ours and that of common front ends',
      lines: [
        'X-Auth-Subject: root',
        'x-auth-subject: root',
        'X-AUTH-SCOPE: admin',
        'X-Auth-Proof: mtls',
        'Remote-User: root',
        'X-Remote-User: root',
        'X-WebAuth-User: root',
        'X-Tenant: other',
      ],
    },
  ];
  for (const { title, lines } of removed) test(title, () => onlyOurs(lines));
});

describe('kept', () => {
  test('twin: end-to-end fields, in order and with repetitions', async () => {
    const fields = await seen([
      'Cookie: a=b',
      'X-A: 1',
      'Accept: */*',
      'x-a: 2',
      'X-Foo-Bar: \xe4',
      'X-Empty:',
      'Range: bytes=0-1',
      'Sec-Fetch-Mode: cors',
    ]);
    assert.deepEqual(
      names(fields),
      [...always, 'accept', 'cookie', 'range', 'sec-fetch-mode', 'x-a', 'x-empty', 'x-foo-bar'].sort(),
    );
    assert.deepEqual(fields.get('x-a'), ['1', '2']);
    assert.deepEqual(fields.get('x-foo-bar'), ['\xe4']);
    assert.deepEqual(fields.get('x-empty'), ['']);
  });

  test('trap H12: fields that Node would join or drop are passed on as they came', async () => {
    const fields = await seen([
      'User-Agent: a',
      'User-Agent: b',
      'Cookie: a=1',
      'Cookie: b=2',
      'If-Match: "x"',
      'If-Match: "y"',
      '__proto__-x: a',
      'constructor: c',
      'toString: d',
    ]);
    assert.deepEqual(fields.get('user-agent'), ['a', 'b']);
    assert.deepEqual(fields.get('cookie'), ['a=1', 'b=2']);
    assert.deepEqual(fields.get('if-match'), ['"x"', '"y"']);
    assert.deepEqual(fields.get('constructor'), ['c']);
  });

  test('B04: Via is added behind what came', async () => {
    const bare = await seen([]);
    assert.match(bare.get('via')?.join() ?? '', /^1\.1 holdfast-[0-9a-f]{8}$/);
    const chained = await seen(['Via: 1.0 fred', 'Via: 1.1 wilma']);
    assert.deepEqual(chained.get('via'), [`1.0 fred, 1.1 wilma, ${bare.get('via')?.join()}`]);
  });

  test('trap H1: Expect does not keep a forged identity alive, and is not forwarded', async () => {
    guarded.service.reset();
    const wire = await guarded.open();
    wire.send(
      guarded.proven({
        method: 'POST',
        target: '/a',
        headers: ['Expect: 100-continue', 'Content-Length: 2', 'X-Auth-Subject: root'],
      }),
    );
    assert.equal((await wire.response()).status, 100);
    wire.send('hi');
    assert.equal((await wire.response()).status, 200);
    wire.close();
    assert.deepEqual(guarded.service.last.all('x-auth-subject'), ['alice']);
    assert.deepEqual(guarded.service.last.all('expect'), []);
    assert.equal(guarded.service.last.rawBody, 'hi');
  });
});

describe('B04: a loop is broken', () => {
  test('our own name in Via: 508', async () => {
    const via = (await seen([])).get('via')?.join();
    for (const line of [`Via: ${via}`, `Via: 1.0 fred, ${via}, 1.1 wilma`, `Via: ${via} (comment)`]) {
      await guarded.refuses({
        bytes: guarded.proven({ headers: [line] }),
        status: 508,
        reason: 'loop_detected',
        closes: false,
      });
    }
  });
  test('twin: the name of another sidecar', async () => {
    const fields = await seen(['Via: 1.1 holdfast-00000000']);
    assert.match(fields.get('via')?.join() ?? '', /^1\.1 holdfast-00000000, /);
  });
});

describe('B05: Max-Forwards', () => {
  test('0 on OPTIONS is answered here, behind the gate', async () => {
    guarded.service.reset();
    const response = await guarded.send({ method: 'OPTIONS', target: '/x', headers: ['Max-Forwards: 0'] });
    assert.equal(response.status, 204);
    assert.ok(response.one('x-request-id'));
    assert.equal(guarded.service.bytes, 0);
    await guarded.refuses({
      bytes: 'OPTIONS /x HTTP/1.1\r\nHost: api.test\r\nMax-Forwards: 0\r\n\r\n',
      status: 401,
      reason: 'credentials_missing',
      closes: false,
    });
  });
  test('A19: a body that goes on behind that answer is dropped, within bounds, and gets no second one', async () => {
    guarded.service.reset();
    const wire = await guarded.open();
    const parts = {
      method: 'OPTIONS',
      target: '/x',
      headers: ['Max-Forwards: 0', 'Transfer-Encoding: chunked'],
    };
    wire.send(`${guarded.proven(parts)}5\r\nab`);
    const response = await wire.response();
    assert.deepEqual([response.status, response.one('connection')], [204, 'close']);
    wire.send('cde\r\nzz\r\n');
    assert.equal(await wire.closed(), '');
    assert.equal(guarded.service.bytes, 0);
  });
  test('A19: twin: behind one that came whole the connection goes on', async () => {
    const wire = await guarded.open();
    const headers = ['Max-Forwards: 0', 'Content-Length: 5'];
    wire.send(guarded.proven({ method: 'OPTIONS', target: '/x', headers, body: 'GET /' }) + guarded.proven());
    assert.equal((await wire.response()).status, 204);
    assert.equal((await wire.response()).status, 200);
    wire.close();
  });
  test('5 arrives as 4', async () => {
    assert.deepEqual((await seen(['Max-Forwards: 5'], 'OPTIONS')).get('max-forwards'), ['4']);
  });
  test('on GET it means nothing and is dropped', async () => {
    assert.equal((await seen(['Max-Forwards: 0'])).get('max-forwards'), undefined);
  });
});

describe('A12: framing is made anew, whatever the method', () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  for (const method of methods) {
    test(`trap H2: ${method} with a chunked body`, async () => {
      const fields = await seenBody(
        method,
        ['Transfer-Encoding: chunked'],
        '3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n',
      );
      assert.deepEqual(fields.get('transfer-encoding'), ['chunked']);
      assert.equal(fields.get('content-length'), undefined);
      assert.match(
        guarded.service.last.rawBody,
        /^(?:[0-9a-f]+\r\n[a-e]*\r\n)+\r\n$|^(?:[0-9a-f]+\r\n[a-e]+\r\n)+0\r\n\r\n$/,
      );
      assert.equal(guarded.service.last.rawBody.replace(/[0-9a-f]+\r\n([a-e]*)(?:\r\n)+/g, '$1'), 'abcde');
    });
    test(`${method} with a length`, async () => {
      const fields = await seenBody(method, ['content-length: 5'], 'abcde');
      assert.deepEqual(fields.get('content-length'), ['5']);
      assert.equal(fields.get('transfer-encoding'), undefined);
      assert.equal(guarded.service.last.rawBody, 'abcde');
    });
    test(`${method} without a body`, async () => {
      const fields = await seenBody(method, [], '');
      assert.equal(fields.get('transfer-encoding'), undefined);
      assert.ok([undefined, '0'].includes(fields.get('content-length')?.join()));
    });
  }

  test('A16: trailers are neither merged nor forwarded', async () => {
    const body = '2\r\nhi\r\n0\r\nX-Auth-Subject: root\r\nX-Identity: admin\r\n\r\n';
    const fields = await seen(['Transfer-Encoding: chunked', 'Trailer: X-Auth-Subject'], 'POST', body);
    assert.deepEqual(fields.get('x-auth-subject'), ['alice']);
    assert.equal(guarded.service.last.rawBody, '2\r\nhi\r\n0\r\n\r\n');
    assert.deepEqual(names(fields), [...always, 'transfer-encoding'].sort());
  });
});

/** As `seen`, followed by a good request, which the service must read as one of its own. */
async function seenBody(
  method: string,
  headers: readonly string[],
  body: string,
): Promise<Map<string, string[]>> {
  const wire = await guarded.open();
  guarded.service.reset();
  wire.send(guarded.proven({ method, target: '/a', headers, body }) + guarded.proven({ target: '/next' }));
  assert.equal((await wire.response({ head: method === 'HEAD' })).status, 200);
  assert.equal((await wire.response()).status, 200);
  wire.close();
  assert.deepEqual(
    guarded.service.requests.map(({ line }) => line),
    [`${method} /a HTTP/1.1`, 'GET /next HTTP/1.1'],
  );
  guarded.service.requests.pop();
  return new Map(guarded.service.last.headers.map(([name, value]) => [name.toLowerCase(), [value]]));
}
