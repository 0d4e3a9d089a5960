/** The pattern language as TypeScript sees it; what the types cannot say is checked when a pattern is compiled. */

export type Leaf = string | number | boolean | null;

type IgnoreCase = { readonly "equals-ignore-case": string };
type OneOrMany<T> = T | readonly T[];

export type Alternative =
  | Leaf
  | { readonly prefix: string | IgnoreCase }
  | { readonly suffix: string | IgnoreCase }
  | IgnoreCase
  | { readonly wildcard: string }
  | { readonly numeric: readonly (string | number)[] }
  | { readonly cidr: string }
  | { readonly exists: boolean }
  | { readonly "anything-but": AnythingBut };

export type AnythingBut =
  | OneOrMany<string>
  | OneOrMany<number>
  | { readonly prefix: OneOrMany<string> }
  | { readonly suffix: OneOrMany<string> }
  | { readonly "equals-ignore-case": OneOrMany<string> }
  | { readonly wildcard: OneOrMany<string> };

/** Fields hold alternatives or more fields; the field `$or` holds patterns. */
export type Pattern = { readonly [field: string]: Pattern | readonly Alternative[] | readonly Pattern[] };
