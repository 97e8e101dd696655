/**
 * Who is logged in. The access token lives in this module's memory only; the refresh token is an HttpOnly cookie.
 *
 * At load the cookie is tried once; afterwards the token is renewed before it expires. One renewal runs at a time.
 */
import { create } from "zustand";

import { ask, provideLogin } from "./api";
import { RequestError } from "./problem";
import type { TokenView } from "@/types";

const RENEW_AT = 0.8; // of the token's life
const RETRY_MS = 5_000;

export type Role = TokenView["role"];

interface SessionState {
  status: "starting" | "anonymous" | "known";
  name: string | null;
  role: Role | null;
  /** Why the last start found no server; null when there was an answer. */
  trouble: RequestError | null;
}

export const useSession = create<SessionState>(() => ({ status: "starting", name: null, role: null, trouble: null }));

let token: string | null = null;
let timer = 0;
let renewal: Promise<boolean> | null = null;

provideLogin({ token: () => token, renew });

/** Whether a role may do what needs `needed`; roles hold each other: viewer < trader < admin. */
export function may(role: Role | null, needed: Role): boolean {
  const order: Role[] = ["viewer", "trader", "admin"];
  return role !== null && order.indexOf(role) >= order.indexOf(needed);
}

/** Try the cookie: at load. */
export async function start(): Promise<void> {
  await renew();
}

/** Log in. Raises RequestError; a wrong name and a wrong password read the same. */
export async function login(name: string, password: string): Promise<void> {
  const form = new URLSearchParams({ grant_type: "password", username: name, password });
  accept(await ask<TokenView>("/v1/auth/token", { method: "POST", body: form, anonymous: true }));
}

/** End the login here and, as far as it answers, on the server. */
export async function logout(): Promise<void> {
  await ask("/v1/auth/logout", { method: "POST" }).catch((error: unknown) => {
    if (!(error instanceof RequestError)) throw error;
  });
  forget();
}

/** Renew the access token; whether there is one now. Calls at the same time share one request. */
export function renew(): Promise<boolean> {
  renewal ??= renewOnce().finally(() => {
    renewal = null;
  });
  return renewal;
}

async function renewOnce(): Promise<boolean> {
  try {
    accept(await ask<TokenView>("/v1/auth/refresh", { method: "POST", anonymous: true }));
    return true;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.status === 401 || error.status === 403) forget();
    else later(error);
    return false;
  }
}

function accept(view: TokenView): void {
  token = view.access_token;
  useSession.setState({ status: "known", name: view.name, role: view.role, trouble: null });
  schedule(view.expires_in * 1000 * RENEW_AT);
}

/** No server now: keep who is logged in and try again; a page that just started shows the login with the reason. */
function later(trouble: RequestError): void {
  useSession.setState((state) => ({ trouble, status: state.status === "starting" ? "anonymous" : state.status }));
  schedule(RETRY_MS);
}

function forget(): void {
  token = null;
  window.clearTimeout(timer);
  useSession.setState({ status: "anonymous", name: null, role: null, trouble: null });
}

function schedule(ms: number): void {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void renew(), ms);
}
