/** A bar of blocks: `███████░░░░░`. */
export function progressBar(done: number, total: number, width: number): string {
  const full = total <= 0 ? width : Math.min(width, Math.floor((done / total) * width));
  return '█'.repeat(full) + '░'.repeat(width - full);
}
