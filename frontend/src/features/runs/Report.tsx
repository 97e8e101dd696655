/** The tear sheet of a result, shut off from the rest of the page; it can be saved and sent to a colleague. */
import type { JSX } from "react";
import { useParams } from "react-router";

import { saveText } from "@/lib/save";
import { useReport } from "@/lib/runs";
import { ErrorPanel, Icon, Skeleton } from "@/ui";

export default function ReportPage(): JSX.Element {
  const { id = "" } = useParams();
  const report = useReport(id);
  if (report.isPending) return <Skeleton rows={12} label="Reading the report" />;
  if (report.data === undefined) return <ErrorPanel what="Reading the report" error={report.error} retry={() => void report.refetch()} />;
  const { data } = report;
  return (
    <div className="flex h-full flex-col">
      <div className="flex items-center gap-2 border-b border-line p-3">
        <p className="text-muted">One page without scripts; it needs nothing else.</p>
        <button type="button" className="gs-button ml-auto" onClick={() => { saveText(data, `report-${id.slice(0, 8)}.html`, "text/html"); }}><Icon name="download" size={14} /> Save the page</button>
      </div>
      <iframe title="Report" sandbox="" srcDoc={data} className="min-h-0 w-full flex-1 border-0" />
    </div>
  );
}
