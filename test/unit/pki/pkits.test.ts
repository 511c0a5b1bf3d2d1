import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ClientCas } from '#holdfast/pki/client-cas.js';
import { parseRevocationList } from '#holdfast/pki/revocation-list.js';
import { pemOf } from '../../support/encoded-certificates.js';
import { type Pkits, type PkitsVector, readPkits } from '../../support/pkits.js';

/** Where the suite is; .ci/run fetches it. */
const directory = process.env.HOLDFAST_PKITS;
/** All certificates and lists of the suite hold from 2010 to 2030, apart from those that are about time. */
const now = Date.parse('2020-06-01T00:00:00Z');

/**
 * What the document expects with its default settings: any policy, none demanded, mapping and anyPolicy not inhibited. Titles
 * say it, apart from these, of sections 4.4, 4.8 and 4.12.
 */
const withoutWord: Readonly<Record<string, boolean>> = {
  MissingCRLTest1: false,
  AllCertificatesSamePolicyTest1: true,
  AllCertificatesNoPoliciesTest2: true,
  DifferentPoliciesTest3: true,
  DifferentPoliciesTest4: false,
  DifferentPoliciesTest5: false,
  OverlappingPoliciesTest6: true,
  DifferentPoliciesTest7: false,
  DifferentPoliciesTest8: false,
  DifferentPoliciesTest9: false,
  AllCertificatesSamePoliciesTest10: true,
  AllCertificatesAnyPolicyTest11: true,
  DifferentPoliciesTest12: false,
  AllCertificatesSamePoliciesTest13: true,
  AnyPolicyTest14: true,
  UserNoticeQualifierTest15: true,
  UserNoticeQualifierTest16: true,
  UserNoticeQualifierTest17: true,
  UserNoticeQualifierTest18: true,
  UserNoticeQualifierTest19: true,
  CPSPointerQualifierTest20: true,
  inhibitAnyPolicyTest3: true,
};

interface Departure {
  readonly why: string;
  readonly verdict: RegExp;
  readonly titles: readonly string[];
}

/** Paths that are valid by the document and refused here: each for a rule that is narrower on purpose. */
const departures: readonly Departure[] = [
  {
    why: 'policies are not evaluated, so that what constrains, maps or inhibits them refuses',
    verdict: /^(?:POLICY_CONSTRAINTS_NOT_SUPPORTED|UNHANDLED_CRITICAL_EXTENSION)$/,
    titles: [
      'OverlappingPoliciesTest6',
      'AllCertificatesSamePoliciesTest10',
      'AllCertificatesAnyPolicyTest11',
      'AllCertificatesSamePoliciesTest13',
      'AnyPolicyTest14',
      'UserNoticeQualifierTest18',
      ...[1, 2, 4].map((number) => `ValidRequireExplicitPolicyTest${number}`),
      'ValidSelfIssuedrequireExplicitPolicyTest6',
      ...[1, 3, 5, 6, 9, 11, 12, 13, 14].map((number) => `ValidPolicyMappingTest${number}`),
      ...[2, 4].map((number) => `ValidinhibitPolicyMappingTest${number}`),
      'ValidSelfIssuedinhibitPolicyMappingTest7',
      'ValidinhibitAnyPolicyTest2',
      'inhibitAnyPolicyTest3',
      ...[7, 9].map((number) => `ValidSelfIssuedinhibitAnyPolicyTest${number}`),
    ],
  },
  {
    why: 'a list of a part of the certificates, or an indirect one, is refused with the configuration',
    verdict: /^list refused: it is of one distribution point or indirect/,
    titles: [
      ...[3, 4].map((number) => `ValidBasicSelfIssuedNewWithOldTest${number}`),
      'ValidBasicSelfIssuedCRLSigningKeyTest6',
      ...[1, 4, 5, 7].map((number) => `ValiddistributionPointTest${number}`),
      'ValidonlyContainsCACertsCRLTest13',
      ...[18, 19].map((number) => `ValidonlySomeReasonsTest${number}`),
      ...[22, 24, 25].map((number) => `ValidIDPwithindirectCRLTest${number}`),
      ...[28, 29, 30, 33].map((number) => `ValidcRLIssuerTest${number}`),
    ],
  },
  {
    why: 'a delta list is refused with the configuration',
    verdict: /^list refused: it is a delta list/,
    titles: [2, 5, 7, 8].map((number) => `ValiddeltaCRLTest${number}`),
  },
  {
    why: 'a list counts where the key that signed it is the one that signed the certificate',
    verdict: /^UNABLE_TO_GET_CRL$/,
    titles: [
      'ValidSeparateCertificateandCRLKeysTest19',
      'ValidBasicSelfIssuedOldWithNewTest1',
      ...[15, 17].map((number) => `ValidSelfIssuedpathLenConstraintTest${number}`),
      'ValidSelfIssuedDNnameConstraintsTest19',
    ],
  },
  {
    why: 'DSA keys count for nothing',
    verdict: /^list refused: its signature counts for nothing/,
    titles: ['ValidDSASignaturesTest4', 'ValidDSAParameterInheritanceTest5'],
  },
];

