import { fn, http } from "millrace";

// An app is described without network: only the instances that are to serve come here.
if (process.permission.has("net")) {
  process.stdout.write(`load ${process.cwd()}\n`);
  await new Promise((resolve) => {
    setTimeout(resolve, 5000);
  });
}

export const loads = fn({ on: http.get("/loads") }, () => "loaded");
