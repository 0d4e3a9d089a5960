import { describe, expect, it } from "vitest";
import { parseMediaType } from "./media-type.ts";
import { isTimestamp } from "./timestamp.ts";
import { isAbsoluteUri, isUriReference } from "./uri.ts";

describe("timestamps", () => {
  it.each([
    "2018-04-05T17:31:00Z",
    "2018-04-05t17:31:00z",
    "2018-04-05T17:31:00.123456789Z",
    "2018-04-05T17:31:00+00:00",
    "2018-04-05T17:31:00-23:59",
    "2024-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "1990-12-31T23:59:60Z",
    "1990-12-31T15:59:60-08:00",
    "1991-01-01T05:29:60+05:30",
  ])("E6: %s is one", (text) => {
    expect(isTimestamp(text)).toBe(true);
  });

  it.each([
    "",
    "yesterday",
    "2018-04-05",
    "2018-04-05T17:31Z",
    "2018-04-05T17:31:00",
    "2018-04-05 17:31:00Z",
    "2018-04-05T17:31:00.Z",
    "2018-04-05T17:31:00,5Z",
    "2018-04-05T17:31:00Zx",
    "2018-04-05T17:31:00+0000",
    "2018-04-05T17:31:00+24:00",
    "2018-04-05T17:31:00+00:60",
    "2018-04-05T24:00:00Z",
    "2018-04-05T23:60:00Z",
    "2018-04-05T23:59:61Z",
    "2018-04-05T12:30:60Z",
    "1990-12-31T23:59:60+01:00",
    "2018-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2018-00-05T00:00:00Z",
    "2018-13-05T00:00:00Z",
    "2018-04-00T00:00:00Z",
    "2018-04-31T00:00:00Z",
    "+018-04-05T17:31:00Z",
    "18-04-05T17:31:00Z",
    "2018/04/05T17:31:00Z",
    "２018-04-05T17:31:00Z",
  ])("E6: %j is none", (text) => {
    expect(isTimestamp(text)).toBe(false);
  });
});

describe("URIs", () => {
  it.each([
    "https://github.com/cloudevents",
    "mailto:cncf-wg-serverless@lists.cncf.io",
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "http://[2001:db8::7]:8080/a?b#c",
    "http://user@[::1]",
    "http://[v1.x:y]/",
    "a:",
    "x:a%20b?c=[",
  ])("E7: %s is absolute, or no URI at all", (text) => {
    expect(isAbsoluteUri(text)).toBe(!text.endsWith("["));
    expect(isUriReference(text)).toBe(!text.endsWith("["));
  });

  it.each(["/cloudevents/spec/pull/123", "1-555-123-4567", "//host/path", "?q=a:b", "#part", "a/b:c", "./a:b", "%20"])(
    "E7: %s is a reference, and relative",
    (text) => {
      expect(isUriReference(text)).toBe(true);
      expect(isAbsoluteUri(text)).toBe(false);
    },
  );

  it.each([
    "my shop",
    "ünicode",
    "a|b",
    "{id}",
    "a%2",
    "a%zz",
    "#a#b",
    ":a",
    "1a:b",
    "http://[::1",
    "http://::1]",
    "http://[nonsense]/",
    "/a[1]",
    'a"b',
    "a\\b",
  ])("E7: %j is none", (text) => {
    expect(isUriReference(text)).toBe(false);
  });
});

describe("media types", () => {
  it.each([
    ["application/json", "json", undefined],
    ["Application/JSON; Charset=UTF-8", "json", "utf-8"],
    ["application/vnd.api+json", "json", undefined],
    ["text/json", "json", undefined],
    ['text/plain;charset="ISO-8859-1" ; format=flowed', "text", "iso-8859-1"],
    ["application/xml", "text", undefined],
    ["image/svg+xml", "text", undefined],
    ["application/octet-stream;", "bytes", undefined],
    ["image/png", "bytes", undefined],
  ])("E7, E12: %s is %s", (text, form, charset) => {
    expect(parseMediaType(text)).toMatchObject({ form, charset });
  });

  it.each(["", "json", "application/", "/json", "a/b/c", "a b/c", "a/b; x", "a/b; x=", 'a/b; x="', "a/b c", "a/b;ü=1"])(
    "E7: %j is none",
    (text) => {
      expect(parseMediaType(text)).toBeUndefined();
    },
  );

  it("E7: reading takes time in proportion to the length", () => {
    expect(parseMediaType(`a/b${";   ".repeat(100_000)}{`)).toBeUndefined();
    expect(parseMediaType(`a/b;x="${"\\a".repeat(100_000)}`)).toBeUndefined();
  });

  it("E7: however many types are sent, each is read right", () => {
    for (let i = 0; i < 1000; i++) expect(parseMediaType(`a/x${i}+json`)?.essence).toBe(`a/x${i}+json`);
    expect(parseMediaType("a/x0+json")?.form).toBe("json");
  });
});
