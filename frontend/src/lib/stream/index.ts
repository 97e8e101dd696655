/** The websocket as the pages see it. */
export { type Delivered } from "./frames";
export { useArrived, useEvents, usePrice, useRooms } from "./hooks";
export { useStream } from "./store";
