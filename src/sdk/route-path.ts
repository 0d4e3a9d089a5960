/** What is wrong with the path of a route, or undefined. Paths are words and `:parameters`; the last part may be `*`. */
export function routePathFault(path: unknown): string | undefined {
  if (typeof path !== "string") return "the path is no string";
  if (!path.startsWith("/")) return `the path "${path}" does not start with "/"`;
  if (/[?#\s\p{Cc}\\]/u.test(path)) return `the path "${path}" holds a character that no path has (space, "?", "#" or "\\")`;
  if (path === "/") return undefined;
  const segments = path.slice(1).split("/");
  if (segments[0] === "_") return `the path "${path}" is under "/_/", which is the platform's own`;
  const fault = segments.map((segment, index) => segmentFault(segment, index === segments.length - 1)).find((found) => found !== undefined);
  if (fault !== undefined) return `the path "${path}" ${fault}`;
  const names = segments.filter((segment) => segment.startsWith(":"));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : `the path "${path}" has the parameter "${twice}" twice`;
}

function segmentFault(segment: string, last: boolean): string | undefined {
  if (segment === "") return "has an empty part (a double or closing slash)";
  if (segment === "." || segment === "..") return `has the part "${segment}", which no request can have`;
  if (segment.startsWith(":"))
    return /^:[A-Za-z_]\w*$/.test(segment) ? undefined : `has the parameter "${segment}", whose name is no identifier`;
  if (segment === "*") return last ? undefined : 'has "*" before its end';
  return segment.includes("*") ? `has "*" inside the part "${segment}"` : undefined;
}
