import type { Sidecar } from './sidecar.js';

export const megabyte = 1024 * 1024;

/** @returns by how many bytes the resident memory of the process is larger after the work; garbage that is still there counts */
export async function growthBy(sidecar: Sidecar, work: () => Promise<void>): Promise<number> {
  const resident = () => sidecar.metric('process_resident_memory_bytes');
  const before = await resident();
  await work();
  return (await resident()) - before;
}
