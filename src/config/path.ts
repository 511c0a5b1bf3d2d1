/** Steps from the top of the document to a value. */
export type Path = readonly (string | number)[];

/** @returns such as `routes[0].claims.tenant` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}
