/** Shared components; a feature imports them from here. */
export { ActionBadge, ActionChange } from "./ActionBadge";
export { Age, Since, useNow } from "./Age";
export { AgentStateMark } from "./AgentStateMark";
export { Agreement } from "./Agreement";
export { CopyPython } from "./CopyPython";
export { CopyId } from "./CopyId";
export { ExportMenu } from "./ExportMenu";
export { Direction, Icon, Logo, type IconName } from "./icons";
export { JobProgress, timeLeft } from "./JobProgress";
export { Empty, ErrorPanel, Notice, Panel, Skeleton } from "./Panel";
export { Probability, Uncalibrated } from "./Probability";
export { ScoreBar } from "./ScoreBar";
export { Sparkline } from "./Sparkline";
export { Segments } from "./Segments";
export { Time } from "./Time";
export { BINS, VotesHistogram, histogram, type Histogram } from "./VotesHistogram";
export { useTint } from "./useTint";
export { VotesCell, VotesList } from "./Votes";
