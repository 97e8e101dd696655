/** Copies the program that gives the same view. Where copying is not allowed, it shows the program to copy by hand. */
import * as Dialog from "@radix-ui/react-dialog";
import { useEffect, useState, type JSX } from "react";

import { program } from "@/lib/python";
import { origins, useServer } from "@/lib/server";
import { Icon } from "./icons";

const SAID_MS = 4_000;

/** `lines`: asked for when the button is pressed. */
export function CopyPython({ lines, disabled = false }: { lines: () => readonly string[]; disabled?: boolean }): JSX.Element {
  const [copied, setCopied] = useState(0);
  const [shown, show] = useState<string | null>(null);
  useEffect(() => {
    if (copied === 0) return;
    const timer = window.setTimeout(() => { setCopied(0); }, SAID_MS);
    return () => { window.clearTimeout(timer); };
  }, [copied]);
  const copy = async (): Promise<void> => {
    const text = program(origins(window.location, useServer.getState().meta).api, lines());
    try {
      await navigator.clipboard.writeText(text);
      setCopied((times) => times + 1);
    } catch {
      show(text); // no permission, or not a secure page
    }
  };
  return (
    <>
      <button type="button" className="gs-button max-md:hidden" disabled={disabled} title="Needs an API key in GOLDENSIGNALS_KEY; `goldensignals keys add` makes one" onClick={() => void copy()}>
        <Icon name={copied > 0 ? "check" : "copy"} size={14} /> <span aria-live="polite">{copied > 0 ? "Copied" : "Copy as Python"}</span>
      </button>
      <Dialog.Root open={shown !== null} onOpenChange={() => { show(null); }}>
        <Dialog.Portal>
          <Dialog.Overlay className="fixed inset-0 z-40 bg-bg/70" />
          <Dialog.Content className="fixed top-24 left-1/2 z-50 w-160 max-w-[94vw] -translate-x-1/2 rounded-panel border border-line-strong bg-raised p-4 shadow-float">
            <Dialog.Title className="text-title font-semibold">The same view in Python</Dialog.Title>
            <Dialog.Description className="mt-1 text-muted">This browser did not let the page copy it. Select it and copy it by hand.</Dialog.Description>
            <textarea readOnly aria-label="Python" rows={8} wrap="off" value={shown ?? ""} className="gs-input mt-3 h-auto! w-full p-2 font-mono text-small!" onFocus={(event) => { event.target.select(); }} />
            <Dialog.Close className="gs-button mt-3">Close</Dialog.Close>
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
    </>
  );
}
