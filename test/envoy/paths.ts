import { describe, type TestContext, test } from 'node:test';
import { envoy, Fronted } from '../support/fronted.js';

const place = 'stat_prefix: https';

/** Defines the tests of what Envoy does to a path before Holdfast holds it against a proof. */
export function describePaths(command: string): void {
  const start = async (t: TestContext, ...settings: string[]): Promise<Fronted> => {
    const lines = [place, ...settings].join(`\n${' '.repeat(16)}`);
    const fronted = await Fronted.start(envoy(command, { [place]: lines }));
    t.after(() => fronted.stop());
    await fronted.fetchNonce();
    return fronted;
  };

  describe('paths through Envoy', () => {
    test('G12: without normalisation a path arrives as the client wrote it', async (t) => {
      const fronted = await start(t);
      for (const target of ['/a/b%41%2e', '/a//b', '/a;b=c/d?e=%2F..']) await fronted.admits({ target });
      for (const target of ['/a/../b', '/a/%2e/b', '/a%2Fb'])
        await fronted.refuses({ target }, 'path_ambiguous');
    });

    test('G12: with normalisation a proof fits if it names the path that is left', async (t) => {
      const fronted = await start(t, 'normalize_path: true', 'merge_slashes: true');
      const { guarded } = fronted;
      // Dot segments are removed from the claim, too (RFC 9449 §4.3).
      for (const target of ['/a/b%41%2e', '/a/../b', '/a/%2e/b']) await fronted.admits({ target });
      const target = '/a//b';
      await fronted.refuses({ target }, 'dpop_htu_mismatch');
      const token = guarded.token();
      await fronted.admits({ target, token, proof: guarded.proof({ token, target: '/a/b' }) });
    });

    test('G12: a slash that Envoy decodes is not the one of the proof', async (t) => {
      const fronted = await start(t, 'path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD');
      await fronted.refuses({ target: '/a%2Fb' }, 'dpop_htu_mismatch');
      await fronted.admits({ target: '/a/b' });
    });
  });
}
