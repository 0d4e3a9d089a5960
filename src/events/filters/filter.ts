/** A filter of the CloudEvents Subscriptions API as TypeScript sees it: one dialect an object. What types cannot say is checked when it is compiled. */
export type Filter =
  | { readonly exact: AttributeTexts }
  | { readonly prefix: AttributeTexts }
  | { readonly suffix: AttributeTexts }
  | { readonly all: readonly Filter[] }
  | { readonly any: readonly Filter[] }
  | { readonly not: Filter }
  | { readonly sql: string };

/** What attributes are compared with, by their names. */
export type AttributeTexts = Readonly<Record<string, string>>;
