import type { Command } from "./command.ts";
import type { StepPlan } from "./step-command.ts";

/** What a step gave for the case that it must be undone. */
export interface Undo {
  readonly plan: StepPlan;
  readonly undo: (tx: never, result: never) => unknown;
}

export interface Compensation extends Undo {
  readonly name: string;
  readonly number: number;
  readonly result: string | null;
}

/** What is to be undone when the run fails: the finished steps that said how, last first, one at a time. */
export class Compensations {
  private given: Map<Command, Undo> | null = null;
  private readonly finished: Compensation[] = [];
  private underWay = false;

  /** A rollback has begun and is not done. */
  get undoing(): boolean {
    return this.underWay;
  }

  give(command: Command, undo: Undo): void {
    (this.given ??= new Map()).set(command, undo);
  }

  completed(command: Command, isDone: boolean, result: string | null): void {
    if (command.verb === "rollback" && isDone) this.underWay = false;
    const undo = this.given?.get(command);
    if (undo === undefined) return;
    this.given?.delete(command);
    if (isDone) this.finished.push({ name: command.name, number: command.number, result, ...undo });
  }

  /** Null while one is under way, and when nothing is left. */
  next(): Compensation | null {
    const last = this.underWay ? undefined : this.finished.pop();
    if (last === undefined) return null;
    this.underWay = true;
    return last;
  }
}
