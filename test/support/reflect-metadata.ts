/**
 * What `@peculiar/x509` needs of a metadata polyfill. Its container (tsyringe) reads constructor types through it;
 * the classes of that library take no constructor parameters, so "nothing recorded" is the true answer. A whole
 * polyfill would be a package more for that one word. Import this before `@peculiar/x509`.
 */
const nothingRecorded = (): undefined => undefined;

Object.assign(Reflect, { getMetadata: nothingRecorded, getOwnMetadata: nothingRecorded });
