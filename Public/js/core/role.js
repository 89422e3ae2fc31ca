// What this browser may do: a page shows no button that the daemon would refuse.

let role = "write";

/** Notes the session { name, role }; null: there is none. */
export function noteRole(session) {
  role = session?.role ?? "read";
}

/** Whether the session may change anything. */
export const mayWrite = () => role === "write";
