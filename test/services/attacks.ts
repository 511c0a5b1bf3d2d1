import { pathMatrix } from '../hostile/corpus/path-matrix.js';
import { pathCases } from '../hostile/corpus/paths.js';

/**
 * Everything is open but what stands in front of it: the policy under which it pays most to be read differently. `/` is
 * there for what the harness needs.
 */
export const routes = [
  { path: '/' },
  { path: '/admin/**' },
  { path: '/bank/**' },
  { path: '/keys/**' },
  { path: '/caf%C3%A9/**' },
  { path: '/transfers' },
  { path: '/reports/export' },
  { path: '/export.php' },
  { path: '/**', proof: 'none' },
] as const;

/** Whether a path that means what it says falls to one of the routes that want a proof. @param path - decoded */
export function isProtected(path: string): boolean {
  const whole = ['/', '/transfers', '/reports/export', '/export.php'];
  const below = ['/admin', '/bank', '/keys', '/café'];
  return whole.includes(path) || below.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** What at least one service in use takes for a protected path. All have to be refused. */
export const aliases: readonly string[] = [
  '//x/admin/export',
  '//evil.example/admin/x',
  '///admin/x',
  '/https://x/admin/y',
  '/http:/x/admin/y',
  '/ban%E2%84%AA/x',
  '/adm%C4%B1n/x',
  '/ADM%C4%B0N/x',
  '/key%C5%BF/1',
  '/transfer%C5%BF',
  '/CAF%C3%89/x',
  '/cafe%CC%81/x',
  '/%EF%BD%81dmin/x',
  '/index.php/admin/users',
  '/index.php/bank/1',
  '/INDEX.PHP/admin/users',
  '/x.php/admin/users',
  '/export.php/x',
  '/export.php/',
  '/export.php/x.php',
  '/EXPORT.php',
  '/%65xport.php/x',
  '/reports/export.json',
  '/reports/export.x',
  '/reports/export.',
  '/reports/export/',
  '/Reports/Export',
  '/transfers.json',
  '/admin.json',
  '/bank.json/',
  '/admin%20/x',
  '/%20admin/x',
  '/admin%09/x',
  '/%E3%80%80admin/x',
  '/admin%C2%A0/x',
  '/reports/export%20',
  '/reports/%20export',
  '/reports%20/export',
  '/transfers;/x',
  '/transfers;a=b/x',
  '/admin;x/y',
  '/reports;x/export',
  '/;/admin/x',
  '/admin./x',
  '/admin../x',
  '/admin::$INDEX_ALLOCATION/x',
  '/ADMIN~1/x',
  '/%61dmin/x',
  '/%2561dmin/x',
  '/%25252561dmin/x',
  '/%252e/admin/x',
  '/%20/admin/x',
];

// Every pair of dots, separator and position once, and not all three with each other: a service more costs 500 requests.
const inTurn = pathMatrix.filter((_, index) => index % 3 === Math.floor(index / 3) % 3);

/** The paths of the hostile corpus, with the protected prefix of these services. */
export const spellings: readonly string[] = [
  ...new Set(
    [...inTurn, ...pathCases.filter((one) => !pathMatrix.includes(one))].map(({ target }) =>
      target.replaceAll('protected', 'admin').replaceAll('PROTECTED', 'ADMIN'),
    ),
  ),
];

/** Legal everywhere, and open. */
export const open: readonly string[] = [
  '/files/caf%C3%A9',
  '/files/a%20b.pdf',
  '/files/a;v=1',
  '/v1.2/x',
  '/v1/x:batch',
  '/~user/x',
  '/administrator/x',
  "/Orders('a')/x",
  '/public/admin/x',
];
