/** The first eight characters of an id or hash; a click copies all of it. */
import { useState, type JSX } from "react";

import { shortId } from "@/lib/format";

export function CopyId({ id, whole = false }: { id: string; whole?: boolean }): JSX.Element {
  const [said, say] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(id);
      say("copied");
    } catch {
      say("select and copy by hand"); // no permission, or not a secure page
    }
  };
  return (
    <span className="inline-flex items-center">
      <button type="button" title={`Copy ${id}`} className="min-h-6 rounded-badge font-mono text-small hover:underline" onClick={() => void copy()}>
        {whole || said.startsWith("select") ? id : shortId(id)}
      </button>
      <span aria-live="polite" className={`text-label text-muted ${said === "" ? "" : "ml-1.5"}`}>{said}</span>
    </span>
  );
}
