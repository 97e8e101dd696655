/** One text or one choice of a form, with its note, or with what the server refused about it. */
import { useId, type JSX } from "react";

import { Labelled } from "@/ui";

import type { Faults, Form } from "./form";

export interface Fields {
  form: Form;
  faults: Faults;
  set: (name: string, text: string) => void;
}

interface FieldProps {
  fields: Fields;
  name: string;
  label: string;
  note: string;
  /** Takes the whole row. */
  wide?: boolean;
}

export function Text({ fields, name, label, note, wide = false, mono = false, placeholder }: FieldProps & { mono?: boolean; placeholder?: string }): JSX.Element {
  const id = useId();
  const fault = fields.faults[name];
  return (
    <div className={wide ? "col-span-full" : ""}>
      <Labelled id={id} label={label} note={note} noteId={`${id}-note`} fault={fault}>
        <input
          id={id}
          className={`gs-input w-full ${mono ? "font-mono" : ""} ${fault === undefined ? "" : "!border-error"}`}
          value={fields.form[name] ?? ""}
          placeholder={placeholder}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={fault !== undefined}
          aria-describedby={`${id}-note`}
          onChange={(event) => { fields.set(name, event.target.value); }}
        />
      </Labelled>
    </div>
  );
}

/** `usual`: the choice that an empty field means. */
export function Choice({ fields, name, label, note, wide = false, usual = "", options }: FieldProps & { usual?: string; options: readonly { value: string; label: string }[] }): JSX.Element {
  const id = useId();
  const fault = fields.faults[name];
  return (
    <div className={wide ? "col-span-full" : ""}>
      <Labelled id={id} label={label} note={note} noteId={`${id}-note`} fault={fault}>
        <select
          id={id}
          className={`gs-input ${wide ? "w-72 max-w-full" : "w-full"}`}
          value={fields.form[name] ?? usual}
          aria-invalid={fault !== undefined}
          aria-describedby={`${id}-note`}
          onChange={(event) => { fields.set(name, event.target.value === usual ? "" : event.target.value); }}
        >
          {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
        </select>
      </Labelled>
    </div>
  );
}
