/** Which columns the table shows, in which order, and how high its rows are. Not modal: the table shows each change. */
import * as Dialog from "@radix-ui/react-dialog";
import { useRef, type JSX } from "react";

import { useDensity } from "@/lib/density";
import { Icon } from "@/ui";
import { resetColumns, useColumns } from "../hooks/useColumns";
import { moveColumn, orderOf } from "../model/columns";
import type { ColumnId } from "../model/rows";
import { TABLE_COLUMNS } from "./columns";

export function ColumnsPanel(): JSX.Element {
  const visibility = useColumns((state) => state.visibility);
  const order = orderOf(useColumns((state) => state.order));
  const compact = useDensity((state) => state.compact);
  const list = useRef<HTMLUListElement>(null);
  const movable = order.slice(1);
  const move = (id: ColumnId, by: -1 | 1): void => {
    useColumns.setState({ order: moveColumn(order, id, by) });
    const button = list.current?.querySelector<HTMLButtonElement>(`[data-move="${id} ${String(by)}"]`);
    requestAnimationFrame(() => button?.focus()); // React moves the row in the list, which takes the focus from it
  };
  return (
    <Dialog.Root modal={false}>
      <span className="relative max-md:hidden">
        <Dialog.Trigger className="gs-button">Columns</Dialog.Trigger>
        <Dialog.Content aria-describedby={undefined} className="gs-menu absolute top-full right-0 mt-1 w-64">
          <Dialog.Title className="px-2 py-1 text-small text-muted">Columns, from left to right</Dialog.Title>
          <ul ref={list}>
            {movable.map((id, index) => {
              const header = TABLE_COLUMNS.find((column) => column.id === id)?.header ?? id;
              return (
                <li key={id} className="flex h-7 items-center gap-1 rounded-button px-2 hover:bg-hover">
                  <label className="flex flex-1 items-center gap-2">
                    <input
                      type="checkbox"
                      className="size-4 accent-gold"
                      checked={visibility[id] !== false}
                      onChange={(event) => { useColumns.setState({ visibility: { ...visibility, [id]: event.target.checked } }); }}
                    />
                    {header}
                  </label>
                  <Move id={id} by={-1} label={`Move ${header} to the left`} disabled={index === 0} onMove={move} />
                  <Move id={id} by={1} label={`Move ${header} to the right`} disabled={index === movable.length - 1} onMove={move} />
                </li>
              );
            })}
          </ul>
          <div className="mt-1 border-t border-line pt-1">
            <label className="flex h-7 items-center gap-2 rounded-button px-2 hover:bg-hover">
              <input type="checkbox" className="size-4 accent-gold" checked={compact} onChange={(event) => { useDensity.setState({ compact: event.target.checked }); }} />
              Compact rows
            </label>
            <button type="button" className="flex h-7 w-full items-center rounded-button px-2 hover:bg-hover" onClick={resetColumns}>
              Columns as at first
            </button>
          </div>
        </Dialog.Content>
      </span>
    </Dialog.Root>
  );
}

interface MoveProps {
  id: ColumnId;
  by: -1 | 1;
  label: string;
  disabled: boolean;
  onMove: (id: ColumnId, by: -1 | 1) => void;
}

/** Stays focusable at the end of the list, so that the keyboard does not lose its place. */
function Move({ id, by, label, disabled, onMove }: MoveProps): JSX.Element {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-disabled={disabled}
      data-move={`${id} ${String(by)}`}
      className="inline-flex size-6 items-center justify-center rounded-badge text-muted hover:text-text aria-disabled:text-faint aria-disabled:opacity-50"
      onClick={() => { if (!disabled) onMove(id, by); }}
    >
      <Icon name="down" size={12} className={by === -1 ? "rotate-180" : ""} />
    </button>
  );
}
