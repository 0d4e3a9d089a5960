import { type Frame, FRAME, FrameReader, FrameWriter, ProtocolError } from "../protocol/index.ts";
import type { InstanceProcess } from "./spawn.ts";

/** The frames to and from one process. */
export class InstanceConnection {
  readonly writer: FrameWriter;
  private readonly process: InstanceProcess;
  private readonly reader: FrameReader;
  private readonly onViolation: (message: string) => void;
  private spoken = false;
  /** What was sent before it was ready. */
  private readonly early: Buffer[] = [];

  constructor(process: InstanceProcess, onFrame: (frame: Frame) => void, onViolation: (message: string) => void) {
    this.process = process;
    this.onViolation = onViolation;
    this.writer = new FrameWriter((bytes) => this.write(bytes));
    this.reader = new FrameReader(onFrame);
  }

  /** F4: nothing leaves before it has said which versions it speaks; then the one that was picked does, and what waited. */
  speak(protocol: number): void {
    this.writer.flush();
    this.spoken = true;
    this.writer.send(FRAME.speak, 0, { protocol }, null);
    this.writer.flush();
    for (const bytes of this.early.splice(0)) this.process.write(bytes);
  }

  receive(bytes: Buffer): void {
    try {
      this.reader.push(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.onViolation(error.message);
    }
  }

  private write(bytes: Buffer): void {
    if (this.spoken) this.process.write(bytes);
    else this.early.push(bytes);
  }
}