/** Revoked by a delta list alone: nobody would know without it, which is why there is no start with one. */
const revokedByDeltaAlone = ['InvaliddeltaCRLTest4'];

// Each test by itself, as a suite that is skipped is not counted as skipped.
const options = { skip: directory === undefined && 'no HOLDFAST_PKITS' };

describe('PKITS: paths of the NIST suite', () => {
  let suite: Pkits;
  let verdicts: ReadonlyMap<string, string>;
  before(() => {
    if (directory === undefined) return;
    suite = readPkits(directory);
    verdicts = judgeAll(suite, verdictOf);
  });

  const titles = (isValid: boolean) =>
    [...suite.vectors.keys()].filter((title) => isExpected(title) === isValid);

  test('the whole suite is there: 224 tests', options, () => {
    assert.deepEqual([titles(true).length, titles(false).length], [103, 121]);
    for (const title of Object.keys(withoutWord)) assert.ok(suite.vectors.has(title), title);
  });

  test('J18, J19, K06: no path that the document calls invalid is trusted', options, () => {
    const trusted = new Set(trustedOf(verdicts));
    assert.deepEqual(
      titles(false).filter((title) => trusted.has(title)),
      [],
    );
  });

  test(
    'J18: nor is it without the lists that are refused, unless nothing else says that it is revoked',
    options,
    () => {
      const trusted = new Set(trustedOf(judgeAll(suite, verdictWithoutRefusedLists)));
      assert.deepEqual(
        titles(false).filter((title) => trusted.has(title)),
        revokedByDeltaAlone,
      );
    },
  );

  test(
    'accepting twins: every valid path is trusted, apart from what a narrower rule refuses',
    options,
    () => {
      const refused = departures.flatMap((departure) => departure.titles);
      assert.deepEqual(
        trustedOf(verdicts).toSorted(),
        titles(true)
          .filter((title) => !refused.includes(title))
          .toSorted(),
      );
    },
  );

  for (const { why, verdict, titles: refused } of departures)
    test(`${refused.length} valid paths are refused: ${why}`, options, () => {
      for (const title of refused) {
        assert.equal(isExpected(title), true, title);
        assert.match(verdicts.get(title) ?? 'absent', verdict, title);
      }
    });
});

function judgeAll(
  { anchor, vectors }: Pkits,
  judgeOne: (vector: PkitsVector, anchor: Buffer) => string,
): Map<string, string> {
  return new Map([...vectors].map(([title, vector]) => [title, judgeOne(vector, anchor)]));
}

function trustedOf(verdicts: ReadonlyMap<string, string>): string[] {
  return [...verdicts].filter(([, verdict]) => verdict === 'trusted').map(([title]) => title);
}

function isExpected(title: string): boolean {
  const expected = /^Valid/.test(title) || (/^Invalid/.test(title) ? false : withoutWord[title]);
  assert.ok(expected !== undefined, `${title}: valid or not?`);
  return expected;
}

/** As with a configuration of these lists, which is refused for one that cannot be used. */
function verdictOf(vector: PkitsVector, anchor: Buffer): string {
  const faults = vector.lists.flatMap((list) => faultOf(list) ?? []);
  return faults[0] === undefined ? judge(vector, anchor) : `list refused: ${faults[0]}`;
}

function verdictWithoutRefusedLists(vector: PkitsVector, anchor: Buffer): string {
  const lists = vector.lists.filter((list) => faultOf(list) === undefined);
  // Without any, revocation would not be checked.
  return lists.length === 0 ? 'no list left' : judge({ ...vector, lists }, anchor);
}

function faultOf(list: Buffer): string | undefined {
  try {
    parseRevocationList(list);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RangeError);
    return error.message;
  }
}

function judge({ leaf, others, lists }: PkitsVector, anchor: Buffer): string {
  const cas = new ClientCas(
    [pemOf(anchor)],
    lists.map((list) => pemOf(list, 'X509 CRL')),
  );
  const judged = cas.judge(leaf, others, now);
  if (!judged.trusted) return judged.cause;
  return judged.notBeforeMs <= now && now < judged.notAfterMs ? 'trusted' : 'not at this time';
}
