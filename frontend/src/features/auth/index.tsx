/** The login: one card. It says what runs behind it, and never which of the two fields was wrong. */
import { useState, type FormEvent, type JSX, type KeyboardEvent } from "react";

import { RequestError } from "@/lib/problem";
import { hasAgents, useServer } from "@/lib/server";
import { login, useSession } from "@/lib/session";
import { Icon, Logo } from "@/ui";

export default function LoginPage(): JSX.Element {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [caps, setCaps] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const agents = useServer(hasAgents);
  const trouble = useSession((state) => state.trouble);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await login(name, password);
    } catch (error) {
      setFailure(words(error));
    } finally {
      setBusy(false);
    }
  };
  const onKey = (event: KeyboardEvent): void => {
    setCaps(event.getModifierState("CapsLock"));
  };
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <form className="w-[360px] max-w-full rounded-panel border border-line bg-surface p-6" onSubmit={(event) => void submit(event)}>
        <div className="flex items-center gap-3">
          <Logo size={28} />
          <h1 className="text-panel font-semibold">GoldenSignals</h1>
        </div>
        <label className="mt-5 block font-medium" htmlFor="name">
          Name
        </label>
        <input
          id="name"
          className="gs-input mt-1 w-full"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={name}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
        <label className="mt-3 block font-medium" htmlFor="password">
          Password
        </label>
        <div className="mt-1 flex gap-2">
          <input
            id="password"
            className="gs-input min-w-0 flex-1"
            type={shown ? "text" : "password"}
            autoComplete="current-password"
            required
            aria-describedby="caps"
            value={password}
            onChange={(event) => {
              setPassword(event.target.value);
            }}
            onKeyDown={onKey}
            onKeyUp={onKey}
          />
          <button
            type="button"
            className="gs-button"
            aria-pressed={shown}
            onClick={() => {
              setShown(!shown);
            }}
          >
            {shown ? "Hide" : "Show"}<span className="sr-only"> password</span>
          </button>
        </div>
        <p id="caps" className="mt-1 min-h-4.5 text-small text-warn" aria-live="polite">
          {caps && "Caps Lock is on"}
        </p>
        <div aria-live="assertive">
          {failure !== null && (
            <p className="mb-3 flex gap-2 rounded-button bg-error-bg p-2">
              <Icon name="error" className="mt-0.5 text-error" />
              {failure}
            </p>
          )}
        </div>
        <button type="submit" className="gs-button-primary w-full" disabled={busy}>
          {busy ? "Logging in" : "Log in"}
        </button>
        {(!agents || trouble !== null) && (
          <p role="status" className="mt-4 flex gap-2 text-small">
            <Icon name="warn" className="mt-0.5 text-warn" size={14} />
            {trouble !== null && trouble.status === 0 ? trouble.message : "Agents are not running: after the login you can read, but start nothing."}
          </p>
        )}
      </form>
    </main>
  );
}

function words(error: unknown): string {
  if (!(error instanceof RequestError)) throw error;
  if (error.status === 401) return "Name and password do not go together. Check both.";
  if (error.status === 429) return `Too many tries. Wait ${error.retryAfterS === null ? "a minute" : `${String(Math.ceil(error.retryAfterS))} s`}, then try again.`;
  return error.message;
}
