/** What no event may show: credentials of any kind. Path and a front's request id are another's text, and may hold anything. */
export function describeSecret(
  fields: Readonly<Record<string, unknown>>,
  secrets: ReadonlySet<string>,
): string | undefined {
  const { path, request_id: _, ...rest } = fields;
  const text = JSON.stringify(rest);
  // The first letters of every JWS: a JSON object in base64url.
  if (text.includes('eyJ') && !String(path).includes('eyJ')) return 'a token or proof';
  if (text.includes('s3cr3t')) return 'a cookie';
  for (const secret of secrets) if (text.includes(secret)) return 'a nonce or signature';
  return undefined;
}
