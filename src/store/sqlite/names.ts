import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Names from outside may be many: the memory for them is let go of when it has grown to this. */
const MAX_CACHED = 20_000;

/** Functions and event types are stored as small numbers; their names once. */
export class Names {
  private readonly ids = new Map<string, number>();
  private readonly names = new Map<number, string>();
  private readonly byName: StatementSync;
  private readonly byId: StatementSync;
  private readonly insert: StatementSync | null;

  constructor(database: DatabaseSync, writable: boolean) {
    this.byName = database.prepare("SELECT id FROM names WHERE name = ?");
    this.byId = database.prepare("SELECT name FROM names WHERE id = ?");
    this.insert = writable ? database.prepare("INSERT INTO names (name) VALUES (?) RETURNING id") : null;
  }

  /** The number of a name, given now if it has none. */
  intern(name: string): number {
    const known = this.find(name);
    if (known !== null) return known;
    const row = this.insert?.get(name);
    return this.remember(Number(row?.["id"]), name);
  }

  find(name: string): number | null {
    const cached = this.ids.get(name);
    if (cached !== undefined) return cached;
    const row = this.byName.get(name);
    return row === undefined ? null : this.remember(Number(row["id"]), name);
  }

  name(id: number): string {
    const cached = this.names.get(id);
    if (cached !== undefined) return cached;
    const name = String(this.byId.get(id)?.["name"] ?? "");
    this.remember(id, name);
    return name;
  }

  private remember(id: number, name: string): number {
    if (this.ids.size >= MAX_CACHED) {
      this.ids.clear();
      this.names.clear();
    }
    this.ids.set(name, id);
    this.names.set(id, name);
    return id;
  }
}
