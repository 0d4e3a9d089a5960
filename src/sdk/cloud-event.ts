/** A CloudEvent 1.0 as a handler gets it; extension attributes stand beside the others. */
export interface CloudEvent<Data = unknown, Type extends string = string> {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: Type;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  /** What `emit`'s `{ key }` sets. */
  readonly partitionkey?: string;
  readonly data: Data;
  readonly [extension: string]: unknown;
}
