// The evaluation that follows a training in the same request.
import { h } from "../core/dom.js";
import { fieldView } from "./fields.js";
import { controlFor } from "./controls.js";
import { fieldsOf } from "./schema.js";

/** The fields of that evaluation in a form: whether there is one, and its protocol. */
export function thenFields(form, schemas) {
  const { draft, page } = form;
  const change = (work) => {
    work();
    form.show();
    page.changed();
  };
  const own = {
    edit: (field, value) =>
      change(() => (field.type === "then" ? draft.setThen(value) : draft.set(field.pointer, value))),
    reset: () => {}, show: () => form.show(),
  };
  const there = fieldView({
    pointer: "/then-evaluate", type: "then", text: "Next to raw pixels and the untrained encoder.",
      conditions: [],
  }, own, { control: controlFor({ type: "boolean" }) });
  const protocolField = fieldsOf(schemas.EvaluateSpecification, schemas, { prefix: "/then/spec" })
    .find((field) => field.key === "protocol");
  const protocol = fieldView(protocolField, own);
  return {
    elements: [there.element, protocol.element],
    places: [there, protocol].map((view) => ({ ...view, pointer: view.field.pointer })),
    show: () => {
      const isThere = draft.then !== undefined;
      const isHidden = form.filter.length > 0;
      there.write({ value: isThere });
      protocol.write({ value: draft.get("/then/spec/protocol") ?? protocolField.fallback });
      there.element.hidden = isHidden;
      protocol.element.hidden = isHidden || !isThere;
    },
  };
}
