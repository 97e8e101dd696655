/** A field of a form under its label, with a note below it that gives way to what is wrong with it. */
import type { JSX, ReactNode } from "react";

import { Icon } from "./icons";

interface LabelledProps {
  /** Of the input. */
  id: string;
  label: ReactNode;
  note: ReactNode;
  /** The input is described by it. */
  noteId: string;
  fault: string | undefined;
  children: ReactNode;
}

export function Labelled({ id, label, note, noteId, fault, children }: LabelledProps): JSX.Element {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium">{label}</label>
      {children}
      <FieldNote id={noteId} fault={fault} note={note} />
    </div>
  );
}

export function FieldNote({ id, note, fault }: { id: string; note: ReactNode; fault: string | undefined }): JSX.Element {
  return (
    <p id={id} role={fault === undefined ? undefined : "alert"} className={`mt-1 flex items-start gap-1.5 text-small ${fault === undefined ? "text-muted" : "text-error"}`}>
      {fault !== undefined && <Icon name="error" size={13} className="mt-0.5" />}
      <span className="min-w-0 break-words">{fault ?? note}</span>
    </p>
  );
}
