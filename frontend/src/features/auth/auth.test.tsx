import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";

import { useServer } from "@/lib/server";
import { useSession } from "@/lib/session";
import { violations } from "@/lib/testing/axe";
import LoginPage from ".";

afterEach(() => {
  vi.unstubAllGlobals();
  useServer.setState({ api: "unknown" });
  useSession.setState({ status: "anonymous", name: null, role: null, trouble: null });
});

function answer(status: number, body: object, headers: Record<string, string> = {}): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "content-type": type, ...headers } }))));
}

async function enter(): Promise<void> {
  const user = userEvent.setup();
  await user.type(screen.getByLabelText("Name"), "kv");
  await user.type(screen.getByLabelText("Password"), "a long password");
  await user.click(screen.getByRole("button", { name: "Log in" }));
}

describe("the login", () => {
  it("is clean for axe", async () => {
    expect(await violations(render(<LoginPage />).container)).toEqual([]);
  });

  it("does not say which field was wrong", async () => {
    answer(401, { type: "about:blank", title: "Unauthenticated", status: 401, detail: "no", correlation_id: "c" });
    render(<LoginPage />);
    await enter();
    expect(await screen.findByText("Name and password do not go together. Check both.")).toBeTruthy();
  });

  it("says how long to wait after too many tries", async () => {
    answer(429, { type: "about:blank", title: "Too many", status: 429, detail: "wait", correlation_id: "c" }, { "retry-after": "17" });
    render(<LoginPage />);
    await enter();
    expect(await screen.findByText("Too many tries. Wait 17 s, then try again.")).toBeTruthy();
  });

  it("keeps the token out of every storage", async () => {
    answer(200, { access_token: "secret-token", token_type: "bearer", expires_in: 600, name: "kv", role: "viewer", refresh_token: null });
    render(<LoginPage />);
    await enter();
    await vi.waitFor(() => {
      expect(useSession.getState()).toMatchObject({ status: "known", name: "kv", role: "viewer" });
    });
    expect(JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, useSession.getState()])).not.toContain("secret-token");
  });

  it("says that one can only read while agents are away", () => {
    useServer.setState({ api: "away" });
    render(<LoginPage />);
    expect(screen.getByRole("status").textContent).toContain("Agents are not running");
  });
});
