// Numbers, times and states as people read them.
import { isVisible, shown } from "./text.js";

/** Three significant digits, or a dash. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) {
    return value.toExponential(digits - 1).replace(/\.?0*e\+?/, "e");
  }
  return size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(digits)));
}

export const percent = (share) => (Number.isFinite(share) ? `${(share * 100).toFixed(1)}%` : "–");

export function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
}

/** Seconds as "12 s", "3 min 20 s", "5 h 10 min", "2 d 4 h". */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/**
 * How long a job has been running, without the time that it waited or was paused, as the daemon counts it.
 */
export const runningTime = (job) => duration(job.running_seconds);

// Made once: a table shows hundreds of times, and making a formatter takes longer than using it.
const clockFormat = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });
const fullFormat = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" });

/** A moment as a <time>'s text: the clock today, the date before. */
export function moment(time) {
  if (!time) return "–";
  const date = new Date(time);
  const now = new Date();
  const isToday = date.getDate() === now.getDate() && date.getMonth() === now.getMonth()
    && date.getFullYear() === now.getFullYear();
  return isToday ? clockFormat.format(date) : `${dayFormat.format(date)}, ${clockFormat.format(date)}`;
}

/** A moment with its date and seconds. */
export const fullMoment = (time) => fullFormat.format(new Date(time));

/** The states of a training's health. */
export const healthWords = {
  unknown: "Health unknown", good: "Healthy", warning: "Warning", collapsed: "Collapsed",
  diverging: "Diverging",
};

/** `disk_full` as "disk full". */
export const words = (name) => String(name).replaceAll("_", " ");

export const isOver = (job) => ["succeeded", "failed", "cancelled"].includes(job.state);

/** What a job may be asked to do in its state: the names of the buttons, in their order. */
export function actions(job) {
  const waits = ["blocked", "queued", "paused"].includes(job.state);
  const ends = job.state === "running" || job.state === "pausing";
  const all = [
    [["queued", "running"].includes(job.state), "pause"],
    [["paused", "pausing"].includes(job.state), "resume"],
    [["failed", "cancelled"].includes(job.state), "retry"],
    [waits || ends, "cancel"],
    [ends || job.state === "cancelling", "stop"],
  ];
  return all.filter(([isPossible]) => isPossible).map(([, name]) => name);
}

/** What a job is called, safe to show: its name, or its kind and the end of its id. */
export const title = (job) => (isVisible(job.name) ? shown(job.name) : `${job.kind} ${job.id.slice(-5)}`);
