/** Beside each compiled file of a release: what V8 made of it. */
export function codeCacheFile(file: string): string {
  return `${file}.v8`;
}
