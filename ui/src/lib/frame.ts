/** Work that must happen at most once per painted frame, whatever the number of ticks. */
const waiting = new Set<() => void>();
let requested = false;

function run(): void {
  requested = false;
  const now = [...waiting];
  waiting.clear();
  for (const task of now) task();
}

/** Runs `task` before the next paint; asking twice runs it once. A hidden page runs nothing until it is shown. */
export function nextFrame(task: () => void): () => void {
  waiting.add(task);
  if (!requested) {
    requested = true;
    requestAnimationFrame(run);
  }
  return () => waiting.delete(task);
}
