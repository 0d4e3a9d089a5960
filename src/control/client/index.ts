export { MillraceError } from "../../core/errors.ts";
export type {
  AcceptedEvent,
  DeadLetter,
  DeadSelectionShape as DeadSelection,
  EventShape as Event,
  EventTest,
  EventTestBody,
  FollowedLine,
  FunctionTest,
  FunctionView,
  InvokeAnswer,
  InvokeBody,
  LogLineShape as LogLine,
  NewEventShape as NewEvent,
  NodeView,
  PatternTest,
  SqlTest,
  PurgeProgress,
  RedriveProgress,
  Reloaded,
  StatsView,
  StoredLogLineShape as StoredLogLine,
} from "../shapes.ts";
export type {
  BegunShape as Begun,
  HeldReleaseShape as HeldRelease,
  JournalEntryShape as JournalEntry,
  MismatchShape as Mismatch,
  RunCheckShape as RunCheck,
  RunDetailsShape as RunDetails,
  RunError,
  RunNoteShape as RunNote,
  RunProgressShape as RunProgress,
  RunShape as Run,
} from "../run-shapes.ts";
export { ControlClient } from "./control-client.ts";
export { type ControlAddress, findNode, NODE_FILE, type NodeFile, TOKEN_FILE } from "./find-node.ts";
