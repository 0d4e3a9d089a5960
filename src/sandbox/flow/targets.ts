import { MillraceError } from "../../core/errors.ts";
import { factsOf } from "../../sdk/definition.ts";

/** Where the app's functions are exported: name → entry, export, kind. */
export type TargetPlaces = Readonly<Record<string, readonly [entry: string, exportName: string, kind: "fn" | "flow"]>>;

/**
 * A definition does not know the name under which it is deployed: that is the export's. So the exports are looked through, those of files
 * that are loaded already at no cost.
 */
export class Targets {
  private readonly places: TargetPlaces;
  private readonly importEntry: (entry: string) => Promise<Record<string, unknown>>;
  private readonly names = new Map<object, string>();

  constructor(places: TargetPlaces, importEntry: (entry: string) => Promise<Record<string, unknown>>) {
    this.places = places;
    this.importEntry = importEntry;
  }

  /** A promise only the first time. */
  nameOf(where: string, target: unknown, kinds: readonly ("fn" | "flow")[]): string | Promise<string> {
    if (typeof target === "string") return this.checked(where, target, kinds);
    const kind = factsOf(target)?.kind;
    if ((kind !== "fn" && kind !== "flow") || typeof target !== "object" || target === null)
      throw new MillraceError(
        "bad_option",
        `${where} wants ${kinds.join(" or ")}: what ${kinds.map((each) => `${each}()`).join(" or ")} returned, or its name`,
      );
    const known = this.names.get(target);
    return known === undefined ? this.search(where, target, kinds) : this.checked(where, known, kinds);
  }

  private async search(where: string, target: object, kinds: readonly ("fn" | "flow")[]): Promise<string> {
    for (const [name, [entry, exportName]] of Object.entries(this.places)) {
      const exported = (await this.importEntry(entry))[exportName];
      if (exported !== target) continue;
      this.names.set(target, name);
      return this.checked(where, name, kinds);
    }
    throw new MillraceError("bad_option", `${where}: what it is given is no function of this app: export it from a file in functions/`);
  }

  private checked(where: string, name: string, kinds: readonly ("fn" | "flow")[]): string {
    const place = this.places[name];
    if (place === undefined) throw new MillraceError("not_found", `${where}: there is no function "${name}"`);
    if (kinds.includes(place[2])) return name;
    throw new MillraceError(
      "bad_option",
      `${where}: "${name}" is a function, not a flow: emit the event that wakes it, or let a flow call it`,
    );
  }
}
