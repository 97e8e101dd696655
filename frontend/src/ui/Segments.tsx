/** One of a few: a row of toggle buttons. */
import type { JSX, ReactNode } from "react";

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: ReactNode; disabled?: boolean; title?: string }[];
  onChange: (value: T) => void;
}

export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>): JSX.Element {
  return (
    <div role="group" aria-label={label} className="inline-flex shrink-0 overflow-hidden rounded-button border border-line">
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          disabled={option.disabled}
          title={option.title}
          className={`min-h-7 px-2.5 text-body whitespace-nowrap -outline-offset-2 max-md:min-h-10 ${option.value === value ? "bg-hover font-medium text-text" : "text-muted hover:bg-raised hover:text-text"}`}
          onClick={() => {
            onChange(option.value);
          }}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
