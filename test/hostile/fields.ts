/** The name in a field line. */
export const nameOf = (field: string) => field.slice(0, field.indexOf(':'));

/** What the service gets of ours with every request, whatever the client sent under these names. */
export const own = {
  connection: ['keep-alive'],
  'x-forwarded-for': ['127.0.0.1'],
  'x-forwarded-proto': ['http'],
  'x-forwarded-host': ['api.test'],
  'x-request-id': /^[0-9a-f-]{36}$/,
  via: /^1\.1 holdfast-[0-9a-f]{8}$/,
} as const;

/** The same with the identity of the caller that `{{proof}}` stands for. */
export const verified = { ...own, 'x-auth-subject': ['alice'], 'x-auth-proof': ['dpop'] } as const;
