/** One line that is written over on a terminal; elsewhere a line for every tenth. */
export class ProgressLine {
  private readonly total: number;
  private readonly what: string;
  private tenth = 0;

  constructor(total: number, what: string) {
    this.total = total;
    this.what = what;
  }

  show(done: number, words = ""): void {
    const text = `${done} of ${this.total} ${this.what}${words === "" ? "" : `, ${words}`}`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001B[K${text}${done === this.total ? "\n" : ""}`);
      return;
    }
    const tenth = Math.floor((done * 10) / this.total);
    if (tenth > this.tenth) process.stderr.write(`${text}\n`);
    this.tenth = Math.max(this.tenth, tenth);
  }
}
