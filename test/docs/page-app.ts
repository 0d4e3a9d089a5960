import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestApp, testApp } from "../../src/testing/index.ts";
import { createNode, type MillraceNode, resolveSettings } from "../../src/server/index.ts";
import { appOf, fileOf } from "./blocks.ts";
import type { Page } from "./markdown.ts";
import { CHECKOUT } from "./pages.ts";

/** What an app of the pages finds in its node_modules, as if it had been installed. */
const PACKAGES = ["hono", "zod", "valibot", "@valibot/to-json-schema", "@types/node", "undici-types", "typescript"];

export function linkPackages(folder: string): void {
  for (const name of PACKAGES) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(CHECKOUT, "node_modules", name), link);
  }
  symlinkSync(CHECKOUT, join(folder, "node_modules/millrace"));
}

export function writePageFiles(page: Page, app: string, folder: string): void {
  for (const block of page.blocks) {
    const path = fileOf(block);
    if (path === undefined || appOf(block) !== app || block.marks["refused"] !== undefined) continue;
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${block.text}\n`, { flag: "wx" });
  }
}

/** One app of a page: its folder, and what runs it, each started when first asked for. */
export class PageApp {
  readonly folder: string;
  private readonly root: string;
  private test: Promise<TestApp> | undefined;
  private node: Promise<MillraceNode> | undefined;

  /** `name` is a folder of the checkout, or a name that blocks of the page give to their app. */
  constructor(page: Page, name: string) {
    this.root = mkdtempSync(join(tmpdir(), "millrace-docs-"));
    const isFolder = name.includes("/");
    this.folder = isFolder ? join(CHECKOUT, name) : join(this.root, "app");
    if (isFolder) return;
    mkdirSync(this.folder);
    linkPackages(this.folder);
    writePageFiles(page, name, this.folder);
  }

  testApp(): Promise<TestApp> {
    return (this.test ??= testApp(this.folder));
  }

  /** A node as `millrace start` makes one, but on free ports and without waiting for the disk. */
  liveNode(): Promise<MillraceNode> {
    return (this.node ??= this.startNode());
  }

  /** Whichever runs it already; else it is started to see that it loads. */
  async load(): Promise<void> {
    await (this.test ?? this.node ?? this.testApp());
  }

  get data(): string {
    return join(this.root, ".millrace");
  }

  /** Where the commands are given. */
  get cwd(): string {
    return this.root;
  }

  async stop(): Promise<void> {
    await (await this.test)?.stop();
    await (await this.node)?.stop();
    await rm(this.root, { recursive: true, force: true });
  }

  private async startNode(): Promise<MillraceNode> {
    const settings = resolveSettings({ port: "0", controlPort: "0", data: this.data }, {});
    const node = await createNode({ appDirectory: this.folder, settings, durability: "off" });
    await node.start();
    await node.reload();
    return node;
  }
}
