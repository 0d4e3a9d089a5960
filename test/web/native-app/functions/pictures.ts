import { fn, http } from "millrace";
import sharp from "sharp";

/** A picture of native code's making: where it cannot be loaded this file cannot either. */
async function red(width: number): Promise<Response> {
  const picture = sharp({ create: { width, height: 20, channels: 3, background: "red" } });
  const { data, info } = await picture.png().toBuffer({ resolveWithObject: true });
  return Response.json({ format: info.format, width: info.width, bytes: data.length > 0 });
}

export const granted = fn({ on: http.get("/granted"), allow: ["addons"] }, () => red(30));

export const refused = fn({ on: http.get("/refused") }, () => red(40));
