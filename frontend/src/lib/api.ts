/**
 * Requests to the API. Each has a deadline, carries the access token, and fails as RequestError in words.
 *
 * Reads go on at the gateway when the API is away; work is refused then, with the reason. A 401 renews the login once.
 */
import { RequestError, isProblem, problemOf } from "./problem";
import { answered, away, origins, useServer } from "./server";

const DEADLINE_MS = 15_000;

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

export interface Request {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  /** Sent as JSON; a URLSearchParams is sent as a form. */
  body?: unknown;
  signal?: AbortSignal;
  deadlineMs?: number;
  /** Without the login: the routes that make one. */
  anonymous?: boolean;
  /** How the answer is read; JSON unless said. */
  as?: "json" | "text";
}

export interface Login {
  token: () => string | null;
  renew: () => Promise<boolean>;
}

let login: Login = { token: () => null, renew: () => Promise.resolve(false) };

/** The session tells where the token is; `lib/session.ts` does so, nothing else. */
export function provideLogin(source: Login): void {
  login = source;
}

/** The JSON of an answer, or its text. Raises RequestError. */
export async function ask<T>(path: string, request: Request = {}): Promise<T> {
  const response = await send(path, request);
  if (request.as === "text") return (await response.text()) as T;
  return (response.status === 204 ? null : await response.json()) as T;
}

/** All pages of a list, in order. `limit` is the size of one page. */
export async function askAll<T>(path: string, query: Query, signal?: AbortSignal, limit = 1000): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const page: { items: T[]; next?: string | null } = await ask(path, { query: { ...query, limit, after }, ...(signal && { signal }) });
    items.push(...page.items);
    after = page.next ?? null;
  } while (after !== null);
  return items;
}

/** Save an answer as a file: exports. The name comes from the caller. */
export async function download(path: string, query: Query, name: string): Promise<void> {
  const response = await send(path, { query, deadlineMs: 60_000 });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  window.setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}

/** A path with its query; lists become repeated names, null and undefined are left out. */
export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value == null) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

async function send(path: string, request: Request): Promise<Response> {
  const first = await route(path, request);
  if (first.status !== 401 || request.anonymous) return accept(first);
  const renewed = await login.renew();
  return accept(renewed ? await route(path, request) : first);
}

/** To the API, or to the gateway when the API is away and the request is one that the gateway serves too. */
async function route(path: string, request: Request): Promise<Response> {
  const { meta, api } = useServer.getState();
  const { api: main, gateway } = origins(window.location, meta);
  const reads = (request.method ?? "GET") === "GET" || path.startsWith("/v1/auth/");
  if (api === "away" && gateway !== main) {
    if (!reads) throw readOnly();
    return fetchAt(gateway, path, request);
  }
  const response = await fetchAt(main, path, request).catch((error: unknown) => {
    if (isLate(error) && !request.signal?.aborted && gateway !== main) return null;
    throw error;
  });
  if (response !== null && !behindProxy(response)) {
    answered();
    return response;
  }
  away();
  if (gateway === main) throw unanswered();
  if (!reads) throw readOnly();
  return fetchAt(gateway, path, request);
}

async function fetchAt(origin: string, path: string, request: Request): Promise<Response> {
  const headers = new Headers({ accept: request.as === "text" ? "*/*" : "application/json, application/problem+json" });
  const token = login.token();
  if (token !== null && !request.anonymous) headers.set("authorization", `Bearer ${token}`);
  const form = request.body instanceof URLSearchParams;
  if (request.body !== undefined && !form) headers.set("content-type", "application/json");
  const deadline = AbortSignal.timeout(request.deadlineMs ?? DEADLINE_MS);
  try {
    return await fetch(`${origin}${withQuery(path, request.query)}`, {
      method: request.method ?? "GET",
      headers,
      credentials: "include",
      body: request.body === undefined ? null : form ? (request.body as URLSearchParams) : JSON.stringify(request.body),
      signal: request.signal ? AbortSignal.any([request.signal, deadline]) : deadline,
    });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw unanswered();
  }
}

async function accept(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await problemOf(response);
}

/** Whether a proxy answered because nothing behind it did. */
function behindProxy(response: Response): boolean {
  return [502, 503, 504].includes(response.status) && !isProblem(response);
}

function isLate(error: unknown): boolean {
  return error instanceof RequestError && error.status === 0;
}

function unanswered(): RequestError {
  return new RequestError(0, "No answer", "The server did not answer. Check that `goldensignals up` is running, then retry.");
}

function readOnly(): RequestError {
  return new RequestError(503, "Read only", "Agents are not running, so nothing can be started or changed now. It works again as soon as they are back.");
}
