import assert from 'node:assert/strict';
import test from 'node:test';
import { Denial } from '#holdfast/denial/denial.js';
import type { RouteOptions } from '#holdfast/policy/route-options.js';
import { RouteTable } from '#holdfast/policy/routes.js';
import { makeFacts } from '../../support/facts.js';
import { makeRoute } from '../../support/routes.js';

/** Shapes of URLs that well-known interfaces use. */
const urls = [
  '/odata/Products(1)/Name',
  "/odata/Orders('a%20b')",
  '/odata/$metadata',
  '/odata/Orders(Id=1,Line=2)',
  '/v1.0/me/drive/root:/a%20b.txt:/content',
  '/v1.0/users/a@example.com/messages',
  '/@scope%2fname',
  '/@scope/name/-/name-1.0.0.tgz',
  '/com/example/lib/1.0/lib-1.0.jar',
  '/com/example/lib/maven-metadata.xml.sha1',
  '/dav/Meine%20Dokumente/%C3%9Cbersicht.docx',
  '/dav/100%25.txt',
  '/api/v4/projects/group%2Fproject/issues',
  '/v1/things:batchGet',
  '/v2/library/nginx/manifests/sha256:0a1b',
  '/search;lang=en/results',
  '/wiki/index.php/Main_Page',
  '/~alice/index.html',
  '/a/b/',
  '/static/app.3f2a.js',
] as const;

type Url = (typeof urls)[number];

const refused = (routes: readonly RouteOptions[]): string[] => {
  const table = new RouteTable(routes);
  return urls.filter((target) => {
    try {
      table.match(makeFacts({ target }));
      return false;
    } catch (error) {
      assert.ok(error instanceof Denial && error.reason === 'path_ambiguous', target);
      return true;
    }
  });
};

const slashes: readonly Url[] = ['/@scope%2fname', '/api/v4/projects/group%2Fproject/issues'];
const open = { proof: 'none', encodedSlashes: 'pass' } as const;

test('N08: with one route, or routes of equal demands, only encoded slashes are refused', () => {
  assert.deepEqual(refused([makeRoute('/**')]), slashes);
  assert.deepEqual(refused([makeRoute('/admin/**'), makeRoute('/**')]), slashes);
  assert.deepEqual(refused([makeRoute('/**', { encodedSlashes: 'pass' })]), []);
});

test('N08: beside a stricter route at the first depth, what is refused is not plain there', () => {
  assert.deepEqual(refused([makeRoute('/admin/**', { proof: 'dpop' }), makeRoute('/**', open)]), [
    '/@scope%2fname',
    '/search;lang=en/results',
  ]);
});

test('N08: a stricter route deeper down costs those only that share what stands before, and parameters', () => {
  const beside = (path: string) => refused([makeRoute(path), makeRoute('/**', open)]);
  assert.deepEqual(beside('/odata/Users/**'), ["/odata/Orders('a%20b')", '/search;lang=en/results']);
  assert.deepEqual(beside('/dav/private/**'), [
    '/dav/Meine%20Dokumente/%C3%9Cbersicht.docx',
    '/dav/100%25.txt',
    '/search;lang=en/results',
  ]);
  assert.deepEqual(beside('/api/v4/projects/import'), ['/search;lang=en/results']);
});

test('N08: what to write instead: the stricter demands on everything that shares the depth', () => {
  const dav = [makeRoute('/dav/private/**'), makeRoute('/dav/**'), makeRoute('/**', open)];
  assert.deepEqual(refused(dav), ['/@scope%2fname', '/search;lang=en/results']);
  const named = [makeRoute('/admin/**'), makeRoute('/@scope%2Fname', open), makeRoute('/**', open)];
  assert.deepEqual(refused(named), ['/@scope%2fname', '/search;lang=en/results']);
});
