const dayMs = 86_400_000;

/** An exception of kind bearer that is in force. @param overrides - what the test is about */
export function bearerException(
  overrides: Readonly<Record<string, unknown>> & {
    readonly clients: readonly string[];
    readonly routes: readonly string[];
  },
): Readonly<Record<string, unknown>> {
  const day = (fromNow: number) => new Date(Date.now() + fromNow * dayMs).toISOString().slice(0, 10);
  return {
    ...{ id: 'legacy-gateway', kind: 'bearer', owner: 'payments@example.com' },
    ...{ reason: 'cannot sign proofs yet', ticket: 'PAY-1182', created: day(-1), expires: day(30) },
    ...overrides,
  };
}
