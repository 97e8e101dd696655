/** Saves what is on the chart: its data as CSV, or the chart as a picture. */
import * as Menu from "@radix-ui/react-dropdown-menu";
import type { JSX } from "react";

import { Icon } from "@/ui";

export function ChartExport({ name, csv, picture }: { name: string; csv: () => string; picture: (() => HTMLCanvasElement | null) | null }): JSX.Element {
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className="gs-button">
        <Icon name="download" size={14} /> Export
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content align="end" sideOffset={4} className="gs-menu">
          <Menu.Item className="gs-menu-item" onSelect={() => { save(URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), `${name}.csv`); }}>
            Data, bars to the cursor <span className="text-small text-faint">.csv</span>
          </Menu.Item>
          <Menu.Item
            className="gs-menu-item"
            disabled={picture === null}
            onSelect={() => picture?.()?.toBlob((blob) => { if (blob !== null) save(URL.createObjectURL(blob), `${name}.png`); })}
          >
            Picture of the chart <span className="text-small text-faint">.png</span>
          </Menu.Item>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}

function save(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => { URL.revokeObjectURL(url); }, 10_000);
}
