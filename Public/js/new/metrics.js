// The control for a metric's name, with the known ones to choose from.
import { h } from "../core/dom.js";
import { controlFor } from "./controls.js";
import { flat, fieldsOf } from "./schema.js";

/** The control of a field for a metric; any text may be typed, as metrics have parts like loss.mean. */
export function metricControl(field, schemas) {
  const all = flat(fieldsOf(schemas.TrainSpecification, schemas));
  const known = all.find((one) => one.pointer === "/checkpoint/keep_best/metric")?.options ?? [];
  const control = controlFor(field, "known-metrics");
  const list = h("datalist", { id: "known-metrics" },
    ["evaluation.top1", ...known].map((value) => h("option", { value })));
  return { ...control, element: h("div", {}, control.element, list) };
}
